"""Finds seasons: after how many steps series repeat."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MOST_SEASONS = 2
# The strength of a season is the share of the variance that it explains, of a series without the seasons found before.
# It must be at least this.
_LEAST_STRENGTH = 0.1
# The shortest season with this share of the largest strength is preferred, as its multiples explain as much.
_SHORTER_STRENGTH = 0.3
# A season must explain more than chance would, by this many standard deviations.
_BEYOND_CHANCE = 4
# A series must hold a season at least this many times.
_LEAST_CYCLES = 3
_LONGEST = 1500


def find_seasons(
    series: Sequence[NDArray[np.float64]], likely: Sequence[int] = (), most: int = MOST_SEASONS
) -> list[int]:
    """Return the strongest seasons of series.

    Candidates are the likely seasons, and the highest peaks of the autocorrelation. A candidate is a season if the
    means of its phases explain enough of the series, after the seasons found before are removed.

    Parameters
    ----------
    series : sequence of float64 arrays [length]
        Without missing values.
    likely : sequence of int
        Seasons that are usual for the time between two steps, such as 24 and 168 for hourly values.
    most : int
        The most seasons to return.

    Returns
    -------
    list of int
        Seasons in steps, ascending, each at least 2; empty if nothing repeats.
    """
    longest = max(series, key=len, default=np.empty(0))
    limit = min(len(longest) // _LEAST_CYCLES, _LONGEST)
    if limit < 2:
        return []
    found: list[int] = []
    parts = [_without_trend(one) for one in series if len(one) >= 2 * _LEAST_CYCLES]
    candidates = sorted({season for season in likely if 2 <= season <= limit} | set(_peaks(parts, limit)))
    while candidates and len(found) < most:
        strengths = {season: _strength(parts, season) for season in candidates}
        strengths = {season: value for season, value in strengths.items() if value >= _LEAST_STRENGTH}
        if not strengths:
            break
        # A multiple of a season explains at least as much, so that the shortest strong season is taken.
        best = max(strengths.values())
        season = next(one for one, value in strengths.items() if value >= _SHORTER_STRENGTH * best)
        # The neighbours of a smooth season explain almost as much as it does, such as 23 hours of a day's temperatures.
        near = (one for one in likely if season < one < 1.5 * season)
        season = max((season, *near), key=lambda one: strengths.get(one, 0))
        found.append(season)
        parts = [one - _profile(one, season) for one in parts]
        candidates = [one for one in candidates if one >= 2 * season or 2 * one <= season]
    return sorted(found)


def _without_trend(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a series less its straight-line trend, divided by the standard deviation."""
    steps = np.arange(len(values)) - (len(values) - 1) / 2
    centred = values - values.mean()
    rest = centred - steps * (steps @ centred) / max(steps @ steps, 1)
    deviation = rest.std()
    return rest / deviation if deviation > 0 else rest


def _peaks(parts: Sequence[NDArray[np.float64]], limit: int) -> list[int]:
    """Return the lags at the highest peaks of the autocorrelation, of the series' changes and of the series."""
    found: list[int] = []
    for order in (0, 1):
        total = np.zeros(limit + 2)
        weight = 0
        for one in parts:
            changes = np.diff(one, n=order)
            if len(changes) < 2 * _LEAST_CYCLES or not changes.any():
                continue
            size = 1 << (2 * len(changes) - 1).bit_length()
            spectrum = np.abs(np.fft.rfft(changes, size)) ** 2
            correlation = np.fft.irfft(spectrum)[: limit + 2]
            total[: len(correlation)] += correlation / max(correlation[0], 1e-300) * len(one)
            weight += len(one)
        if weight:
            inner = total[1:-1]
            is_peak = (inner > total[:-2]) & (inner >= total[2:]) & (inner > _LEAST_STRENGTH * weight)
            lags = np.flatnonzero(is_peak) + 1
            lags = lags[lags >= 2]
            found += lags[np.argsort(-total[lags], kind="stable")][:3].tolist()
    return found


def _strength(parts: Sequence[NDArray[np.float64]], season: int) -> float:
    """Return the share of the series' variance that the means of phases explain; 0 if chance may explain as much."""
    explained = total = 0.0
    steps = 0
    for one in parts:
        if len(one) < _LEAST_CYCLES * season:
            continue
        variance = float(one @ one)
        rest = one - _profile(one, season)
        freedom = len(one) - season
        explained += variance - float(rest @ rest) * len(one) / max(freedom, 1)
        total += variance
        steps += len(one)
    if not total > 0:
        return 0.0
    chance = (2 * season / max(steps - season, 1) / steps) ** 0.5
    strength = explained / total
    return strength if strength > _BEYOND_CHANCE * chance else 0.0


def _profile(values: NDArray[np.float64], season: int) -> NDArray[np.float64]:
    """Return a series with every value replaced by the mean of its phase."""
    phases = np.arange(len(values)) % season
    means = np.bincount(phases, values, season) / np.maximum(np.bincount(phases, minlength=season), 1)
    return means[phases]


__all__ = ["MOST_SEASONS", "find_seasons"]
