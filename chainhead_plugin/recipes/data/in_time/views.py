"""Windows that are copied when they are asked for, so that memory holds each series only once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class WindowViews(Sequence[Any]):
    """Windows [past + future, columns] of series, whose channels are NaN in the rows of the future.

    Attributes
    ----------
    series : tuple of arrays [steps, columns]
    of_series, begins : arrays of int64 [windows]
        The series of each window, and the step at which it begins there.
    past, future : int
        Steps of a window's past and future.
    channels : int
        The number of channels: the first columns, which are unknown for the future.
    """

    series: tuple[Array, ...]
    of_series: NDArray[np.int64]
    begins: NDArray[np.int64]
    past: int
    future: int
    channels: int

    def __len__(self) -> int:
        return len(self.begins)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self.take(index)
        return self.take([index]).stacked()[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self.stacked().astype(self.dtype if dtype is None else dtype, copy=False)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type that holds the values of all series."""
        return np.result_type(*(one.dtype for one in self.series))

    def take(self, index: Any) -> "WindowViews":
        """Return some of the windows, by a slice or by indices."""
        return replace(self, of_series=self.of_series[index], begins=self.begins[index])

    def stacked(self) -> Array:
        """Return copies of all windows, [windows, past + future, columns]."""
        steps, columns = self.past + self.future, self.series[0].shape[1]
        found = np.empty((len(self), steps, columns), self.dtype)
        self._fill(found, slice(0, steps), slice(None))
        found[:, self.past :, : self.channels] = np.nan
        return found

    def futures(self, columns: int) -> Array:
        """Return the first columns in the future of windows, [windows, future, columns], without a copy if possible."""
        if len(self.series) == 1 and len(self) == len(self.series[0]) - self.past - self.future + 1:
            values = self.series[0][self.past :, :columns]
            return sliding_window_view(values, self.future, axis=0).transpose(0, 2, 1)
        found = np.empty((len(self), self.future, columns), self.dtype)
        self._fill(found, slice(self.past, self.past + self.future), slice(0, columns))
        return found

    def pasts(self, columns: int) -> Array:
        """Return copies of the first columns in the past of windows, [windows, past, columns]."""
        found = np.empty((len(self), self.past, columns), self.dtype)
        self._fill(found, slice(0, self.past), slice(0, columns))
        return found

    def seen_in_pasts(self) -> list[NDArray[np.bool_]]:
        """Return for each series a bool array [steps]: the steps that lie in the past of some window."""
        return self._covered(0, self.past)

    def seen(self) -> list[NDArray[np.bool_]]:
        """Return for each series a bool array [steps]: the steps that lie in some window."""
        return self._covered(0, self.past + self.future)

    def _fill(self, found: Array, steps: slice, columns: slice) -> None:
        for number in np.unique(self.of_series).tolist():
            rows = np.flatnonzero(self.of_series == number)
            views = sliding_window_view(self.series[number][:, columns], steps.stop - steps.start, axis=0)
            found[rows] = views[self.begins[rows] + steps.start].transpose(0, 2, 1)

    def _covered(self, first: int, last: int) -> list[NDArray[np.bool_]]:
        covered = []
        for number, values in enumerate(self.series):
            begins = self.begins[self.of_series == number]
            changes = np.zeros(len(values) + 1, dtype=np.int64)
            np.add.at(changes, begins + first, 1)
            np.add.at(changes, begins + last, -1)
            covered.append(np.cumsum(changes[:-1]) > 0)
        return covered
