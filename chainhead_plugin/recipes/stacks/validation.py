"""Cross-validation of a stack and its preprocessing within the training part."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from ...config.configuration_chainhead import ChainHeadConfig
from ...inputs.feature_extraction_chainhead import ChainHeadFeatureExtractor
from ...models.modeling_chainhead import ChainHeadForSequenceClassification
from .shapes import SPREAD
from .training import fitted_extractor, train_stack


@dataclass(frozen=True)
class CrossValidation:
    """The result of a stack with a way of preprocessing in cross-validation within the training part.

    Attributes
    ----------
    shape : str
        The stack, of `SHAPES`.
    standardize_each : bool
        Whether every series was standardised by itself, or all series by common statistics.
    accuracy : float
        The share of held-out series whose label was predicted.
    loss : float
        Mean cross-entropy of held-out series.
    answers : int64 array [series]
        The label that was predicted for each series by a fit without it.
    """

    shape: str
    standardize_each: bool
    accuracy: float
    loss: float
    answers: NDArray[np.int64] = field(compare=False, repr=False)


def rank(found: CrossValidation) -> tuple[float, float]:
    """Return the key by which results are sorted, the best first."""
    return -found.accuracy, found.loss


def cross_validate(
    config: ChainHeadConfig,
    series: Sequence[NDArray[np.floating]],
    labels: NDArray[np.int64],
    shape: str,
    standardize_each: bool,
    folds: int,
    steps: int,
    seed: int,
    on_step: Callable[[], None],
) -> CrossValidation:
    """Return the accuracy and the loss on series that the stack was not trained on, each fold left out once.

    Parameters
    ----------
    config : ChainHeadConfig
        The stack.
    series : sequence of arrays [length, m]
    labels : int64 array [series]
    shape : str
        The stack's name, of `SHAPES`.
    standardize_each : bool
        Whether each series is standardised by itself.
    folds, steps, seed : int
        How many folds, the optimisation steps of each training, and the seed of folds and weights.
    on_step : callable
        Called after every step.
    """
    fold = _folds_of(labels, folds, seed)
    answers, loss = np.zeros(len(labels), dtype=np.int64), 0.0
    for number in range(folds):
        kept = [series[place] for place in np.flatnonzero(fold != number)]
        held_out = [series[place] for place in np.flatnonzero(fold == number)]
        extractor = fitted_extractor(kept, standardize_each)
        model = train_stack(
            config, extractor, kept, labels[fold != number], steps, seed, on_step, is_spread=shape in SPREAD
        )
        logits, targets = _logits(model, extractor, held_out), torch.from_numpy(labels[fold == number])
        answers[fold == number] = logits.argmax(1).numpy()
        loss += float(cross_entropy(logits, targets, reduction="sum"))
    accuracy = float((answers == labels).mean())
    return CrossValidation(shape, standardize_each, accuracy, loss / len(labels), answers)


def _folds_of(labels: NDArray[np.int64], folds: int, seed: int) -> NDArray[np.int64]:
    """Return the fold of every series; each label is spread evenly."""
    rng, fold = np.random.default_rng(seed), np.zeros(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        places = rng.permutation(np.flatnonzero(labels == label))
        fold[places] = (np.arange(len(places)) + rng.integers(folds)) % folds
    return fold


@torch.no_grad()
def _logits(
    model: ChainHeadForSequenceClassification,
    extractor: ChainHeadFeatureExtractor,
    series: Sequence[NDArray[np.floating]],
) -> Tensor:
    parts = [
        model(**extractor(list(series[start : start + 64]), batched=True, return_tensors="pt")).logits
        for start in range(0, len(series), 64)
    ]
    return torch.cat(parts)
