"""The `chainhead` command: options, printed text and exit codes. The work itself is done in other rooms.

May import: all rooms, but only when a command runs; the host `registry`.
"""

from typing import TYPE_CHECKING

from ..faces import names_of

if TYPE_CHECKING:
    from .commands import app as app, main as main
    from .demonstration import SAMPLES as SAMPLES

__getattr__, __dir__, __all__ = names_of(
    __name__,
    {
        "SAMPLES": "demonstration",
        "app": "commands",
        "main": "commands",
    },
)
