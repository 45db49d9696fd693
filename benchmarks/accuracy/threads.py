"""Time on the clock of the default classifier and of MiniRocket, with one thread and with two."""

import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numba
import numpy as np
import torch
from threadpoolctl import threadpool_limits

from ..tables import number, table
from .contestants import BASE, CONTESTANTS, as_taken
from .measuring import few_of
from .sets import Split, load_split

OURS = "ChainHeadClassifier"
THREADS = (1, 2)
# Made sets, which are larger than those that ship: the number of training series, as many test series, and the length.
LARGE = {"made, 1,000 × 100": (1000, 100), "made, 2,000 × 100": (2000, 100)}
# Turns of a set: all contestants, once after the other.
_TURNS = 7


def measure_threads(
    sets: Mapping[str, Path], done: Sequence[Mapping[str, Any]] = ()
) -> Iterator[dict[str, Any]]:
    """Yield a row for every set, and for every set that is made.

    Parameters
    ----------
    sets : mapping
        Folders by name.
    done : sequence of rows
        Rows that need not be measured again.

    Yields
    ------
    dict
        "threads of" is the set, "seconds" a list by contestant and number of threads, such as "MiniRocket, 2": seconds
        on the clock of fit and predict, a number a turn.
    """
    known = {row["threads of"] for row in done}
    for name in [*sets, *LARGE]:
        if name in known:
            continue
        split = load_split(name, sets[name]) if name in sets else _made(name, *LARGE[name])
        pairs = [(model, threads) for model in (OURS, BASE) for threads in THREADS]
        for model, threads in pairs:
            _seconds(model, threads, few_of(split))  # compiles what is compiled at the first call
        seconds: dict[str, list[float]] = {f"{model}, {threads}": [] for model, threads in pairs}
        for turn in range(_TURNS):
            # Each turn begins with another contestant.
            for model, threads in pairs[turn % len(pairs) :] + pairs[: turn % len(pairs)]:
                seconds[f"{model}, {threads}"].append(_seconds(model, threads, split))
        yield {"threads of": name, "seconds": seconds}


def render_threads(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a section of the report: seconds, and ratios of the times of a turn, each the median of all turns."""
    ratios = ((1, 1), (2, 2), (2, 1))
    head = ["", *(f"{model}, {threads}" for model in (OURS, BASE) for threads in THREADS)]
    head += [f"ratio {ours} : {base}" for ours, base in ratios]
    body, found = [], []
    for row in rows:
        seconds = row["seconds"]
        found.append(
            [
                median(np.divide(seconds[f"{OURS}, {ours}"], seconds[f"{BASE}, {base}"]))
                for ours, base in ratios
            ]
        )
        cells = [median(seconds[name]) for name in head[1:5]] + found[-1]
        body.append([row["threads of"], *map(number, cells)])
    machines = [row["machine"] for row in rows if "machine" in row]
    versions = sorted({f"chainhead {each['chainhead']}, {each['date']}" for each in machines})
    body.append(["median", *[""] * 4, *map(number, np.median(found, axis=0))])
    return (
        "## Time with two threads\n\nSeconds on the clock of fit and predict together, by the number of threads, and "
        "the time of `ChainHeadClassifier` in units of MiniRocket's; the numbers of a ratio are the threads of both. "
        f"Medians of {_TURNS} turns, in each of which all four run once after the other. The made sets are noisy sines "
        "of five frequencies, as many to test as to train."
        + "".join(f" Measured with {version}." for version in versions)
        + "\n\n"
        + table(head, body)
    )


def _seconds(model: str, threads: int, split: Split) -> float:
    longest = max(each.shape[1] for each in split.train)
    train, test = (as_taken(CONTESTANTS[model], part, longest) for part in (split.train, split.test))
    before = torch.get_num_threads(), numba.get_num_threads()
    estimator = CONTESTANTS[model].make(0).set_params(n_jobs=threads)
    torch.set_num_threads(threads)
    numba.set_num_threads(threads)
    try:
        with threadpool_limits(threads), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of MiniRocket, about its own dependencies
            start = time.perf_counter()
            estimator.fit(train, split.train_labels)
            estimator.predict(test)
            return time.perf_counter() - start
    finally:
        torch.set_num_threads(before[0])
        numba.set_num_threads(before[1])


def _made(name: str, count: int, length: int) -> Split:
    """Return noisy sines whose frequency is their label."""
    rng = np.random.default_rng(0)
    labels = np.arange(2 * count) % 5
    phase = rng.uniform(0, 2 * np.pi, (2 * count, 1))
    waves = np.sin((0.15 + 0.05 * labels)[:, None] * np.arange(length) + phase)
    series = (waves + rng.standard_normal(waves.shape)).astype(np.float32)[:, None]
    names = labels.astype(str)
    return Split(name, [*series[:count]], names[:count], [*series[count:]], names[count:])
