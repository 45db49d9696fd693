"""Weights of series, as `fit` takes them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def read_weights(series: Sequence[Any], sample_weight: Any, least: int) -> NDArray[np.float64]:
    """Return the weights of series: float64 [series].

    Parameters
    ----------
    series : sequence
    sample_weight : array [series]
    least : int
        How many weights have to be above zero.

    Raises
    ------
    ValueError
        If weights are negative or not finite, are not as many as series, or too few are above zero.
    """
    from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

    weights: NDArray[np.float64] = column_or_1d(
        check_array(sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight")
    )
    check_consistent_length(series, weights)
    if (weights < 0).any():
        raise ValueError("sample_weight holds negative numbers, expected none below 0")
    if (above := int((weights > 0).sum())) < least:
        raise ValueError(
            f"sample_weight is above zero for {above} series: expected a weight above zero for at least "
            f"{'two' if least == 2 else 'one'}"
        )
    return weights


__all__ = ["read_weights"]
