"""Sets of series in the data types that users of scikit-learn and aeon have, turned into arrays for models."""

import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Number
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse  # type: ignore[import-untyped]

from ..inputs.filling import fill_missing, usual_values
from .frames import is_dataframe, is_tensor, numbers_in, of_frame, with_named_channels
from .requirement import BaseEstimator

# If series have this many times more channels than nodes, their axes are probably in another order.
_MANY = 10
_ORDER = "a list of arrays [length], or [channels, length] as in aeon"


@dataclass(frozen=True)
class Panel:
    """Checked series, in the order of axes that models take.

    Attributes
    ----------
    series : list of float32 or float64 arrays [length, channels]
        Values are finite, also when they are rounded to float32; NaN is a missing value, and no series has that alone.
    """

    series: list[NDArray[np.floating]]

    @property
    def channels(self) -> int:
        """Number of channels, the same for all series."""
        return self.series[0].shape[1]


def read_panel(estimator: BaseEstimator, X: Any, *, reset: bool) -> Panel:
    """Return checked series as arrays [length, channels].

    In `fit` the number and names of channels are kept on the estimator; later they are compared with those.

    Parameters
    ----------
    estimator : BaseEstimator
        In `fit` its attribute `n_channels_in_` is set. A DataFrame with one column per channel also sets
        `channel_names_in_`, by which the columns of later DataFrames are matched. A table sets scikit-learn's
        `n_features_in_` and `feature_names_in_`.
    X : array, DataFrame or list
        A table [series, length] of one channel, an array [series, channels, length], a DataFrame with one row per
        series, a DataFrame with an index of two levels (series and time) and one column per channel, or a list of
        arrays [length] or [channels, length] of any lengths.
    reset : bool
        Whether the estimator is being fitted.

    Returns
    -------
    Panel

    Raises
    ------
    TypeError, ValueError
        If `X` is none of these, holds an infinite value or a series without any value, or has other channels or
        columns than in `fit`.
    """
    if reset:
        for name in ("n_features_in_", "feature_names_in_", "channel_names_in_"):
            estimator.__dict__.pop(name, None)
    if issparse(X):  # Checked first, as one of the sparse types is also a dict.
        raise TypeError("X is sparse, which is not supported: pass X.toarray()")
    if isinstance(X, dict | str | Iterator):
        raise TypeError(
            f"X is of the type {type(X).__name__}, expected a table [series, length], an array [series, channels, "
            f"length] or {_ORDER}"
        )
    if isinstance(X, np.ma.MaskedArray):
        X = np.ma.filled(X.astype(np.float64), np.nan)  # Masked values are missing values.
    if is_dataframe(X) and X.columns.nlevels > 1:
        raise ValueError(
            f"the columns of X have {X.columns.nlevels} levels, expected a name for each: a column for each channel, "
            "with an index of two levels (series and time), or a column for each step of a single channel"
        )
    if is_dataframe(X) and X.index.nlevels == 2:
        X = with_named_channels(estimator, X, reset)
    ragged = _ragged(X)
    found = _array(estimator, X, reset) if ragged is None else ragged
    panel = Panel([_as_nodes(number, one) for number, one in enumerate(found)])
    _require_same_channels(panel.series)
    if reset:
        estimator.n_channels_in_ = panel.channels
        if not is_dataframe(X):
            _warn_of_channels(panel, is_array=getattr(X, "ndim", 0) == 3)
    elif panel.channels != estimator.n_channels_in_:
        raise ValueError(
            f"X has {panel.channels} channels, but {type(estimator).__name__} was fitted to {estimator.n_channels_in_}"
        )
    return panel


def _warn_of_channels(panel: Panel, *, is_array: bool) -> None:
    """Warn of series whose channels are probably their nodes."""
    longest = max(map(len, panel.series))
    if panel.channels < _MANY * longest:
        return
    remedy = "pass X.transpose(0, 2, 1)" if is_array else "transpose each of them"
    warnings.warn(
        f"X has {panel.channels} channels of {longest} nodes each. If its axes are [series, length, channels], "
        f"{remedy}",
        UserWarning,
        stacklevel=5,
    )


def fill_panel(panel: Panel) -> Panel:
    """Return the series to train on with missing values interpolated, as the feature extractor does it later.

    A channel of which a series has no value at all gets its mean over all series.

    Raises
    ------
    ValueError
        If no series has a value of a channel.
    """
    if not any(np.isnan(one).any() for one in panel.series):
        return panel
    nodes = np.concatenate(panel.series)
    lengths = np.array([len(one) for one in panel.series])
    return Panel(np.split(fill_missing(nodes, lengths, usual_values(nodes)), np.cumsum(lengths)[:-1]))


def _array(estimator: BaseEstimator, X: Any, reset: bool) -> Sequence[NDArray[Any]]:
    """Return the series of an array with three axes, or of a table, as [channels, length]."""
    from sklearn.utils.validation import validate_data

    if getattr(X, "ndim", 2) == 3:
        array = numbers_in("X", X)
        if 0 in array.shape:
            raise ValueError(
                f"X has shape {list(array.shape)}, expected [series, channels, length] of at least 1"
            )
        return list(array)
    if is_tensor(X):
        X = X.detach().cpu().numpy()
    try:
        table = validate_data(
            estimator,
            X,
            reset=reset,
            dtype=np.float64,
            ensure_all_finite="allow-nan",
            ensure_min_samples=2 if reset else 1,
        )
    except ValueError as error:
        if is_dataframe(X) and "could not convert" in str(error):
            raise ValueError(
                f"X holds texts, expected numbers ({error}): if a column names series and another their times, pass "
                "X.set_index([series, time]); leave other texts out"
            ) from error
        raise
    return list(table[:, np.newaxis, :])


def _ragged(X: Any) -> list[NDArray[Any]] | None:
    """Return a list of series as [channels, length] each; None if `X` is not a list of series."""
    if is_dataframe(X):
        return of_frame(X)
    if isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1 and len(X) and np.ndim(X[0]):
        X = list(X)
    if not isinstance(X, list | tuple) or not X:
        return None
    if all(isinstance(one, Number) or np.ndim(one) == 0 for one in X):
        return None  # scikit-learn's own check raises the error for it.
    if not any(hasattr(one, "ndim") for one in X):
        lengths = {len(one) for one in X if isinstance(one, list | tuple)}
        if len(lengths) == 1 and all(isinstance(value, Number | str) for one in X for value in one):
            return None  # A table, written as nested lists.
    series = [_of_list(number, one) for number, one in enumerate(X)]
    _refuse_transposed(series)
    return series


def _of_list(number: int, one: Any) -> NDArray[Any]:
    if is_dataframe(one):
        raise TypeError(f"series {number} of X is a DataFrame, expected {_ORDER}: pass its values transposed")
    array = numbers_in(f"series {number} of X", one)
    if array.ndim not in (1, 2) or 0 in array.shape:
        raise ValueError(f"series {number} of X has shape {list(array.shape)}, expected {_ORDER}")
    return array[np.newaxis] if array.ndim == 1 else array


def _refuse_transposed(series: list[NDArray[Any]]) -> None:
    """Raise if arrays look like [length, channels]: the first axis differs between them, and the second does not."""
    first, second = ({one.shape[axis] for one in series} for axis in (0, 1))
    if len(first) > 1 and len(second) == 1:
        raise ValueError(
            f"the arrays of X have {min(first)} to {max(first)} rows and {min(second)} columns each, which looks like "
            f"[length, channels], expected {_ORDER}: transpose them"
        )


def labels_of(X: Any, y: Any) -> Any:
    """Return labels in the order of the series of `X`.

    A pandas Series may have the names of the series as its index, if `X` is a DataFrame with an index of two levels.
    Labels are then matched by name, as they may be in another order. Values of pandas' nullable boolean type become
    plain booleans if none is missing.
    """
    pandas = sys.modules.get("pandas")
    if pandas is None or not isinstance(y, pandas.Series):
        return y
    if is_dataframe(X) and X.index.nlevels == 2:
        names = X.index.get_level_values(0).unique()
        if y.index.is_unique and len(names) == len(y) and set(names) == set(y.index):
            y = y.loc[names]
    return y.astype(bool) if str(y.dtype) == "boolean" and not y.hasnans else y


def _as_nodes(number: int, one: NDArray[Any]) -> NDArray[np.floating]:
    """Return an array [channels, length] as [length, channels]: float32 if it was at most that exact, else float64."""
    is_single = one.dtype.kind == "f" and one.dtype.itemsize <= 4
    nodes: NDArray[np.floating] = one.T.astype(np.float32 if is_single else np.float64, copy=False)
    is_fine = np.abs(nodes) <= np.finfo(np.float32).max
    if not is_fine.all():
        missing = np.isnan(nodes)
        if not (is_fine | missing).all():
            raise ValueError(
                f"series {number} of X holds infinity or a value too large for float32: rescale it, or mark missing "
                "values by NaN"
            )
        if missing.all():
            raise ValueError(f"series {number} of X has no value at all, only NaN: leave it out")
    if nodes.any() and np.nanmax(np.abs(nodes)) < np.finfo(np.float32).tiny:
        raise ValueError(f"series {number} of X holds values too small for float32 alone: rescale it")
    return nodes


def _require_same_channels(series: list[NDArray[np.floating]]) -> None:
    channels = sorted({one.shape[1] for one in series})
    if len(channels) > 1:
        raise ValueError(
            f"the series of X have from {channels[0]} to {channels[-1]} channels, expected the same number in all, in "
            f"{_ORDER}"
        )
