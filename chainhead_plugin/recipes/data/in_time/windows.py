"""Long series cut into windows of a past and a future, and the parts of their time."""

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

# Windows that are copied at a time.
_BATCH = 2048


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

    inputs: WindowViews
    times: NDArray[np.int64]
    layout: Layout
    whole: WholeSeries
    of_series: NDArray[np.int64]

    @property
    def is_made_on_demand(self) -> bool:
        """Windows are."""
        return True

    def take(self, indices: NDArray[np.intp]) -> "Windows":
        """Select windows by index; of windows that follow each other nothing is copied."""
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
        """How large the naive forecast's errors are in training, for each window's targets [windows, 1, targets]."""
        return self.whole.scales[self.of_series][:, np.newaxis]

    def constant_columns(self) -> list[int]:
        """Return the columns, by index, that do not vary over all windows, what is missing left out."""
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
        """Return the channels, by index, that are never missing in a window's past, or always."""
        views, channels = self.inputs, self.layout.channels
        missing = np.concatenate(
            [
                np.isnan(values[past, :channels])
                for values, past in zip(views.series, views.seen_in_pasts(), strict=True)
            ]
        )
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
    values = tuple(as_exact_as_needed(one.values) for one in series)
    begins = [_usable(one, len(layout.targets), past, future, stride) for one in values]
    counts = [len(found) for found in begins]
    if not sum(counts):
        longest = max(map(len, values))
        raise RecipeError(
            f"data: no series has {past + future} steps, chain_length + prediction_length, with values to forecast; "
            f"the longest has {longest} steps: give longer ones, or lower chain_length"
        )
    of_series = np.repeat(np.arange(len(series)), counts)
    starts = np.array([one.start for one in series], dtype=np.int64)
    begun = np.concatenate(begins)
    times = starts[of_series] + begun + past
    # The time of all windows; of several series those of one time stand together.
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
    """Return where windows begin that have a value to compare with, and one of every target to forecast from."""
    begins = np.arange(0, len(values) - past - future + 1, stride, dtype=np.int64)
    observed = np.zeros((len(values) + 1, targets), dtype=np.int64)
    np.cumsum(~np.isnan(values[:, :targets]), axis=0, out=observed[1:])
    seen = (observed[begins + past] > observed[begins]).all(1)
    comes = (observed[begins + past + future] > observed[begins + past]).any(1)
    return begins[seen & comes]


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
