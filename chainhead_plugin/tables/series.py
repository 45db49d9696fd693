"""Series that were read from tables and files: values, times, labels, and their places in the files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .columns.meaning import Columns
from .errors import TableError, place
from .formats.cells import number_of
from .node_places import NodePlaces
from .time.calendar import calendar_features, calendar_names
from .time.clock import Clock, local_times, utc_times
from .time.steps import Step, days_of_month


@dataclass(frozen=True)
class Series:
    """One series.

    Attributes
    ----------
    id : str
        The cell that tells the series apart; several cells are joined by " / ". "" if nothing tells series apart.
    values : float64 array [L, features]
        NaN where a value is missing.
    file : str
        The name of the file.
    first_row, last_row : int
        Its first and last row in the file, from 1; lines in a text file.
    times : array [L] of datetime64[ns] in UTC, or of float64, optional
    offset : int
        Seconds by which the last local time is ahead of UTC.
    start : int
        Steps from the earliest time of all series to the first time of this series.
    labels : tuple of str, or of object arrays [L]
        For each column of labels a text, or an array with a text for each node; empty without labels.
    known : float64 array [L, known]
        Values of columns that are known for the future too.
    static : float64 array [static]
        Values of columns that are the same for all nodes.
    group : str
        The group that the series belongs to; "" without groups.
    keys : tuple of str
        The cells that tell the series apart, in the order of their columns.
    fields : mapping
        Everything else that a file of whole sequences holds for the series, unchanged.
    nodes : NodePlaces, optional
        The place of each node; None if the series is a single row.
    """

    id: str
    values: NDArray[np.float64]
    file: str
    first_row: int
    last_row: int
    times: NDArray[Any] | None = None
    offset: int = 0
    start: int = 0
    labels: tuple[Any, ...] = ()
    known: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0)))
    static: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    group: str = ""
    keys: tuple[str, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    nodes: NodePlaces | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def place(self) -> str:
        """Words for its place: file, rows and id."""
        rows = (
            f"row {self.first_row}"
            if self.first_row == self.last_row
            else f"rows {self.first_row}–{self.last_row}"
        )
        return f"{self.file}, {rows}" + (f", series {self.id}" if self.id else "")

    def windows(self, length: int, stride: int = 1) -> NDArray[np.float64]:
        """Return all windows of a length as a view [windows, length, features] that copies nothing.

        Parameters
        ----------
        length : int
        stride : int
            Nodes from the beginning of a window to that of the next.

        Returns
        -------
        float64 array [windows, length, features]
            Read-only. There are no windows if the series is shorter than `length`.

        Raises
        ------
        TableError
            If the length or the stride is below 1.
        """
        if length < 1 or stride < 1:
            raise TableError(f"windows need a length and a stride of at least 1, got {length} and {stride}")
        if len(self) < length:
            return self.values[:0].reshape(0, 1, self.values.shape[1]).repeat(length, axis=1)
        views = np.lib.stride_tricks.sliding_window_view(self.values, length, axis=0)
        return views.transpose(0, 2, 1)[::stride]


@dataclass(frozen=True)
class SeriesSet(Sequence[Series]):
    """All series of a table, and the meanings of its columns.

    Attributes
    ----------
    series : tuple of Series
    columns : Columns
        The meaning of every column, guesses included.
    files : tuple of str
        The names of the files.
    clock : Clock, optional
        How times are written; None without times.
    step : Step, optional
        The distance between times; None without times, or if they are unevenly spaced.
    has_names : bool
        Whether features have names, by which they can be matched.
    notes : tuple of str
        Sentences about the reading, for the summary.
    has_decimal_commas : bool
        Whether numbers among labels may have a decimal comma.
    """

    series: tuple[Series, ...]
    columns: Columns
    files: tuple[str, ...]
    clock: Clock | None = None
    step: Step | None = None
    has_names: bool = True
    notes: tuple[str, ...] = ()
    has_decimal_commas: bool = False

    def __len__(self) -> int:
        return len(self.series)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return replace(self, series=self.series[index])
        return self.series[index]

    def __iter__(self) -> Iterator[Series]:
        return iter(self.series)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the columns of values, the targets first."""
        return self.columns.features

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the columns to forecast; "value" where a row is a whole series."""
        spec = self.columns.spec
        return self.features if spec.rows == "series" and not spec.target else spec.target

    @property
    def known(self) -> tuple[str, ...]:
        """Names of the columns that are known for the future, the features of the calendar last."""
        return self.columns.spec.known + calendar_names(self.columns.spec.calendar)

    @property
    def is_labelled(self) -> bool:
        """Whether series, or their nodes, have labels."""
        return bool(self.series) and bool(self.series[0].labels)

    def future_times(self, series: Series, count: int) -> list[Any]:
        """Return the times of the next nodes of a series, in the table's own type.

        Raises
        ------
        TableError
            If there are no times, or they are unevenly spaced.
        """
        assert self.clock is not None or series.times is None
        moments = self.next_moments(series, count)
        assert self.clock is not None
        return self.clock.write(moments, series.offset)

    def future_calendar(self, series: Series, count: int) -> NDArray[np.float64]:
        """Return the calendar's features [count, columns] of the next nodes of a series."""
        moments = self.next_moments(series, count)
        assert self.clock is not None
        offsets = np.full(count, series.offset)
        return calendar_features(local_times(moments, offsets, self.clock), self.columns.spec.calendar)

    def next_moments(self, series: Series, count: int) -> NDArray[Any]:
        """Return the times of the next nodes of a series, in UTC, or as numbers.

        Raises
        ------
        TableError
            As in `future_times`.
        """
        if series.times is None or self.clock is None:
            raise TableError(f"{series.place} has no times, so the future has none: name the column of times")
        if self.step is None:
            raise TableError(f"{series.place}: times are unevenly spaced: state the step, such as step: 1h")
        clock, step, times = self.clock, self.step, series.times
        if step.unit in ("number", "ns") and not step.is_local and not (step.is_of_days and clock.wall_zone):
            return step.after(times[-1], count)
        walls = local_times(times, np.full(len(times), series.offset), clock)
        if step.unit == "ns" and ((walls - walls[0]).astype(np.int64) % int(step.count)).any():
            return step.after(times[-1], count)  # days that passed, not those of the zone's calendar
        # Steps of the calendar are even in local time.
        day = int(days_of_month(walls.astype("datetime64[D]")).max())
        return utc_times(step.after(walls[-1], count, day), clock, series.offset)

    def check_complete(self) -> None:
        """Check that no value is missing.

        Raises
        ------
        TableError
            If a value is missing; the message names file, row, column and series.
        """
        for series in self.series:
            if fault := self.fault_of(series):
                raise TableError(fault)

    def check_observed(self) -> None:
        """Check that every series has a value, for models that interpolate missing values.

        Raises
        ------
        TableError
            If all values of a series are missing; the message names it.
        """
        for series in self.series:
            if fault := self.fault_of(series, interpolated=True):
                raise TableError(fault)

    def fault_of(self, series: Series, *, interpolated: bool = False) -> str:
        """Return why a model cannot take a series: a missing value, or if these are interpolated, that all are missing.

        The sentence names file, row, column and series. It is empty if nothing is wrong.
        """
        missing = np.isnan(series.values)
        if interpolated:
            return (
                f"{series.place}: all of its values are missing: leave the series out"
                if missing.all()
                else ""
            )
        if not missing.any():
            return ""
        node, feature = (int(position) for position in np.argwhere(missing)[0])
        return (
            f"{self.place_of(series, node, feature)}: {self._why_missing(series, node)}, but this model takes no "
            "missing values: fill it in, or leave the series out"
        )

    def place_of(self, series: Series, node: int, feature: int = 0) -> str:
        """Return the words for the place of a value: file, row, column and series, and the node if a row holds many."""
        if series.nodes is not None:
            return series.nodes.words(node, self.features[feature], series.id)
        if self.columns.nodes:
            column = self.columns.nodes[node]
            return place(series.file, row=series.first_row, column=column, series=series.id)
        where = f"{series.place}, node {node + 1}"
        return f"{where}, {self.features[feature]}" if len(self.features) > 1 else where

    def _why_missing(self, series: Series, node: int) -> str:
        is_in_gap = series.nodes is not None and not series.nodes.rows[node]
        if not is_in_gap or series.times is None or self.clock is None:
            return "the value is missing"
        return f"no row has the time {self.clock.write(series.times[node : node + 1], series.offset)[0]}"

    def number_of(self, label: str) -> float | None:
        """Return the number that a label is, with the decimal sign of this table, or None if it is no number."""
        return number_of(label, may_have_comma=self.has_decimal_commas)

    def label_numbers(self, label: int = 0) -> NDArray[np.float64]:
        """Return the labels of all series as numbers [series], for regression.

        Parameters
        ----------
        label : int
            The position of the column among the columns of labels.

        Raises
        ------
        TableError
            If a label is no number; the message names its place.
        """
        name = self.columns.spec.label[label] if self.columns.spec.label else "label"
        numbers = []
        for series in self.series:
            value = self.number_of(series.labels[label]) if series.labels else None
            if value is None:
                shown = repr(series.labels[label]) if series.labels else "nothing"
                raise TableError(
                    f"{place(series.file, row=series.first_row, column=name)} holds {shown}, expected a number, as "
                    "this is a regression"
                )
            numbers.append(value)
        return np.array(numbers, dtype=np.float64)
