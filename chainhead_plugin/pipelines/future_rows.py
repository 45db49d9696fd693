"""The last rows of series for models with covariates: the future, in which covariates are known."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def split_future(
    values: NDArray[Any], lengths: NDArray[np.intp], steps: int, channels: int
) -> tuple[NDArray[Any], NDArray[np.intp], NDArray[Any]]:
    """Split the rows of the future from those of the past.

    Parameters
    ----------
    values : array [sum of lengths, channels + covariates]
        Series, one after the other.
    lengths : int array [series]
    steps : int
        The number of rows of the future, with which every series ends.
    channels : int

    Returns
    -------
    past : array [sum of past lengths, channels + covariates]
    lengths : int array [series]
        Of the pasts.
    future : array [series, steps, covariates]

    Raises
    ------
    ValueError
        If a series is too short, a covariate is missing, or a channel is not missing in the future.
    """
    if lengths.min() <= steps:
        raise ValueError(
            f"sequence {lengths.argmin()} has {lengths.min()} rows, expected a past and then {steps} rows of the "
            "future, in which the covariates are known and the channels missing"
        )
    ends = np.cumsum(lengths)
    is_future = np.repeat(ends, lengths) - np.arange(len(values)) <= steps
    index = np.repeat(np.arange(len(lengths)), lengths)
    unknown = np.isnan(values[:, channels:]).any(1)
    if unknown.any():
        raise ValueError(
            f"sequence {index[unknown][0]}: a covariate is missing, it has to be known for every row"
        )

    told = is_future & ~np.isnan(values[:, :channels]).all(1)
    if told.any():
        raise ValueError(
            f"sequence {index[told][0]}: its last {steps} rows are the future to forecast, in which the channels "
            "have to be missing"
        )
    future = values[is_future, channels:].reshape(len(lengths), steps, -1)
    return values[~is_future], lengths - steps, future
