"""DataFrames and tensors as users pass them to estimators, turned into arrays."""

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..tables.formats.frame import check_levels
from .requirement import BaseEstimator


def with_named_channels(estimator: BaseEstimator, frame: Any, reset: bool) -> Any:
    """Return a DataFrame with its columns in the order of `fit`; columns without names are taken by position."""
    if type(frame.columns).__name__ == "RangeIndex":
        return frame
    names = [str(name) for name in frame.columns]
    if reset:
        estimator.channel_names_in_ = names
    expected = getattr(estimator, "channel_names_in_", None)
    if expected is None or names == expected:
        return frame
    if sorted(names) != sorted(expected) or len(set(names)) < len(names):
        raise ValueError(
            f"X has the columns {', '.join(names)}, but {type(estimator).__name__} was fitted to "
            f"{', '.join(expected)}: rename or choose columns, or pass arrays to have channels taken by position"
        )
    return frame.iloc[:, [names.index(name) for name in expected]]


def of_frame(frame: Any) -> list[NDArray[Any]] | None:
    """Return the series of a DataFrame whose index has two levels, series and time; None for a table."""
    if frame.index.nlevels == 1:
        cells = list(frame.iloc[0]) if len(frame) else []
        if any(np.ndim(cell) for cell in cells):
            raise TypeError(
                "the cells of X hold whole series, expected numbers: pass a list of arrays [channels, length], or a "
                "DataFrame with an index of two levels, series and time"
            )
        return None
    if frame.index.nlevels != 2:
        raise ValueError(f"the index of X has {frame.index.nlevels} levels, expected 2: series and time")
    check_levels(frame.index, "X")
    if frame.index.get_level_values(0).hasnans:
        raise ValueError("the index of X lacks the series of some rows: fill it in, or leave the rows out")
    values = numbers_in("X", _cells(frame))
    groups = frame.groupby(level=0, sort=False).indices
    parts = []
    for name, rows in groups.items():
        times = frame.index.get_level_values(1)[rows]
        if not times.is_monotonic_increasing:
            raise ValueError(f"the times of series {name} of X are not in order: sort the index first")
        if not times.is_unique:
            raise ValueError(
                f"series {name} of X has the time {times[times.duplicated()][0]} twice: leave one of the rows out"
            )
        parts.append(values[rows].T)
    return parts


def _cells(frame: Any) -> NDArray[Any]:
    """Return the cells of a DataFrame; numbers of pandas' nullable types become float64, NaN where missing."""
    pandas = sys.modules["pandas"]
    own = [dtype for dtype in frame.dtypes if pandas.api.types.is_extension_array_dtype(dtype)]
    if own and all(map(pandas.api.types.is_numeric_dtype, frame.dtypes)):
        cells: NDArray[Any] = frame.to_numpy(dtype=np.float64, na_value=np.nan)
        return cells
    return np.asarray(frame.to_numpy())


def numbers_in(name: str, values: Any) -> NDArray[Any]:
    """Return an array or tensor as an array; raise a TypeError that names it if it holds no numbers."""
    array = values.detach().cpu().numpy() if is_tensor(values) else np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} holds {array.dtype}, expected numbers")
    return array


def is_dataframe(value: Any) -> bool:
    """Tell whether a value is a DataFrame of pandas, which is not imported for it."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.DataFrame)


def is_tensor(value: Any) -> bool:
    """Tell whether a value is a tensor of torch, which is not imported for it."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)
