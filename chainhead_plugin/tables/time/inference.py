"""Infer the step that the times of all series share."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .steps import Step, are_month_ends

_DAY = 86400 * 10**9
# Times that are looked at together.
_BLOCK = 1 << 16


def infer_step(series: Sequence[NDArray[Any]], local: Sequence[NDArray[Any]]) -> Step | None:
    """Infer the step that all series share.

    Parameters
    ----------
    series : sequence of arrays [L_i] of datetime64[ns] or float64
        Ascending instants.
    local : sequence of arrays
        The local times of these instants.

    Returns
    -------
    Step or None
        None if times are unevenly spaced, or no series has two of them. Rows may be missing, but at least half of all
        distances have to be a single step.
    """
    if series[0].dtype.kind == "f":
        return _numeric_step(np.concatenate([np.diff(times) for times in series]))
    distances = _distances(series)
    if not distances:
        return None
    is_plain = all(times is wall for times, wall in zip(series, local, strict=True))
    walls = distances if is_plain else _distances(local)
    fixed, on_the_wall = _fixed_step(distances), _fixed_step(walls)
    if fixed is not None and len(distances) == 1 and fixed < 28 * _DAY:
        return Step(fixed, "ns")
    by_month = _month_step(local)
    # July, August and September begin 31 days apart, but their step is a month: long steps are months if they fit.
    for step, apart, is_local in ((fixed, distances, False), (on_the_wall, walls, True)):
        if step is not None and len(apart) == 1 and (step < 28 * _DAY or by_month is None):
            return Step(step, "ns", is_local)
    if by_month is not None:
        return by_month
    if _are_business_days(local, walls):
        return Step(1, "business day", is_local=walls != distances)
    if fixed is not None:
        return Step(fixed, "ns")
    if on_the_wall is not None and on_the_wall % _DAY == 0:
        return Step(on_the_wall, "ns", is_local=True)
    return None


def _distances(series: Sequence[NDArray[Any]]) -> Counter[int]:
    """Return how often each distance between neighbouring times occurs, in little memory if there are few distances."""
    found: Counter[int] = Counter()
    for times in series:
        for begin in range(0, len(times) - 1, _BLOCK):
            distances = np.diff(times[begin : begin + _BLOCK + 1]).astype(np.int64)
            values, counts = np.unique(distances, return_counts=True)
            found.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))
    return found


def _fixed_step(distances: Counter[int]) -> int | None:
    """Return the most common distance, if all other distances are multiples of it and it is half of all or more."""
    ahead = {distance: count for distance, count in sorted(distances.items()) if distance > 0}
    if not ahead:
        return None
    common = max(ahead, key=lambda distance: ahead[distance])
    if any(distance % common for distance in ahead) or ahead[common] * 2 < sum(ahead.values()):
        return None
    return common


def _numeric_step(distances: NDArray[np.float64]) -> Step | None:
    distances = distances[distances > 0]
    if not len(distances):
        return None
    # Decimal fractions are no exact floats: 0.3 − 0.2 is not 0.1.
    common, times = Counter(float(f"{distance:.9g}") for distance in distances).most_common(1)[0]
    ratio = distances / common
    if times * 2 < len(distances) or (np.abs(ratio - np.round(ratio)) > 1e-3).any():
        return None
    return Step(common, "number")


def _month_step(series: Sequence[NDArray[Any]]) -> Step | None:
    months = [times.astype("datetime64[M]").astype(np.int64) for times in series]
    distances = np.concatenate([np.diff(values) for values in months])
    if not len(distances) or (distances < 1).any():
        return None
    common = _fixed_step(Counter(distances.tolist()))
    if common is None:
        return None
    joined = np.concatenate(series)
    at_end = bool(are_month_ends(joined.astype("datetime64[D]")).all())
    step = Step(common, "month", at_month_end=at_end)
    return step if all(not np.isnan(step.positions(times)).any() for times in series) else None


def _are_business_days(series: Sequence[NDArray[Any]], walls: Counter[int]) -> bool:
    """Whether all days are from Monday to Friday, most follow each other, and two weekends or more lie between them."""
    joined = np.concatenate(series)
    days = joined.astype("datetime64[D]")
    if not np.is_busday(days).all() or len({*(joined - days).astype(np.int64).tolist()}) > 1:
        return False
    return walls[3 * _DAY] >= 2 and walls[_DAY] * 2 > walls.total()
