"""How wide bands are, rehearsed within training parts and on made-up processes: what the default was chosen by."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import mean
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from chainhead_plugin.estimators import ChainHeadForecaster
from chainhead_plugin.forecasts.metrics import forecast_scores

from ..tables import number, table
from .forecast_sets import LEVELS, SERIES, load_series

Array = NDArray[np.float64]
Rows = Sequence[Mapping[str, Any]]

# Parts of a training part after which its next fifth is forecast, and how long a process is before and after.
PARTS = (0.6, 0.7, 0.8)
_BEFORE, _AFTER, _HORIZON, _SEEDS = 200, 100, 6, 4
# Shares of the time of the rolling origins after which an error counts half; the default has one of them.
MEMORIES = ("1/12", "1/6", "1/3", "1/2", "1")
DEFAULT = "1/12"
_MOST_ORIGINS = 60


def _autoregression(rng: np.random.Generator, noise: Array, share: float = 0.8) -> Array:
    values = np.zeros(len(noise))
    for step in range(1, len(noise)):
        values[step] = share * values[step - 1] + noise[step]
    return values


def _seasonal(rng: np.random.Generator, noise: Array) -> Array:
    return 10 * np.sin(np.arange(len(noise)) * np.pi / 6) + 2 * noise


def _seasonal_walk(rng: np.random.Generator, noise: Array) -> Array:
    profile = 5 * rng.normal(size=12)
    return profile[np.arange(len(noise)) % 12] + np.cumsum(0.5 * rng.normal(size=len(noise))) + noise


def _wavering(rng: np.random.Generator, noise: Array) -> Array:
    return _autoregression(rng, noise * np.exp(0.7 * np.sin(np.arange(len(noise)) * 2 * np.pi / 97)), 0.6)


def _heavy_tailed(rng: np.random.Generator, noise: Array) -> Array:
    return _autoregression(rng, rng.standard_t(3, size=len(noise)), 0.5)


def _growing(rng: np.random.Generator, noise: Array) -> Array:
    steps = np.arange(len(noise))
    return (100 + steps) * (1 + 0.3 * np.sin(steps * np.pi / 6)) * np.exp(0.05 * noise)


PROCESSES: Mapping[str, Callable[[np.random.Generator, Array], Array]] = {
    "autoregression": _autoregression,
    "random walk": lambda rng, noise: np.cumsum(noise),
    "season and noise": _seasonal,
    "season and random walk": _seasonal_walk,
    "noise that wavers": _wavering,
    "heavy tails": _heavy_tailed,
    "growing season": _growing,
}


def rehearse(names: Sequence[str], done: Rows = ()) -> Iterator[dict[str, Any]]:
    """Yield a row for every part of every series and process: shares within the 80 % band.

    Parameters
    ----------
    names : sequence of str
        Of series.
    done : sequence of rows
        What need not be measured again. Rows without forecasts of a saved forecaster are measured again.
    """
    known = {(row["rehearsal"], row["part"]) for row in done if "given" in row}
    for name in names:
        series = load_series(name)
        training = series.values[: series.test_start]
        for part in PARTS:
            if (name, part) in known:
                continue
            begin = int(part * len(training))
            end = min(len(training), begin + len(training) // 5)
            yield {"rehearsal": name, "part": part} | _shares(training[:end], begin, series.horizon)
    for name, process in PROCESSES.items():
        for seed in range(_SEEDS):
            if (name, seed) in known:
                continue
            rng = np.random.default_rng(seed)
            values = process(rng, rng.normal(size=_BEFORE + _AFTER))
            yield {"rehearsal": name, "part": seed} | _shares(values, _BEFORE, _HORIZON)


def _shares(values: Array, begin: int, horizon: int) -> dict[str, Any]:
    """Return shares within bands: as they were fitted, updated with each memory, and from a past that is given.

    With them the weighted quantile loss of the bands as fitted, updated as they are by default, and given, and the
    largest difference between the last two, in units of the largest value.
    """
    last = len(values) - horizon
    stride = max(1, (last - begin) // _MOST_ORIGINS)
    origins = range(begin, last + 1, stride)
    futures = np.stack([values[origin : origin + horizon] for origin in origins])
    times = pd.Index(np.arange(len(values), dtype=float), name="time")
    series = pd.DataFrame({"value": values}, times)
    fitted = ChainHeadForecaster(quantiles=LEVELS).fit(series.iloc[:begin], horizon=horizon)
    frozen = fitted.forecast_from([values[:origin, np.newaxis] for origin in origins])[:, :, 0]
    record = fitted.record_
    updated = {}
    for memory in MEMORIES:
        share, _, parts = memory.partition("/")
        steps = max(int(share) / int(parts or 1) * begin / 2, horizon)
        updated[memory] = _with_updates(fitted, replace(record, memory=steps), values, origins)
    given = _from_given_pasts(fitted, series, origins)
    compared = {
        "frozen": frozen,
        "updated": _with_updates(fitted, record, values, origins),
        "given": given,
    }
    return {
        "frozen": _coverage(frozen, futures),
        "updated": {memory: _coverage(quantiles, futures) for memory, quantiles in updated.items()},
        "given": _coverage(given, futures),
        "difference": float(np.abs(given - compared["updated"]).max() / np.abs(futures).max()),
        "wql": {
            name: forecast_scores(quantiles, futures, LEVELS)["wql"] for name, quantiles in compared.items()
        },
    }


def _from_given_pasts(fitted: ChainHeadForecaster, series: pd.DataFrame, origins: range) -> Array:
    """Return the quantiles [origins, steps, levels] of the saved forecaster, from the past before each origin."""
    with tempfile.TemporaryDirectory() as folder:
        fitted.save_pretrained(folder)
        saved = ChainHeadForecaster.from_pretrained(folder)
    return np.stack([saved.predict_quantiles(y=series.iloc[:origin]).to_numpy() for origin in origins])


def _with_updates(fitted: ChainHeadForecaster, record: Any, values: Array, origins: range) -> Array:
    """Return the quantiles [origins, steps, levels] with the band of all errors before each origin."""
    horizon = fitted.horizon_
    every = range(origins[0], origins[-1] + 1)
    medians = fitted.forecast_from([values[:origin, np.newaxis] for origin in every])[
        :, :, 0, LEVELS.index(0.5)
    ]
    (scale,) = fitted.model_.config.fixed_scale
    errors = (np.stack([values[origin : origin + horizon] for origin in every]) - medians) / scale
    found = []
    for origin in origins:
        count = origin - origins[0]
        known = record
        if count:
            seen = np.arange(origins[0], origin)[:, np.newaxis] + np.arange(horizon) < origin
            known = record.followed_by(np.where(seen, errors[:count], np.nan), np.arange(origins[0], origin))
        found.append(medians[count][:, np.newaxis] + scale * known.band(origin, LEVELS))
    return np.stack(found)


def _coverage(quantiles: Array, futures: Array) -> float:
    return forecast_scores(quantiles, futures, LEVELS)["coverage"]


def render_rehearsal(rows: Rows) -> str:
    """Return what was rehearsed as Markdown: shares, and the memory that each series' others would have chosen."""
    rows = [row for row in rows if "rehearsal" in row]
    names = list(dict.fromkeys(row["rehearsal"] for row in rows))
    body = []
    for name in names:
        own = [row for row in rows if row["rehearsal"] == name]
        frozen, updated = ([100 * of(row) for row in own] for of in (_frozen, _default))
        cells = [", ".join(f"{value:.0f}" for value in values) for values in (frozen, updated)]
        body.append([name, *cells, f"{mean(updated):.0f}"])
    off = {
        title: mean(100 * abs(of(row) - 0.8) for row in rows)
        for title, of in (("as fitted", _frozen), ("updated", _default))
    }
    text = (
        "Shares of values within the 80 % band, in %, as the choices about bands were made: the fifth of a training "
        f"part that comes after {', '.join(f'{part:.0%}' for part in PARTS)} of it, and processes of {_BEFORE} steps "
        f"with {_SEEDS} seeds. From 80 the shares are off by {off['as fitted']:.1f} points with bands as they were "
        f"fitted, and by {off['updated']:.1f} with bands that `update` keeps.{_of_given_pasts(rows)}\n\n"
        + table(["", "as fitted", "updated", "mean"], body)
    )
    series = [name for name in names if name in SERIES]
    if len(series) < 2:
        return text
    return text + "\n\n" + _left_out(rows, series)


def _of_given_pasts(rows: Rows) -> str:
    off = mean(100 * abs(row["given"] - 0.8) for row in rows)
    changes = [100 * (row["wql"]["given"] / row["wql"]["frozen"] - 1) for row in rows]
    on_average, worse = mean(changes), sum(change > 0 for change in changes)
    furthest = max(row["difference"] for row in rows)
    return (
        f" A forecaster that was saved as fitted and is given the past before each origin is off by {off:.1f} points: "
        f"its quantiles are those of `update`, to {furthest:.0e} of the largest value. Beside bands as they were "
        f"fitted, its weighted quantile loss is {abs(on_average):.1f} % {'lower' if on_average < 0 else 'higher'} on "
        f"average over the {len(rows)} rehearsals, from {-min(changes):.0f} % lower to {max(changes):.0f} % higher, "
        f"and higher in {worse} of them."
    )


def _left_out(rows: Rows, series: Sequence[str]) -> str:
    def off(name: str, memory: str) -> float:
        return mean(abs(row["updated"][memory] - 0.8) for row in rows if row["rehearsal"] == name)

    body = []
    for name in series:
        others = [other for other in series if other != name]
        choice = min(MEMORIES, key=lambda memory: mean(off(other, memory) for other in others))
        body.append([name, choice, number(100 * off(name, choice)), number(100 * off(name, DEFAULT))])
    return (
        "After how long an error counts half, as a share of the time of the rolling origins, was chosen by these "
        f"rehearsals: the default has {DEFAULT}. Chosen on all other series alone, and by how many points the shares "
        "of the series that was left out are then off:\n\n"
        + table(["left out", "chosen by the others", "off with that", "off with the default"], body)
    )


def _frozen(row: Mapping[str, Any]) -> float:
    return float(row["frozen"])


def _default(row: Mapping[str, Any]) -> float:
    return float(row["updated"][DEFAULT])
