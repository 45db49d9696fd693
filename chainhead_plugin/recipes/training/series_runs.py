"""Run peers that are fitted without the Trainer. Their measurements are kept, but not their models."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..candidates.inputs.preparing import prepare
from ..candidates.series_peers import SERIES_PEERS, FittedSeriesPeer, padding_of, why_not
from ..data.examples import Examples
from ..data.splits import folds, split
from .fingerprints import of_examples
from .fitting.closed_form import nodes_of
from .fitting.weighting import class_weights
from .records import read_record, write_record
from .report import Measurement, ModelReport
from .runs import Runs
from .stopwatch import Stopwatch

# The number of series for a first fit, which compiles code before time is measured.
_WARM_UP = 8


def run_series_peer(name: str, runs: Runs, folder: Path) -> ModelReport | str:
    """Fit a peer on every fold and seed of a recipe.

    It reads the same nodes as the recipe's model, standardised in the same way. Kept measurements are not made again.

    Parameters
    ----------
    name : str
        A key of `SERIES_PEERS`.
    runs : Runs
        The runs of the recipe.
    folder : Path
        The folder in which measurements are kept.

    Returns
    -------
    ModelReport or str
        The reason, if the peer cannot be run.
    """
    recipe, data, peer = runs.recipe, runs.data, SERIES_PEERS[name]
    metric = recipe.task.metric
    if metric.of_scores and not peer.gives_scores:
        return f"it gives no scores of labels, which {metric.title} needs"

    lengths = [len(chain) for part in (data.train, data.test) for chain in part.inputs]
    if reason := why_not(name, lengths):
        return reason

    if recipe.validation_folds is not None:
        checks = [
            _measured(name, runs, folder / f"{name}-fold{number}", kept, held_out, recipe.seeds[0])
            for number, (kept, held_out) in enumerate(folds(data.train, recipe.validation_folds))
        ]
        trained = [data.train] * len(recipe.seeds)
    else:
        assert recipe.validation_share is not None
        parts = [split(data.train, recipe.validation_share, seed) for seed in recipe.seeds]
        checks = [_measured(name, runs, folder / f"{name}-split", *parts[0], recipe.seeds[0])]
        trained = [kept for kept, _ in parts]

    finals: list[Measurement] = []
    for seed, training in zip(recipe.seeds, trained, strict=True):
        same = finals and not peer.is_random and recipe.validation_folds is not None
        place = folder / f"{name}-test-{seed}"
        finals.append(finals[0] if same else _measured(name, runs, place, training, data.test, seed))

    lengths_of_parts = ([len(chain) for chain in part.inputs] for part in (data.train, data.test))
    notes = [padding_of(name, *lengths_of_parts)]
    if recipe.class_weight is not None and not peer.is_weighted:
        notes.append("labels not weighted, as it has no training")

    return ModelReport.of_tests(
        peer.title,
        float(np.mean([found.values[metric.name] for found in checks])),
        finals,
        gives_scores=peer.gives_scores,
        notes=tuple(note for note in notes if note is not None),
    )


def _measured(
    name: str, runs: Runs, folder: Path, training: Examples, held_out: Examples, seed: int
) -> Measurement:
    """Return the kept measurement of a peer, or else fit it, measure it on held-out series and keep that."""
    file, task, peer = folder / "measured.json", runs.recipe.task, SERIES_PEERS[name]
    kept, part = read_record(file, {"measured": dict, "part": str}), of_examples(held_out)
    if kept is not None and kept["part"] == part:
        values = dict(kept["measured"])
        if {metric.name for metric in task.metrics} <= values.keys():
            return Measurement(values, values.pop("training_seconds"), values.pop("seconds"))

    inputs = prepare(runs.recipe, training)
    series, others = nodes_of(inputs, training), nodes_of(inputs, held_out)
    targets = task.collate(training.targets())
    options: dict[str, Any] = {
        "label_count": len(training.names) if targets.dtype.kind == "i" else None,
        "seed": seed,
        "threads": runs.recipe.threads or 1,
        "weights": class_weights(runs.recipe.class_weight, training),
    }

    _warm_up(name, series, targets, options)
    watch = Stopwatch(options["threads"])
    fitted = FittedSeriesPeer(name, series, targets, **options)
    trained = watch.seconds
    predictions = fitted.predict(others)
    seconds = watch.seconds - trained

    answers = task.collate(held_out.targets())
    values = {
        metric.name: math.nan
        if metric.of_scores and not peer.gives_scores
        else metric.of(predictions, answers)
        for metric in task.metrics
    }
    folder.mkdir(parents=True, exist_ok=True)
    kept = {**values, "training_seconds": trained, "seconds": seconds}
    write_record(file, {"measured": kept, "part": part})
    return Measurement(values, trained, seconds)


def _warm_up(name: str, series: list[NDArray[Any]], targets: NDArray[Any], options: dict[str, Any]) -> None:
    """Fit a peer to a few series, so that the time for compiling does not count for a run."""
    order = np.argsort(np.random.default_rng(0).random(len(targets)), kind="stable")
    firsts = order[np.unique(targets[order], return_index=True)[1]][:_WARM_UP]
    chosen = np.unique(np.concatenate([firsts, order[:_WARM_UP]]))
    few = [series[place] for place in chosen]
    FittedSeriesPeer(name, few, targets[chosen], **options).predict(few)
