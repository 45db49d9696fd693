"""The `chainhead` command. Each subcommand imports what it needs when it runs."""

from pathlib import Path
from typing import Annotated

import typer

from registry.screen import console

from .convert import convert_tinybig
from .evaluate import evaluate
from .hub import pull, push
from .page import show_page
from .plot import plot
from .predict import predict
from .screen import say
from .support import reported_errors
from .train import compare, train
from .zoo import card, info, list_models

app = typer.Typer(
    name="chainhead",
    help="Chain interdependence heads: look at trained ones, predict, train your own, share them on the Hub.",
    epilog="Exits with 0, with 1 if something cannot be done, or with 2 if the command line is wrong.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",  # The mode "rich" would treat brackets in help texts as markup.
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata

        say(f"chainhead {metadata.version('chainhead-plugin')}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version and exit.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    pass


@app.command()
def demo(
    picture: Annotated[
        Path | None, typer.Option(help="Also draw the results into this file (.png, .svg); needs matplotlib.")
    ] = None,
) -> None:
    """Predict real chains with a model that ships inside the package; no network.

    Example: chainhead demo --picture demo.png
    """
    with reported_errors(matplotlib_for="--picture"):
        from .demonstration import run

        run(console(), picture)


app.command("list")(list_models)
app.command()(info)
app.command()(card)
app.command()(predict)
app.command()(plot)
app.command("app")(show_page)
app.command()(train)
app.command()(evaluate)
app.command()(compare)
app.command()(pull)
app.command()(push)
app.command("convert-tinybig")(convert_tinybig)


def main() -> None:
    """Run the command line."""
    app()
