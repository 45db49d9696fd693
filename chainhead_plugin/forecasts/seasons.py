"""After how many steps series repeat themselves."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MOST_SEASONS = 2
# A season explains at least this share of what is left after the shorter ones.
_LEAST_STRENGTH = 0.1
# A shorter season with this share of the strength goes before a longer one, which may hold it.
_SHORTER_STRENGTH = 0.3
# Deviations of what chance explains, by which a season has to stand out.
_BEYOND_CHANCE = 4
# What is seen of a season, at least.
_LEAST_CYCLES = 3
_LONGEST = 1500


def find_seasons(
    series: Sequence[NDArray[np.float64]], likely: Sequence[int] = (), most: int = MOST_SEASONS
) -> list[int]:
    """Return the seasons of series, the strongest ones, ascending.

    A season is where the autocorrelation of the series without its slow movement peaks, and where means over its
    phases explain a part of the series that seasons so far leave.

    Parameters
    ----------
    series : sequence of float64 arrays [length]
        Without missing values.
    likely : sequence of int
        Seasons that time suggests, such as 24 and 168 for hours; only these are looked at then, but for the peak.
    most : int
        How many to return at most.

    Returns
    -------
    list of int
        Each at least 2; empty where nothing repeats.
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
        # Multiples of a season explain as much as it does, or more with a season of their own.
        best = max(strengths.values())
        season = next(one for one, value in strengths.items() if value >= _SHORTER_STRENGTH * best)
        found.append(season)
        parts = [one - _profile(one, season) for one in parts]
        candidates = [one for one in candidates if one >= 2 * season or 2 * one <= season]
    return sorted(found)


def _without_trend(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a series less the line through it, in units of its deviation."""
    steps = np.arange(len(values)) - (len(values) - 1) / 2
    centred = values - values.mean()
    rest = centred - steps * (steps @ centred) / max(steps @ steps, 1)
    deviation = rest.std()
    return rest / deviation if deviation > 0 else rest


def _peaks(parts: Sequence[NDArray[np.float64]], limit: int) -> list[int]:
    """Return the highest peaks of the autocorrelation of the series' changes and of the series."""
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
    """Return the share of the series' variance that means over phases explain; 0 where chance may explain as much."""
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
    """Return the mean of each phase, in the place of every value."""
    phases = np.arange(len(values)) % season
    means = np.bincount(phases, values, season) / np.maximum(np.bincount(phases, minlength=season), 1)
    return means[phases]


__all__ = ["MOST_SEASONS", "find_seasons"]
