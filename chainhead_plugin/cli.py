"""The `chainhead` command. Each subcommand imports what it needs when it runs."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from .recipe_commands import compare, evaluate, train

app = typer.Typer(
    name="chainhead",
    help="Chain interdependence heads: try a trained one, convert tinyBIG's, share them on the Hub.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def demo(
    picture: Annotated[
        Path | None, typer.Option(help="Also draw the results into this file (.png, .svg); needs matplotlib.")
    ] = None,
) -> None:
    """Predict real chains with the model that ships inside the package; no network.

    Example: chainhead demo --picture demo.png
    """
    from rich.console import Console

    from registry import RegistryError

    from .demo import run

    try:
        run(Console(), picture)
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        typer.echo('Error: --picture needs matplotlib: pip install "chainhead-plugin[train]"', err=True)
        raise typer.Exit(1) from error
    except (ValueError, OSError, RegistryError) as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from error


class _Kind(str, Enum):
    head = "head"
    rnn = "rnn"
    regression_rnn = "regression_rnn"


class _Dtype(str, Enum):
    float16 = "float16"
    bfloat16 = "bfloat16"
    float32 = "float32"
    float64 = "float64"


@app.command("convert-tinybig")
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
    kind: Annotated[_Kind, typer.Option(help="tinyBIG's class.")],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    dtype: Annotated[_Dtype | None, typer.Option(help="Of the weights; by default the checkpoint's.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a checkpoint folder.")] = False,
) -> None:
    """Convert a tinyBIG checkpoint into a folder that from_pretrained loads.

    Example: chainhead convert-tinybig rnn.pt --options options.json --kind rnn --out my-rnn
    """
    import torch

    from .tinybig_checkpoint import convert_checkpoint
    from .tinybig_options import TinyBIGConversionError

    wanted = None if dtype is None else getattr(torch, dtype.value)
    try:
        model = convert_checkpoint(checkpoint, options, kind.value, out, wanted, overwrite)
    except TinyBIGConversionError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from error
    name = type(model).__name__
    typer.echo(f"{out}: {name}, {model.num_parameters():,} weights of {model.dtype}")
    typer.echo(f"Load it: from chainhead_plugin import {name}; {name}.from_pretrained({str(out)!r})")
    output = "last_hidden_state.flatten(1)" if kind is _Kind.head else "logits"
    typer.echo(f"Where tinyBIG ends in a softmax, what it returns is {output}.softmax(-1).")


@app.command()
def push(
    source: Annotated[str, typer.Argument(help="A model of the zoo, or a checkpoint's folder.")],
    repo_id: Annotated[str, typer.Argument(help="Repository on the Hub, as owner/name.")],
    branch: Annotated[str | None, typer.Option(help="Where to commit; made if missing.")] = None,
    tag: Annotated[str | None, typer.Option(help="A new tag for the commit.")] = None,
    private: Annotated[
        bool | None, typer.Option("--private/--public", help="Of a new repository; else as it is.")
    ] = None,
    message: Annotated[str | None, typer.Option(help="Of the commit.")] = None,
    with_code: Annotated[
        bool, typer.Option("--with-code", help="Also the code, for machines without this plugin.")
    ] = False,
) -> None:
    """Push a model and its card to the Hub, in one commit. Exits with 1 if that fails.

    Example: chainhead push chainhead-japanese-vowels me/my-vowels --tag v1
    """
    import registry

    try:
        done = registry.push(
            source,
            repo_id,
            branch=branch,
            tag=tag,
            private=private,
            commit_message=message,
            with_code=with_code,
        )
    except (registry.RegistryError, OSError, ValueError) as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(
        f"Pushed: {done.url}" if done.changed else f"Nothing to push, {done.repo_id} has it: {done.url}"
    )


@app.command()
def pull(
    name: Annotated[str, typer.Argument(help="A model of the zoo, or a repository as owner/name.")],
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit.")] = None,
    to: Annotated[Path | None, typer.Option(help="Also copy the files into this new folder.")] = None,
) -> None:
    """Get a model's files, verified, and print their folder. Exits with 1 if that fails.

    Example: chainhead pull me/my-vowels --revision v1 --to my-vowels
    """
    import registry

    try:
        folder = registry.pull(name, revision)
        if to is not None:
            registry.copy_checkpoint(folder, to)
    except (registry.RegistryError, OSError, ValueError) as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(to or folder)


app.command()(train)
app.command()(evaluate)
app.command()(compare)


def main() -> None:
    """Run the command line."""
    app()
