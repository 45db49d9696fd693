"""Model cards, and pushing models to the Hub.

May import: `chain`, `config` and `storage`.
"""

from typing import TYPE_CHECKING

from ..faces import names_of

if TYPE_CHECKING:
    from .card import render_card as render_card

__getattr__, __dir__, __all__ = names_of(
    __name__,
    {
        "render_card": "card",
    },
)
