"""`chainhead convert-tinybig`."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from .screen import fail, say, wrong


class _Kind(str, Enum):
    head = "head"
    rnn = "rnn"
    regression_rnn = "regression_rnn"


class _Dtype(str, Enum):
    float16 = "float16"
    bfloat16 = "bfloat16"
    float32 = "float32"
    float64 = "float64"


def convert_tinybig(
    checkpoint: Annotated[
        Path,
        typer.Argument(
            help="State dict: .safetensors, or as torch.save writes it.", exists=True, dir_okay=False
        ),
    ],
    options: Annotated[
        Path,
        typer.Option(help="JSON object: keyword arguments of tinyBIG's class.", exists=True, dir_okay=False),
    ],
    kind: Annotated[
        _Kind, typer.Option(metavar="KIND", help="tinyBIG's class: head, rnn or regression_rnn.")
    ],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder to write; required.")] = None,
    out: Annotated[Path | None, typer.Option("--out", hidden=True)] = None,
    dtype: Annotated[
        _Dtype | None,
        typer.Option(
            metavar="DTYPE",
            help="Type of the weights: float16, bfloat16, float32 or float64; by default the checkpoint's.",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a checkpoint folder.")] = False,
) -> None:
    """Convert a tinyBIG checkpoint into a folder that from_pretrained loads.

    Example: chainhead convert-tinybig rnn.pt --options options.json --kind rnn --output my-rnn
    """
    if (output is None) == (out is None):
        raise wrong("names the folder to write: state it once", "--output")
    folder = output or out
    assert folder is not None

    import torch

    from ..tinybig.checkpoint import convert_checkpoint
    from ..tinybig.options import TinyBIGConversionError

    wanted = None if dtype is None else getattr(torch, dtype.value)
    try:
        model = convert_checkpoint(checkpoint, options, kind.value, folder, wanted, overwrite)
    except TinyBIGConversionError as error:
        fail(error)
    name = type(model).__name__
    say(f"{folder}: {name}, {model.num_parameters():,} weights of {model.dtype}")
    say(f"Load it: from chainhead_plugin import {name}; {name}.from_pretrained({str(folder)!r})")
    returned = "last_hidden_state.flatten(1)" if kind is _Kind.head else "logits"
    say(f"If the tinyBIG model ends in a softmax, its output is {returned}.softmax(-1).")
