"""From a tinyBIG checkpoint file to a folder that `from_pretrained` loads."""

import json
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Literal

import torch
from safetensors.torch import load_file
from transformers.modeling_utils import PreTrainedModel

from ..storage.whole_files import whole_folder
from .bounded_file import check_bounded, check_views
from .conversion import convert_head_to_model, convert_model
from .options import ModelKind, TinyBIGConversionError


def read_checkpoint(path: Path) -> Mapping[str, Any]:
    """Read a state dict from a `.safetensors` file, or from any other file as `torch.save` writes it.

    No code in the file is run, and nothing is allocated that the file does not hold.

    Raises
    ------
    TinyBIGConversionError
        If the file cannot be read or holds anything but tensors.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        check_bounded(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except TinyBIGConversionError:
        raise
    except UnpicklingError as error:
        raise TinyBIGConversionError(
            f"{path} is no torch file of tensors alone. It may hold pickled code, none of which was run: save "
            "with torch.save(model.state_dict(), path), or as .safetensors"
        ) from error
    except Exception as error:
        # A damaged or forged file may fail anywhere in the readers.
        raise TinyBIGConversionError(f"{path} cannot be read, or is damaged: {error}") from error

    if not isinstance(content, Mapping):
        raise TinyBIGConversionError(
            f"{path} holds a {type(content).__name__}, expected a state dict: torch.save(model.state_dict(), path)"
        )
    for name, value in content.items():
        if isinstance(value, torch.Tensor):
            check_views(path, str(name), value)
    return content


def read_options(path: Path) -> dict[str, Any]:
    """Read a JSON object of constructor options.

    Raises
    ------
    TinyBIGConversionError
        If the file cannot be read or holds no JSON object.
    """
    try:
        options = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise TinyBIGConversionError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(options, dict):
        raise TinyBIGConversionError(
            f"{path} holds a JSON {type(options).__name__}, expected an object of options, "
            'such as {"m": 8, "n": 4, "chain_length": 32}'
        )
    return options


def convert_checkpoint(
    checkpoint: Path,
    options: Path,
    kind: Literal["head"] | ModelKind,
    out: Path,
    dtype: torch.dtype | None = None,
    overwrite: bool = False,
) -> PreTrainedModel:
    """Convert a checkpoint file of tinyBIG's into a checkpoint folder.

    The folder appears complete or not at all, and an old folder stays until the new folder is complete.

    Parameters
    ----------
    checkpoint : Path
        A state dict, as `read_checkpoint` takes it.
    options : Path
        A JSON object of the keyword arguments of tinyBIG's constructor.
    kind : {"head", "rnn", "regression_rnn"}
        A head becomes a `ChainHeadModel`, without its softmax (see `convert_head_to_model`); the models
        become a `ChainHeadForSequenceClassification`.
    out : Path
        The folder to write.
    dtype : torch.dtype, optional
        float16, bfloat16, float32 or float64; by default the checkpoint's.
    overwrite : bool
        Whether to replace a checkpoint folder that stands at `out`.

    Returns
    -------
    PreTrainedModel
        The converted model.

    Raises
    ------
    TinyBIGConversionError
        If a file cannot be read or converted, or `out` exists and may not be replaced.
    """
    _check_replaceable(out, overwrite)
    given, state_dict = read_options(options), read_checkpoint(checkpoint)
    if kind == "head":
        model: PreTrainedModel = convert_head_to_model(given, state_dict, dtype)
    else:
        model = convert_model(kind, given, state_dict, dtype)
    try:
        with whole_folder(out) as new:
            model.save_pretrained(new)
    except OSError as error:
        raise TinyBIGConversionError(f"{out} cannot be written: {error}") from error
    return model


def _check_replaceable(out: Path, overwrite: bool) -> None:
    if not out.exists() and not out.is_symlink():
        return
    if not overwrite:
        raise TinyBIGConversionError(f"{out} exists already: choose another folder, or overwrite it")
    # Any other folder there, such as a home directory, was not meant.
    if out.is_symlink() or not (out / "config.json").is_file():
        raise TinyBIGConversionError(f"{out} is not a checkpoint folder, so it is not overwritten")
