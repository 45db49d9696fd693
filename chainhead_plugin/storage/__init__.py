"""A checkpoint's files: written whole, read without trust, fitted to a model.

May import: no other room.
"""

from typing import TYPE_CHECKING

from ..faces import names_of

if TYPE_CHECKING:
    from .saving import complete_interrupted_save as complete_interrupted_save

__getattr__, __dir__, __all__ = names_of(
    __name__,
    {
        "complete_interrupted_save": "saving",
    },
)
