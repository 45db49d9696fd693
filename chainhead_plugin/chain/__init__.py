"""Mixing along a chain: kinds, their exact forms, kernels, masks. Tensors in, tensors out.

May import: no other room.
"""

from typing import TYPE_CHECKING

from ..faces import names_of

if TYPE_CHECKING:
    from .backend import set_backend as set_backend, use_backend as use_backend
    from .kinds import Chain as Chain
    from .reference import interdependence_matrix as interdependence_matrix

__getattr__, __dir__, __all__ = names_of(
    __name__,
    {
        "Chain": "kinds",
        "interdependence_matrix": "reference",
        "set_backend": "backend",
        "use_backend": "backend",
    },
)
