"""The layer y = act((Aᵀ κ(x)) W̄ᵀ + b + x W_rᵀ), and its options, checked.

May import: `chain` and `checks`.
"""

from typing import TYPE_CHECKING

from ..faces import names_of

if TYPE_CHECKING:
    from .chain_head import (
        ChainInterdependenceHead as ChainInterdependenceHead,
        chain_interdependence_head as chain_interdependence_head,
    )

__getattr__, __dir__, __all__ = names_of(
    __name__,
    {
        "ChainInterdependenceHead": "chain_head",
        "chain_interdependence_head": "chain_head",
    },
)
