"""Time calls against each other: in turns, in a new order every round, so that a slow moment hits them all."""

import math
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

Clock = Callable[[], float]
Quartiles = tuple[float, float, float]
Key = TypeVar("Key")

# Calls that are slower than this take part in the first rounds alone, to keep a run short.
SLOW_SECONDS = 0.25
SLOW_ROUNDS = 3
# A single call of this length is warm-up enough.
_WARM_SECONDS = 0.05


def calibrate(
    call: Callable[[], object],
    least_seconds: float,
    clock: Clock = time.perf_counter,
    synchronise: Callable[[], object] = lambda: None,
) -> tuple[float, int]:
    """Warm a call up, and find how often it must be repeated to take `least_seconds`.

    Returns
    -------
    seconds : float
        Seconds of a warm call.
    repeats : int
        At least 1.
    """
    seconds = math.inf
    for _ in range(3):
        synchronise()
        start = clock()
        call()
        synchronise()
        seconds = min(seconds, clock() - start)
        if seconds > _WARM_SECONDS:
            break
    return seconds, max(1, min(2000, math.ceil(least_seconds / max(seconds, 1e-9))))


def interleave(
    calls: Mapping[Key, Callable[[], object]],
    rounds: int,
    order: random.Random,
    *,
    least_seconds: float = 0.002,
    clock: Clock = time.perf_counter,
    synchronise: Callable[[], object] = lambda: None,
    on_round: Callable[[], object] = lambda: None,
) -> tuple[dict[Key, list[float | None]], dict[Key, str]]:
    """Time every call once a round, in random order.

    Parameters
    ----------
    calls : mapping of names, or any keys, to functions without arguments
    rounds : int
    order : random.Random
        Where each round's order comes from.
    least_seconds : float
        Shorter calls are repeated until they take this long together.
    clock, synchronise : callable
        The clock, and a function that waits until all work is done.
    on_round : callable
        Called after the warm-up and after every round.

    Returns
    -------
    seconds : dict of name to list
        An entry for each round: seconds of a call, or None in a round that a slow call sat out.
    failures : dict of name to str
        The exceptions of calls that failed when they were warmed up.
    """
    repeats: dict[Key, int] = {}
    slow: set[Key] = set()
    failures: dict[Key, str] = {}
    for name, call in calls.items():
        try:
            seconds, repeats[name] = calibrate(call, least_seconds, clock, synchronise)
        except Exception as error:  # a contestant's failure is a line of the table, not the end of the run
            failures[name] = f"{type(error).__name__}: {error}".partition("\n")[0][:200]
            continue
        if seconds > SLOW_SECONDS:
            slow.add(name)
    on_round()
    samples: dict[Key, list[float | None]] = {name: [] for name in repeats}
    for turn in range(rounds):
        names = list(samples)
        order.shuffle(names)
        for name in names:
            if turn >= SLOW_ROUNDS and name in slow:
                samples[name].append(None)
                continue
            call, times = calls[name], repeats[name]
            synchronise()
            start = clock()
            for _ in range(times):
                call()
            synchronise()
            samples[name].append((clock() - start) / times)
        on_round()
    return samples, failures


def quartiles(values: Sequence[float | None]) -> Quartiles:
    """Lower quartile, median and upper quartile of the values that are there."""
    present = [value for value in values if value is not None]
    if len(present) == 1:
        return present[0], present[0], present[0]
    low, middle, high = statistics.quantiles(present, n=4, method="inclusive")
    return low, middle, high


def ratios(values: Sequence[float | None], floor: Sequence[float | None]) -> list[float]:
    """Quotients of the times of two calls in the same round."""
    return [
        value / base
        for value, base in zip(values, floor, strict=True)
        if value is not None and base is not None
    ]
