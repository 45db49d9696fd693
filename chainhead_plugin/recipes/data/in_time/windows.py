"""Cut series into windows of a past and a future, and divide windows by time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....checks.values import check_whole_number
from ....forecasts.whole_series import Layout, Series, WholeSeries, whole_series
from ....inputs.standardising import as_exact_as_needed
from ....tables.schema import Schema
from ...errors import RecipeError, said_of
from ...recipe import Recipe
from ..examples import Data, Examples
from .views import WindowViews

# Windows that are copied at once.
_BATCH = 2048


@dataclass(frozen=True)
class Windows(Examples):
    """Windows of series as examples.

    An input is an array [past + future steps, channels + covariates], as the forecasting pipeline takes it: in the rows
    of the future, channels are NaN. Its label is an array [future steps, targets]: the targets' values in the future.
    `names` are the names of the targets.

    Attributes
    ----------
    times : int64 array [windows]
        The step at which each window's future begins.
    layout : Layout
        The meanings of the columns.
    whole : WholeSeries
        The series that the windows are cut from.
    of_series : int64 array [windows]
        The series of each window, an index into the series of `whole`.
    """

    inputs: WindowViews
    times: NDArray[np.int64]
    layout: Layout
    whole: WholeSeries
    of_series: NDArray[np.int64]

    @property
    def is_made_on_demand(self) -> bool:
        """Whether inputs are copied when they are asked for: they are."""
        return True

    def take(self, indices: NDArray[np.intp]) -> "Windows":
        """Select windows by index; nothing is copied for consecutive windows."""
        chosen: Any = indices
        if len(indices) and (np.diff(indices) == 1).all():
            chosen = slice(int(indices[0]), int(indices[-1]) + 1)
        return replace(
            self,
            inputs=self.inputs.take(chosen),
            labels=self.labels[chosen],
            times=self.times[chosen],
            of_series=self.of_series[chosen],
        )

    @property
    def scales(self) -> NDArray[np.float64]:
        """The naive forecast's mean absolute error in training, for each window's targets [windows, 1, targets]."""
        return self.whole.scales[self.of_series][:, np.newaxis]

    def constant_columns(self) -> list[int]:
        """Return the columns, by index, whose values are the same in all windows, missing values left out."""
        views, channels = self.inputs, self.layout.channels
        unknown = [
            values[past, :channels].T
            for values, past in zip(views.series, views.seen_in_pasts(), strict=True)
        ]
        known = [values[seen, channels:].T for values, seen in zip(views.series, views.seen(), strict=True)]
        columns = [*np.concatenate(unknown, axis=1), *np.concatenate(known, axis=1)]
        return [
            number
            for number, column in enumerate(columns)
            if not np.fmin.reduce(column, initial=np.inf) < np.fmax.reduce(column, initial=-np.inf)
        ]

    def constant_indicators(self) -> list[int]:
        """Return the channels, by index, that are missing in the pasts of windows always, or never."""
        views, channels = self.inputs, self.layout.channels
        missing = np.concatenate(
            [
                np.isnan(values[past, :channels])
                for values, past in zip(views.series, views.seen_in_pasts(), strict=True)
            ]
        )
        return np.flatnonzero(missing.all(0) | ~missing.any(0)).tolist()

    def of_target(self, place: int) -> "Windows":
        """Return the same windows with the label of a single target, by index; their inputs are unchanged."""
        scales = self.whole.scales[:, place : place + 1]
        labels = self.labels[..., place : place + 1]
        return replace(self, labels=labels, whole=replace(self.whole, scales=scales))

    def before(self, time: int) -> "Windows":
        """Return the windows whose future ends before the step `time`."""
        return self.take(np.flatnonzero(self.times + self.labels.shape[1] <= time))

    def since(self, time: int) -> "Windows":
        """Return the windows whose future begins at the step `time` or later."""
        return self.take(np.flatnonzero(self.times >= time))


def windows_of(examples: Examples) -> Windows:
    """Return the examples of a recipe for forecasts, with their type: they are windows."""
    assert isinstance(examples, Windows)
    return examples


def cut(
    recipe: Recipe,
    series: Sequence[Series],
    layout: Layout,
    test_start: int,
    schema: Schema | None = None,
    said: tuple[str, ...] = (),
) -> Data:
    """Cut series into windows, whose futures end before `test_start` in training, and begin there or later in the test.

    The recipe's model states the steps of a window: `chain_length` of its past, `prediction_length` of its future. A
    window begins at every step. The past of the first test windows lies in the training part, as it does when a model
    is used.

    Parameters
    ----------
    recipe : Recipe
    series : sequence of Series
    layout : Layout
        The meanings of the columns.
    test_start : int
        The first step of the test part, on the time axis that all series share.
    schema : Schema, optional
        The names of the columns, if the series come from a table.
    said : tuple of str
        Lines about the reading.

    Raises
    ------
    RecipeError
        If the lengths are missing, or a part has no window.
    """
    past, future = (_length(recipe.model, name) for name in ("chain_length", "prediction_length"))
    if layout.season is not None and layout.season > past:
        raise RecipeError(f"data: season={layout.season} is longer than the past, chain_length={past}")
    trained = [test_start - one.start for one in series]
    windows = windows_from(series, layout, past, future, trained, schema)
    data = Data(windows.before(test_start), windows.since(test_start), said)
    for part, examples in (("training", data.train), ("test", data.test)):
        if not len(examples.labels):
            raise RecipeError(f"data: the {part} part has no window of {past} + {future} steps")
    return data


def windows_from(
    series: Sequence[Series],
    layout: Layout,
    past: int,
    future: int,
    trained: Sequence[int],
    schema: Schema | None = None,
    stride: int = 1,
) -> Windows:
    """Cut series into windows, ordered by time.

    Parameters
    ----------
    series : sequence of Series
    layout : Layout
        The meanings of the columns.
    past, future : int
        Steps of a window's past and future.
    trained : sequence of int
        For each series, the number of first steps in which the errors of a naive forecast are measured, for MASE.
    schema : Schema, optional
        The names of the columns, if the series come from a table.
    stride : int
        Steps from the beginning of a window to that of the next.

    Raises
    ------
    RecipeError
        If no window fits into a series, with values to forecast from and to compare with.
    """
    values = tuple(as_exact_as_needed(one.values) for one in series)
    begins = [_usable(one, len(layout.targets), past, future, stride) for one in values]
    counts = [len(found) for found in begins]
    if not sum(counts):
        longest = max(map(len, values))
        raise RecipeError(
            f"data: no series has {past + future} steps, chain_length + prediction_length, with values to forecast; "
            f"the longest has {longest} steps: give longer ones, or train a model with a smaller chain_length"
        )
    of_series = np.repeat(np.arange(len(series)), counts)
    starts = np.array([one.start for one in series], dtype=np.int64)
    begun = np.concatenate(begins)
    times = starts[of_series] + begun + past
    # Windows of all series are sorted by time.
    order = np.argsort(times, kind="stable")
    views = WindowViews(values, of_series[order], begun[order], past, future, layout.channels)
    labels: Any = views.futures(len(layout.targets))
    return Windows(
        views,
        labels,
        layout.targets,
        times=times[order],
        layout=layout,
        whole=whole_series(series, layout, trained),
        of_series=of_series[order],
        schema=schema,
    )


def _usable(values: NDArray[Any], targets: int, past: int, future: int, stride: int) -> NDArray[np.int64]:
    """Return where windows begin that have a value of every target in the past, and of any target in the future."""
    begins = np.arange(0, len(values) - past - future + 1, stride, dtype=np.int64)
    observed = np.zeros((len(values) + 1, targets), dtype=np.int64)
    np.cumsum(~np.isnan(values[:, :targets]), axis=0, out=observed[1:])
    seen = (observed[begins + past] > observed[begins]).all(1)
    comes = (observed[begins + past + future] > observed[begins + past]).any(1)
    return begins[seen & comes]


def hold_out_last(windows: Windows, share: float) -> tuple[Windows, Windows]:
    """Hold out the windows of the last share of the time, and keep the windows whose futures end before it."""
    first, end = int(windows.times[0]), int(windows.times[-1]) + 1
    time = end - round(share * (end - first))
    kept, held_out = windows.before(time), windows.since(time)
    if not len(kept.labels) or not len(held_out.labels):
        raise RecipeError(
            f"cannot hold out the last {share:.0%} of {end - first} steps: choose another share"
        )
    return kept, held_out


def naive_forecasts(windows: Windows) -> dict[str, NDArray[np.floating[Any]]]:
    """Return forecasts that need no weights, by title, each an array [windows, future steps, targets].

    They are the last observed value, and if the season is known, the values of the last season.
    """
    steps, targets = windows.labels.shape[1:]
    season = windows.layout.season
    last: NDArray[Any] = np.empty(windows.labels.shape, windows.labels.dtype)
    seasonal = None if season is None or season < 2 else np.empty_like(last)
    for start in range(0, len(windows.inputs), _BATCH):
        part = slice(start, start + _BATCH)
        past = _filled(windows.inputs[part].pasts(targets))
        last[part] = past[:, -1:]
        if seasonal is not None:
            assert season is not None
            seasonal[part] = past[:, past.shape[1] - season + np.arange(steps) % season]
    found = {"naive: the last value": last}
    if seasonal is not None:
        found[f"seasonal naive: the value {season} steps before"] = seasonal
    return found


def _filled(past: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Replace missing values [windows, steps, targets] by the last value before them, or at the start by the first."""
    steps = np.arange(past.shape[1])[:, np.newaxis]
    observed = ~np.isnan(past)
    last = np.maximum.accumulate(np.where(observed, steps, -1), axis=1)
    place = np.where(last < 0, observed.argmax(1)[:, np.newaxis], last)
    return np.take_along_axis(past, place, axis=1)


def _length(model: Mapping[str, Any], name: str) -> int:
    if name not in model:
        raise RecipeError(f"model: forecasts need {name}, a whole number of at least 1")
    with said_of("model"):
        return check_whole_number(name, model[name], 1)
