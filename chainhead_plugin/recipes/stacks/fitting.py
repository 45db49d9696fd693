"""Train the default stack for classifying series, and choose its shape and preprocessing within the training part."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...chain.threads import num_threads
from ...config.configuration_chainhead import ChainHeadConfig
from ...inputs.feature_extraction_chainhead import ChainHeadFeatureExtractor
from ...models.modeling_chainhead import ChainHeadForSequenceClassification
from .shapes import SHAPES, SPREAD, default_stack
from .training import PLAIN, Manner, fitted_extractor, train_stack
from .validation import CrossValidation, cross_validate, rank

_STEPS = 1200
# The final run, if it has the full number of steps, with which cross-validation preferred it. Shorter runs, among them
# those of cross-validation, are plain: in a few hundred steps models of series that vary have not learned enough.
_FULL = Manner(varied=0.5, smoothing=0.05, averaged=1 / 3)
_FOLDS = 3
# The steps of each cross-validation run: at most these, which tell the stacks apart, at most this share of the steps of
# the final run, and no fewer than tell anything.
_VALIDATION_STEPS, _VALIDATION_SHARE, _LEAST_STEPS = 200, 0.5, 20


@dataclass(frozen=True)
class FittedStack:
    """A trained stack.

    Attributes
    ----------
    model : ChainHeadForSequenceClassification
        In eval mode, on the CPU.
    extractor : ChainHeadFeatureExtractor
        Its preprocessing, with the statistics of all training series.
    validations : list of CrossValidation
        The result of each stack and way of preprocessing, the chosen pair first; empty if there were too few series, or
        too little time.
    steps : int
        Optimisation steps of the final run.
    seconds : float
        Time that everything took.
    """

    model: ChainHeadForSequenceClassification
    extractor: ChainHeadFeatureExtractor
    validations: list[CrossValidation]
    steps: int
    seconds: float


def fit_stack(
    series: Sequence[NDArray[np.floating]],
    labels: NDArray[np.integer],
    names: Sequence[str],
    *,
    causal: bool = False,
    seconds: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    on_progress: Callable[[int, int], None] = lambda done, planned: None,
    **fields: Any,
) -> FittedStack:
    """Train the default stack; which of two, and whether each series is standardised by itself, is chosen.

    Both stacks are cross-validated with common statistics, the better of the two again with each series standardised
    by itself. Fields that tell the stacks apart, such as `hidden_sizes`, make their choice the caller's. If there is
    time for all steps, the chosen pair is trained on series that vary a little, on smoothed labels, and its weights are
    means over the end of the run.

    The same seed, number of threads and steps give the same weights.

    Parameters
    ----------
    series : sequence of arrays [length, m]
        Their lengths may differ.
    labels : array [series] of int
        Indices into `names`.
    names : sequence of str
        The labels.
    causal : bool
        Whether nodes take in only earlier nodes.
    seconds : float, optional
        The time for everything, about: the time of a step is measured, and there are as many steps as fit. None for no
        limit.
    seed : int
        The seed of weights, folds and batches.
    threads : int, optional
        Threads of the CPU; by default torch's own number of them.
    on_progress : callable
        Called after every step with the number of steps that are done, and the number that is planned in all.
    **fields
        Fields of `ChainHeadConfig` that replace the default's.

    Returns
    -------
    FittedStack

    Raises
    ------
    TypeError, ValueError
        If the series, their labels or a field are not valid.
    """
    start = time.perf_counter()
    labels = _checked(series, labels, names, seconds)
    given = fields.keys() & SHAPES["deep"].keys()
    configs = {
        shape: default_stack(
            int(np.shape(series[0])[1]), names, max(map(len, series)), shape=shape, causal=causal, **fields
        )
        for shape in (["deep"] if given else SHAPES)
    }
    rare = min(np.unique(labels, return_counts=True)[1])
    folds = min(_FOLDS, int(rare))
    tries = len(configs) + _can_be_standardised(series) if folds >= 2 else 0
    with num_threads(threads), torch.random.fork_rng(devices=[]):
        pace = _pace(configs["deep"], series, labels, seed) if seconds is not None else 0.0
        left = math.inf if seconds is None else seconds - (time.perf_counter() - start)
        steps, validation_steps = _planned(math.inf if seconds is None else left / pace, tries * folds)
        if not validation_steps:
            tries = 0
        done, planned = count(1), tries * folds * validation_steps + steps

        def on_step() -> None:
            on_progress(next(done), planned)

        def validated(shape: str, standardize_each: bool) -> CrossValidation:
            return cross_validate(
                configs[shape],
                series,
                labels,
                shape,
                standardize_each,
                folds,
                validation_steps,
                seed,
                on_step,
            )

        validations = [validated(shape, False) for shape in configs] if tries else []
        if tries > len(configs):
            best = min(validations, key=rank)
            validations.append(validated(best.shape, True))
        validations.sort(key=rank)
        shape = validations[0].shape if validations else "deep"
        extractor = fitted_extractor(series, validations[0].standardize_each if validations else False)
        model = train_stack(
            configs[shape],
            extractor,
            series,
            labels,
            steps,
            seed,
            on_step,
            is_spread=shape in SPREAD,
            manner=_FULL if steps == _STEPS else PLAIN,
        )
    return FittedStack(model, extractor, validations, steps, time.perf_counter() - start)


def _planned(affordable: float, runs: int) -> tuple[int, int]:
    """Return the steps of the final run, and those of each of `runs` runs of cross-validation; 0 if there are none."""
    steps = min(_STEPS, affordable - runs * _VALIDATION_STEPS)
    if steps * _VALIDATION_SHARE < _VALIDATION_STEPS:
        steps = min(_STEPS, affordable / (1 + runs * _VALIDATION_SHARE))
    validation_steps = int(min(_VALIDATION_STEPS, steps * _VALIDATION_SHARE))
    if not runs or validation_steps < _LEAST_STEPS:
        # Models that have hardly learned would choose by chance: the final run gets all the time.
        return max(1, int(min(_STEPS, affordable))), 0
    return int(steps), validation_steps


def _checked(
    series: Sequence[NDArray[np.floating]],
    labels: NDArray[np.integer],
    names: Sequence[str],
    seconds: float | None,
) -> NDArray[np.int64]:
    found = np.asarray(labels)
    if len(series) < 2 or found.shape != (len(series),):
        raise ValueError(
            f"expected at least two series and a label for each, got {len(series)} series and labels of shape "
            f"{found.shape}"
        )
    if not np.issubdtype(found.dtype, np.integer):
        raise TypeError(f"labels must be whole numbers, places in names, got {found.dtype}")
    if found.min() < 0 or found.max() >= len(names):
        raise ValueError(f"labels must be between 0 and {len(names) - 1}, the places in names")
    if any(np.ndim(each) != 2 for each in series):
        raise ValueError("series must be arrays [length, m], of one feature [length, 1]")
    if seconds is not None and not (isinstance(seconds, int | float) and 0 < seconds < math.inf):
        raise ValueError(f"seconds must be a number above 0, or None for no limit, got {seconds!r}")
    return found.astype(np.int64)


def _can_be_standardised(series: Sequence[NDArray[np.floating]]) -> bool:
    """Whether standardising each series by itself leaves differences: series of a single node would all be zero."""
    return any(len(each) > 1 for each in series)


def _pace(
    config: ChainHeadConfig, series: Sequence[NDArray[np.floating]], labels: NDArray[np.int64], seed: int
) -> float:
    """Return the seconds that a step takes."""
    extractor = fitted_extractor(series, False)
    train_stack(config, extractor, series, labels, 1, seed)
    start = time.perf_counter()
    train_stack(config, extractor, series, labels, 3, seed)
    return (time.perf_counter() - start) / 3
