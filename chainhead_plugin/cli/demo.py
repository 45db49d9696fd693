"""`chainhead demo`."""

from pathlib import Path
from typing import Annotated

import typer

from .support import reported_errors


def demo(
    picture: Annotated[
        Path | None, typer.Option(help="Also draw the results into this file (.png, .svg); needs matplotlib.")
    ] = None,
) -> None:
    """Predict real chains with a model that ships inside the package; no network.

    Example: chainhead demo --picture demo.png
    """
    with reported_errors(matplotlib_for="--picture"):
        from rich.console import Console

        from .demonstration import run

        run(Console(), picture)
