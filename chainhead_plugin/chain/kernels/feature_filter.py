"""Filters along a chain with taps of its own for every feature, by the kernel of `filter_chain`."""

import torch
from torch import Tensor

from .filter import launch_filter


def filter_features(
    x: Tensor,
    taps: Tensor,
    ahead: int,
    reflected: bool,
    starts: Tensor | None = None,
    counts: Tensor | None = None,
) -> Tensor:
    """y[j] = Σ_k taps[k] ∘ x[j − k + ahead], without a gradient.

    Parameters
    ----------
    x : bfloat16, float16 or float32 Tensor [batch, length, width]
        On a CUDA device, or anywhere in Triton's interpreter.
    taps : float32 Tensor [taps, width]
    ahead, reflected, starts, counts
        As for `filter_chain`.

    Returns
    -------
    Tensor [batch, length, width], in the dtype of `x`
    """
    assert taps.dtype == torch.float32
    return launch_filter(x, taps.contiguous(), ahead, reflected, starts, counts)
