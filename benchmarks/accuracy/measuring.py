"""Every contestant on every set, in turns, in a new order for every seed."""

import random
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .contestants import CONTESTANTS, Contestant, as_taken
from .sets import Split, load_split

# Series of a label that a warm-up takes.
_WARM_UP = 3


def measure(
    sets: Mapping[str, Path],
    names: Sequence[str],
    seeds: Sequence[int],
    done: Sequence[Mapping[str, Any]] = (),
) -> Iterator[dict[str, Any]]:
    """Yield a row for every set, seed and contestant.

    Parameters
    ----------
    sets : mapping
        By name, the folder.
    names : sequence of str
        Of contestants.
    seeds : sequence of int
    done : sequence of rows
        Rows that need not be measured again.

    Yields
    ------
    dict
        "set", "facts", "model", "seed", "accuracy", and CPU seconds: "fit" and "predict"; or "error".
    """
    known = {(row["set"], row["model"], row["seed"]) for row in done}
    for name, folder in sets.items():
        wanted = [
            (model, seed)
            for seed in seeds
            for model in names
            if (name, model, seed) not in known and (CONTESTANTS[model].is_random or seed == seeds[0])
        ]
        if not wanted:
            continue
        split = load_split(name, folder)
        for model in dict.fromkeys(model for model, _ in wanted):
            _run(CONTESTANTS[model], few_of(split), 0)
        for seed in seeds:
            turn = [model for model, of in wanted if of == seed]
            random.Random(f"{name} {seed}").shuffle(turn)  # noqa: S311 (an order, no secret)
            for model in turn:
                yield {"set": name, "facts": split.facts(), "model": model, "seed": seed} | _run(
                    CONTESTANTS[model], split, seed
                )


def few_of(split: Split) -> Split:
    """Return a few series of every label, enough to compile the code that is compiled at the first call."""
    rows = [
        row
        for label in set(split.train_labels)
        for row in np.flatnonzero(split.train_labels == label)[:_WARM_UP]
    ]
    return Split(
        split.name,
        [split.train[row] for row in rows],
        split.train_labels[rows],
        split.test[:2],
        split.test_labels[:2],
    )


def _run(contestant: Contestant, split: Split, seed: int) -> dict[str, Any]:
    longest = max(each.shape[1] for each in split.train)
    train, test = (as_taken(contestant, part, longest) for part in (split.train, split.test))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of peers, about their own dependencies
        try:
            model = contestant.make(seed)
            start = time.process_time()
            model.fit(train, split.train_labels)
            fitted = time.process_time()
            answers = model.predict(test)
            end = time.process_time()
        except Exception as error:  # a peer that fails is a line of the report, not the end of the run
            return {"error": f"{type(error).__name__}: {error}".partition("\n")[0][:200]}
    return {
        "accuracy": float((answers == split.test_labels).mean()),
        "fit": fitted - start,
        "predict": end - fitted,
    }
