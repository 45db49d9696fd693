"""Frozen kernels, their running pools and the compiled form of those, and ridge regression in closed form.

Tensors in, features out. May import: `chain`, `checks`.
"""

from typing import TYPE_CHECKING

from ..faces import names_of

if TYPE_CHECKING:
    from .features import RandomChainFeatures as RandomChainFeatures
    from .plan import FeaturePlan as FeaturePlan

__getattr__, __dir__, __all__ = names_of(
    __name__,
    {
        "FeaturePlan": "plan",
        "RandomChainFeatures": "features",
    },
)
