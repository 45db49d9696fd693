"""Random chain heads: kernels that are drawn and never trained, pools of their outputs, and ridge regression.

A pool summarises a kernel's outputs over all nodes of a chain in one feature, such as the share of nodes where the
output exceeds a threshold. Pools have a plain form in PyTorch and a compiled form. Tensors in, features out.

May import: `chain`, `checks`.
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
