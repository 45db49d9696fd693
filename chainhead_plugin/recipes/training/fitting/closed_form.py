"""Fit random chain heads by solving a linear system, without epochs and learning rates."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ....chain.threads import num_threads
from ....config.configuration_random_chain import RandomChainConfig
from ....models.random_chain_fit import fit_random_chain
from ...candidates.inputs.inputs import Inputs
from ...data.examples import Examples
from ...fields.random_chains import OPTIONS
from ..stopwatch import Stopwatch
from ..trials import Trial
from .predicting import quality
from .trainer import Batches, Fit
from .weighting import class_weights

_BATCH = 512


def fit_in_closed_form(trial: Trial) -> Fit:
    """Fit a trial's candidate; the same seed and number of threads give the same weights.

    Weights of labels multiply probabilities, as in `ChainHeadClassifier`.

    Parameters
    ----------
    trial : Trial
        A trial of random chain heads.

    Returns
    -------
    Fit
        Its `fitted` holds the fields of the configuration that the fit has chosen, `reference_length` and
        `with_differences`. Its history has a single record if the fold holds series out, else none.
    """
    recipe, task, fold = trial.recipe, trial.recipe.task, trial.fold
    config: Any = trial.candidate.build().config
    assert isinstance(config, RandomChainConfig)
    series, targets = nodes_of(fold.inputs, fold.training), task.collate(fold.training.targets())
    weights = class_weights(recipe.class_weight, fold.training)

    with num_threads(recipe.threads):
        # Code is compiled before time is measured.
        fit_random_chain(series[:2], [0.0, 1.0], problem_type="regression")
        watch = Stopwatch(recipe.threads)
        found = fit_random_chain(
            series,
            targets,
            id2label=dict(config.id2label),
            seed=trial.seed,
            **{name: getattr(config, name) for name in (*OPTIONS, "problem_type")},
        )
        seconds = watch.seconds
        if weights is not None:
            shifts = np.log(weights) - np.log(weights).mean()
            with torch.no_grad():
                found.model.classifier.bias.add_(torch.from_numpy(shifts).to(found.model.classifier.bias))

        history: list[dict[str, float]] = []
        if fold.validation is not None:
            metric = task.metric.name
            value = quality(found.model, fold.inputs, fold.validation, task)[metric]
            loss = _loss(found.model, fold.inputs, fold.validation, trial)
            history.append({"epoch": 1.0, f"eval_{metric}": value, "eval_loss": loss})

    fitted = {name: getattr(found.model.config, name) for name in ("reference_length", "with_differences")}
    return Fit(found.model, history, seconds, fitted)


def nodes_of(inputs: Inputs, examples: Examples) -> list[NDArray[Any]]:
    """Return the nodes [L_i, m] that a recipe's model reads, without padding."""
    found: list[NDArray[Any]] = []
    for start in range(0, len(examples.inputs), _BATCH):
        chains = examples.inputs[start : start + _BATCH]
        nodes = inputs.batch(chains)["input_features"].numpy()
        found += [row[: len(chain)] for row, chain in zip(nodes, chains, strict=True)]
    return found


@torch.no_grad()
def _loss(model: Any, inputs: Inputs, examples: Examples, trial: Trial) -> float:
    """Return the mean loss of all examples."""
    task, count, total = trial.recipe.task, len(examples.labels), 0.0
    make = Batches(inputs, task, [examples])
    for start in range(0, count, _BATCH):
        places = list(range(start, min(start + _BATCH, count)))
        total += float(model(**make(places))["loss"]) * len(places)
    return total / count
