"""Shows the page in a browser, on this machine unless asked otherwise, with nothing fetched from elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from ..checks.packages import missing_package
from .given import MOST_BYTES
from .look import STYLE, theme
from .opened import OpenModels

# Browsers keep to this whatever a page's files ask for: scripts, fonts, pictures and data from this server alone.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; "
    "connect-src 'self' data: blob:"
)


def check_gradio() -> None:
    """Raise a ModuleNotFoundError that says what to install if gradio or matplotlib is missing."""
    from importlib.util import find_spec

    for package in ("gradio", "matplotlib"):
        if find_spec(package) is None:
            raise ModuleNotFoundError(missing_package("the page in the browser", package, "app"))


def serve(
    models: Sequence[str] | None = None,
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    only_offered: bool = False,
    open_browser: bool = False,
    blocking: bool = True,
) -> str:
    """Show the page.

    Parameters
    ----------
    models : sequence of str, optional
        Models of the zoo, folders, or repositories on the Hub; None offers the zoo.
    host : str
        The address to listen on; the default is reached from this machine alone.
    port : int, optional
        By default the first free one from 7860.
    only_offered : bool
        Whether users may open no other models than `models`.
    open_browser : bool
        Whether to open the page in the default browser.
    blocking : bool
        Whether to return only when the page is stopped with Ctrl+C.

    Returns
    -------
    str
        The page's address.

    Raises
    ------
    ModuleNotFoundError
        If gradio or matplotlib is missing.
    ValueError, OSError, registry.RegistryError
        If the first model cannot be opened, or the port is taken.
    """
    check_gradio()
    # Read by gradio when it is imported.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    from fastapi.middleware import Middleware

    from .page import build_page

    opened = OpenModels(models, only_offered=only_offered)
    opened.open(opened.offered[0])
    page = build_page(opened)
    _, url, _ = page.queue(default_concurrency_limit=2, max_size=32).launch(
        server_name=host,
        server_port=port,
        share=False,
        inbrowser=open_browser,
        prevent_thread_lock=not blocking,
        quiet=True,
        show_error=False,
        ssr_mode=False,
        enable_monitoring=False,
        mcp_server=False,
        footer_links=["settings"],
        max_file_size=MOST_BYTES,
        app_kwargs={"middleware": [Middleware(_KeptHere)]},
        theme=theme(),
        css=STYLE,
    )
    return str(url)


class _KeptHere:
    """Middleware that adds the policy of content to every response."""

    def __init__(self, app: Callable[..., Any]) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_with_policy(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"content-security-policy", _POLICY.encode())]
            await send(message)

        await self._app(scope, receive, send_with_policy if scope["type"] == "http" else send)
