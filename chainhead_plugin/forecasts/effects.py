"""Effects of covariates, which are known for the future too, such as holidays and prices.

An effect is proportional to the covariate, and on the same step only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .choosing import Mixture, choose
from .classical import smoothing
from .origins import Fold, Sample, sample_of

Array = NDArray[np.float64]

# Shares of the exponential smoothing whose one-step errors the effects explain, and the steps that it looks back.
_LEVEL, _SEASONAL, _LONGEST_PAST, _SHORTEST_PAST = 0.3, 0.1, 768, 24
# Strength of the penalty on squared effects, for each step, of covariates scaled to a standard deviation of 1.
_PENALTY = 0.01


@dataclass(frozen=True)
class Covariates:
    """The covariates of series.

    Attributes
    ----------
    names : tuple of str
        Names of the covariates.
    values : tuple of float64 arrays [length, covariates]
        One array for each series, with a row for each of its steps.
    means, deviations : float64 arrays [covariates]
        Means and standard deviations over all series; a deviation of 0 marks a covariate that does not vary.
    """

    names: tuple[str, ...]
    values: tuple[Array, ...]
    means: Array
    deviations: Array

    @property
    def constant(self) -> list[int]:
        """Indices of the covariates that do not vary, and so have no effect that could be learnt."""
        return np.flatnonzero(self.deviations == 0).tolist()

    def scaled(self, number: int, length: int) -> Array:
        """Return the last `length` steps of a series' covariates [length, covariates], standardised; 0 if constant."""
        divisors = np.where(self.deviations > 0, self.deviations, 1)
        rest = (self.values[number] - self.means) / divisors
        found: Array = np.where(self.deviations > 0, rest, 0)[len(rest) - length :]
        return found


def covariates_of(tables: Sequence[Array], known: Sequence[Array], names: Sequence[str]) -> Covariates:
    """Return covariates, checked against the series that they belong to.

    Parameters
    ----------
    tables : sequence of float64 arrays [length, targets]
        The series.
    known : sequence of float64 arrays [length or more, covariates]
        The covariates of each series. Rows after a series' end are left out.
    names : sequence of str
        Names of the covariates.

    Returns
    -------
    Covariates

    Raises
    ------
    ValueError
        If there are fewer rows than steps, or a covariate is missing or infinite.
    """
    parts = []
    for number, (table, values) in enumerate(zip(tables, known, strict=True)):
        if values.ndim != 2 or values.shape[1] != len(names) or len(values) < len(table):
            raise ValueError(
                f"series {number} has {len(table)} steps, but its covariates have shape {list(values.shape)}: expected "
                f"a row for each step, and {len(names)} columns"
            )
        part = np.asarray(values[: len(table)], np.float64)
        bad = np.argwhere(~np.isfinite(part))
        if len(bad):
            row, column = (int(place) for place in bad[0])
            raise ValueError(
                f"series {number}: {names[column]} is {part[row, column]} in step {row}, but a covariate has to be "
                "known for every step"
            )
        parts.append(part)
    together = np.concatenate(parts)
    varies = together.max(0) > together.min(0)
    return Covariates(tuple(names), tuple(parts), together.mean(0), np.where(varies, together.std(0), 0.0))


def effects_of(samples: Sequence[Sample], inputs: Sequence[Array], seasons: Sequence[int], end: int) -> Array:
    """Return the effects of covariates on series, learnt from the time before step `end`.

    The same exponential smoothing runs over the series and over the covariates, and only its one-step errors are kept.
    This removes a moving level and moving seasons from both, and leaves errors that are nearly independent of each
    other. The effects are a ridge regression of the series' errors on the covariates' errors.

    Parameters
    ----------
    samples : sequence of Sample
        Series scaled to a standard deviation of about 1.
    inputs : sequence of float64 arrays [length, covariates]
        The standardised covariates of each series, a row for each step.
    seasons : sequence of int
        Seasons in steps.
    end : int
        The step before which to learn, counted from the first time of all series.

    Returns
    -------
    float64 array [covariates]
        The change of the scaled series for one standard deviation of each covariate.
    """
    lengths = [max(0, min(len(one.values), len(one.values) - one.end + end)) for one in samples]
    longest = max(lengths, default=0)
    kept = [season for season in seasons if 2 * season <= min(longest // 2, _LONGEST_PAST)]
    past = max([2 * season for season in kept] or [min(_SHORTEST_PAST, max(longest // 3, 1))])
    filter_ = np.r_[1.0, -smoothing(past, 1, kept, _LEVEL, _SEASONAL)[::-1, 0]]

    width = inputs[0].shape[1]
    gram, products, rows = np.zeros((width, width)), np.zeros(width), 0
    for sample, values, length in zip(samples, inputs, lengths, strict=True):
        if length <= past:
            continue
        observed = ~np.isnan(sample.values[past:length])
        left = np.convolve(sample.filled[:length], filter_, "valid")[observed]
        given = [np.convolve(column, filter_, "valid")[observed] for column in values[:length].T]
        design = np.stack(given, 1)
        gram += design.T @ design
        products += design.T @ left
        rows += len(left)
    if not rows:
        return np.zeros(width)
    return np.asarray(np.linalg.solve(gram + _PENALTY * rows * np.eye(width), products), np.float64)


def _without_effects(
    samples: Sequence[Sample], inputs: Sequence[Array], effects: Sequence[Array]
) -> list[Sample]:
    """Return series with the effects [covariates] of their covariates subtracted."""
    return [
        sample_of(sample.values - values @ effect, sample.end)
        for sample, values, effect in zip(samples, inputs, effects, strict=True)
    ]


def with_effects(
    samples: Sequence[Sample],
    owners: Sequence[tuple[int, int]],
    covariates: Covariates,
    targets: int,
    folds: Sequence[Fold],
    without: Mixture,
    seasons: Sequence[int],
    has_level: bool,
) -> tuple[Array, Mixture]:
    """Return the effects of covariates [covariates, targets], and the map for series without these effects.

    If forecasts at the rolling origins are no better with effects, they are all 0, and the map is `without`, which was
    chosen without covariates. For this comparison effects are learnt from the time before all folds.

    Parameters
    ----------
    samples : sequence of Sample
        Every target of every series, scaled to a standard deviation of about 1.
    owners : sequence of pairs of int
        For each sample the index of its series and of its target.
    covariates : Covariates
    targets : int
        Number of targets.
    folds : sequence of Fold
    without : Mixture
        The map that was chosen without covariates.
    seasons : sequence of int
        Seasons in steps.
    has_level : bool
        Whether maps may return to the level 0 of the series.

    Returns
    -------
    effects : float64 array [covariates, targets]
        The change of the scaled series for each unit of a covariate.
    map : Mixture
    """
    horizon = without.future.shape[1]
    inputs = [
        covariates.scaled(table, len(sample.values))
        for (table, _), sample in zip(owners, samples, strict=True)
    ]

    def effects_before(end: int) -> list[Array]:
        found = []
        for target in range(targets):
            own = [place for place, (_, other) in enumerate(owners) if other == target]
            parts = [samples[place] for place in own], [inputs[place] for place in own]
            found.append(effects_of(*parts, seasons, end) if own else np.zeros(len(covariates.names)))
        return found

    def rest(effects: Sequence[Array]) -> list[Sample]:
        return _without_effects(samples, inputs, [effects[target] for _, target in owners])

    effects = effects_before(folds[-1].end)
    found = choose(
        rest(effects_before(folds[0].begin)), folds, horizon, seasons, level=has_level, final=rest(effects)
    )
    if found.error_of(found.forecast) >= without.error_of(without.forecast):
        return np.zeros((len(covariates.names), targets)), without
    divisors = np.where(covariates.deviations > 0, covariates.deviations, np.inf)
    return np.stack(effects, 1) / divisors[:, np.newaxis], found


__all__ = ["Covariates", "covariates_of", "effects_of", "with_effects"]
