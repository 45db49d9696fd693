"""The `chainhead` command. Each subcommand imports what it needs when it runs."""

from typing import Annotated

import typer

app = typer.Typer(
    name="chainhead",
    help="Chain interdependence heads: try them, convert tinyBIG's.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _root() -> None:
    """Keep `chainhead COMMAND` even where there is one command only."""


def main() -> None:
    """Run the command line."""
    app()
