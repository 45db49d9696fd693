"""Long series cut into windows of a past and a future, and the parts of their time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...checks.values import check_whole_number
from ...forecasts.whole_series import Layout, Series, WholeSeries, whole_series
from ...inputs.standardising import as_exact_as_needed
from ...tables.schema import Schema
from ..errors import RecipeError, said_of
from ..recipe import Recipe
from .examples import Data, Examples


@dataclass(frozen=True)
class Windows(Examples):
    """Windows of series as examples.

    An input [past + future steps, channels + covariates] is what the forecasting pipeline takes: in the future's
    rows the channels are NaN. Its label [future steps, targets] is what the targets then were. `names` are the
    targets'.

    Attributes
    ----------
    times : array of int64
        For each window the step at which its future begins.
    layout : Layout
    whole : WholeSeries
        What the windows are cut of.
    of_series : array of int64
        For each window the place of its series in `whole`.
    """

    times: NDArray[np.int64]
    layout: Layout
    whole: WholeSeries
    of_series: NDArray[np.int64]

    def take(self, indices: NDArray[np.intp]) -> "Windows":
        """Select windows by index."""
        return replace(
            self,
            inputs=[self.inputs[index] for index in indices],
            labels=self.labels[indices],
            times=self.times[indices],
            of_series=self.of_series[indices],
        )

    @property
    def scales(self) -> NDArray[np.float64]:
        """How large the naive forecast's errors are in training, for each window's targets [windows, 1, targets]."""
        return self.whole.scales[self.of_series][:, np.newaxis]

    def constant_columns(self) -> list[int]:
        """Return the columns, by index, that do not vary over all windows, what is missing left out."""
        lowest = np.fmin.reduce([np.fmin.reduce(window) for window in self.inputs])
        highest = np.fmax.reduce([np.fmax.reduce(window) for window in self.inputs])
        return np.flatnonzero(~(lowest < highest)).tolist()

    def constant_indicators(self) -> list[int]:
        """Return the channels, by index, that are never missing in a window's past, or always."""
        steps, channels = self.labels.shape[1], self.layout.channels
        missing = np.concatenate([np.isnan(window[:-steps, :channels]) for window in self.inputs])
        return np.flatnonzero(missing.all(0) | ~missing.any(0)).tolist()

    def of_target(self, place: int) -> "Windows":
        """Return the same windows with one target to be compared with; their inputs stay as they are."""
        scales = self.whole.scales[:, place : place + 1]
        labels = self.labels[..., place : place + 1]
        return replace(self, labels=labels, whole=replace(self.whole, scales=scales))

    def before(self, time: int) -> "Windows":
        """Return the windows whose future ends before a step."""
        return self.take(np.flatnonzero(self.times + self.labels.shape[1] <= time))

    def since(self, time: int) -> "Windows":
        """Return the windows whose future begins at a step or later."""
        return self.take(np.flatnonzero(self.times >= time))


def windows_of(examples: Examples) -> Windows:
    """Return examples of a recipe that forecasts as what they are."""
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
    """Cut series into windows; those of the test part forecast nothing before `test_start`.

    A window's past is `model: chain_length` steps, its future `model: prediction_length`. A window begins at every
    step. The past of the test's first windows lies in the training part, as it does when a model is used. `schema`
    tells what the columns were called, where they come from a table; `said` what was read.

    Raises
    ------
    RecipeError
        If the lengths are missing or leave no windows.
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
    """Cut series into windows of `past` and `future` steps, one every `stride` steps, ordered by time.

    `trained` is how many of each series' first steps tell how large a naive forecast's errors are.

    Raises
    ------
    RecipeError
        If there is none.
    """
    inputs, labels, times, of_series = [], [], [], []
    for number, one in enumerate(series):
        values = as_exact_as_needed(one.values)
        for begin in range(0, len(values) - past - future + 1, stride):
            window = values[begin : begin + past + future].copy()
            target = window[past:, : len(layout.targets)].copy()
            seen = ~np.isnan(window[:past, : len(layout.targets)]).all(0)
            if np.isnan(target).all() or not seen.all():
                continue  # nothing to compare with, or to forecast from
            window[past:, : layout.channels] = np.nan
            inputs.append(window)
            labels.append(target)
            times.append(one.start + begin + past)
            of_series.append(number)
    if not inputs:
        longest = max(map(len, (one.values for one in series)))
        raise RecipeError(
            f"data: no series has {past + future} steps, chain_length + prediction_length, with values to forecast; "
            f"the longest has {longest} steps: give longer ones, or lower chain_length"
        )
    # The time of all windows; of several series those of one time stand together.
    order = np.argsort(times, kind="stable")
    return Windows(
        inputs,
        np.stack(labels),
        layout.targets,
        np.asarray(times, dtype=np.int64),
        layout,
        whole_series(series, layout, trained),
        np.asarray(of_series, dtype=np.int64),
        schema=schema,
    ).take(order)


def hold_out_last(windows: Windows, share: float) -> tuple[Windows, Windows]:
    """Hold out the windows of the last share of the time; none that is kept forecasts any of it."""
    first, end = int(windows.times[0]), int(windows.times[-1]) + 1
    time = end - round(share * (end - first))
    kept, held_out = windows.before(time), windows.since(time)
    if not len(kept.labels) or not len(held_out.labels):
        raise RecipeError(
            f"cannot hold out the last {share:.0%} of {end - first} steps: choose another share"
        )
    return kept, held_out


def naive_forecasts(windows: Windows) -> dict[str, NDArray[np.floating[Any]]]:
    """Return forecasts that take no weights, by name, each [windows, future steps, targets].

    The last observed value again, and where a season is known the last season's values.
    """
    steps = windows.labels.shape[1]
    past = np.stack([window[:-steps, : len(windows.names)] for window in windows.inputs])
    found = {"naive: the last value": np.repeat(_filled(past)[:, -1:], steps, axis=1)}
    season = windows.layout.season
    if season is not None and season > 1:
        place = past.shape[1] - season + np.arange(steps) % season
        found[f"seasonal naive: the value {season} steps before"] = _filled(past)[:, place]
    return found


def _filled(past: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Put the value before, or at the start the one after, in the place of missing ones [windows, steps, targets]."""
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
