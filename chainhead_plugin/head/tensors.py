"""Inputs that are no tensors, named before anything is asked of them."""

from typing import Any

import numpy as np
from torch import Tensor

from ..chain.masking import CheckedMask

_OTHERS = (np.ndarray, list, tuple)


def require_tensors(**values: Any) -> None:
    """Check that inputs are not still NumPy arrays or lists.

    Parameters
    ----------
    **values
        By their names; None for those that are not given.

    Raises
    ------
    TypeError
        If a value is an array or a list; the message names it and the way to convert it.
    """
    for name, value in values.items():
        if value is None or isinstance(value, Tensor):
            continue
        if isinstance(value, _OTHERS) and not isinstance(value, CheckedMask):
            kind = "NumPy array" if isinstance(value, np.ndarray) else type(value).__name__
            raise TypeError(
                f"{name} is a {kind}, expected a torch.Tensor: pass torch.as_tensor({name}), or ask a preprocessor "
                'for tensors, return_tensors="pt"'
            )
