"""`chainhead app`: the page in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .screen import say, wrong
from .support import complete_sources, reported_errors


def show_page(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            help="Models of the zoo, folders, or repositories on the Hub; by default the whole zoo.",
            metavar="[MODEL]...",
            autocompletion=complete_sources,
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="By default the first free one from 7860.")
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in.")
    ] = "127.0.0.1",
    only_these: Annotated[
        bool, typer.Option("--only-these", help="Let users of the page open no other models.")
    ] = False,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Whether to open the page in your browser.")
    ] = True,
    space: Annotated[
        Path | None, typer.Option(help="Write a Space for the Hub into this new folder, and show nothing.")
    ] = None,
) -> None:
    """Try models in the browser: draw, paste or upload an input, see the answer and why; needs the extra "app".

    Everything stays on this machine: nothing is uploaded, and the page loads nothing from elsewhere.

    Example: chainhead app chainhead-gunpoint chainhead-italy-power
    """
    if space is not None and (port is not None or host != "127.0.0.1" or only_these):
        raise wrong("has no use for --port, --host and --only-these: nothing is shown", "--space")
    with reported_errors():
        if space is not None:
            from ..app.space import write_space

            written = write_space(space, models or [])
            say(f"{space}: {', '.join(written)}")
            say(f"Create a Space with the SDK gradio, then: hf upload OWNER/NAME {space} . --repo-type space")
            return
        from ..app.serving import check_gradio, serve

        check_gradio()
        say("The page opens when the first model is loaded; Ctrl+C ends it.")
        serve(models, host=host, port=port, only_offered=only_these, open_browser=browser)
