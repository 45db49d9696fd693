"""Train the default stack for classifying series, and choose its preprocessing within the training part."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ..config.configuration_chainhead import ChainHeadConfig
from ..config.stacks import dilated_hops
from ..inputs.feature_extraction_chainhead import ChainHeadFeatureExtractor
from ..models.modeling_chainhead import ChainHeadForSequenceClassification
from .training.fitting import num_threads

_WIDTH = 48
_STEPS, _BATCH, _RATE, _DECAY = 1200, 16, 5e-3, 1e-2
_WARM_UP = 0.1
# Both parameters of the beta distribution of the share with which the first series of a pair goes into the mixture.
_MIXUP = 0.3
_FOLDS = 3
# The steps of each cross-validation run: at most these, which tell the stacks apart, at most this share of the steps of
# the final run, and no fewer than tell anything.
_VALIDATION_STEPS, _VALIDATION_SHARE, _LEAST_STEPS = 200, 0.5, 20

# Fields of the two stacks that are tried. The plain stack is the better of the two where mean levels of what its layers
# find tell labels apart, the deep stack where their spread does.
SHAPES: Mapping[str, Mapping[str, Any]] = {
    "deep": {"hidden_sizes": [_WIDTH] * 4, "identity_residual": True, "pooling": ["mean", "std"]},
    "plain": {"hidden_sizes": [_WIDTH] * 3, "identity_residual": False, "pooling": "mean"},
}


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


def default_stack(
    m: int, names: Sequence[str], longest: int, *, shape: str = "deep", causal: bool = False, **fields: Any
) -> ChainHeadConfig:
    """Return the configuration of a default stack.

    Its layers have dense hops whose dilation doubles by layer, with BatchNorm, and differences beside the nodes. The
    deep stack has four layers with identity residuals, and mean and standard deviation as poolings. The plain stack has
    three layers without residuals, and the mean as pooling. Both were chosen by cross-validation within the training
    parts of several data sets.

    Parameters
    ----------
    m : int
        Features of a node.
    names : sequence of str
        The labels.
    longest : int
        Nodes of the longest series.
    shape : str
        Which stack, of `SHAPES`.
    causal : bool
        Whether nodes take in only earlier nodes.
    **fields
        Fields of `ChainHeadConfig` that replace the default's.
    """
    chosen = {**SHAPES[shape], **fields}
    sizes = chosen["hidden_sizes"]
    defaults: dict[str, Any] = {
        "channel_hops": dilated_hops(len(sizes), causal=causal, longest=longest),
        "bi_directional": not causal,
        "enable_bias": True,
        "with_batch_norm": True,
        "with_differences": True,
        "problem_type": "single_label_classification",
    }
    return ChainHeadConfig(
        **{
            "m": m,
            "chain_length": longest,
            "id2label": dict(enumerate(names)),
            "label2id": {name: index for index, name in enumerate(names)},
            **defaults,
            **chosen,
        }
    )


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
    by itself. Fields that tell the stacks apart, such as `hidden_sizes`, make their choice the caller's.

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
            return _cross_validate(
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
            best = min(validations, key=_rank)
            validations.append(validated(best.shape, True))
        validations.sort(key=_rank)
        shape = validations[0].shape if validations else "deep"
        extractor = _extractor(series, validations[0].standardize_each if validations else False)
        model = _train(configs[shape], extractor, series, labels, steps, seed, on_step)
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


def _rank(found: CrossValidation) -> tuple[float, float]:
    return -found.accuracy, found.loss


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


def _extractor(series: Sequence[NDArray[np.floating]], standardize_each: bool) -> ChainHeadFeatureExtractor:
    features = int(np.shape(series[0])[1])
    if standardize_each:
        return ChainHeadFeatureExtractor(features, standardize_each=True)
    return ChainHeadFeatureExtractor(features).fit(list(series), batched=True)


def _pace(
    config: ChainHeadConfig, series: Sequence[NDArray[np.floating]], labels: NDArray[np.int64], seed: int
) -> float:
    """Return the seconds that a step takes."""
    extractor = _extractor(series, False)
    _train(config, extractor, series, labels, 1, seed)
    start = time.perf_counter()
    _train(config, extractor, series, labels, 3, seed)
    return (time.perf_counter() - start) / 3


def _cross_validate(
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
    fold = _folds_of(labels, folds, seed)
    answers, loss = np.zeros(len(labels), dtype=np.int64), 0.0
    for number in range(folds):
        kept = [series[place] for place in np.flatnonzero(fold != number)]
        held_out = [series[place] for place in np.flatnonzero(fold == number)]
        extractor = _extractor(kept, standardize_each)
        model = _train(config, extractor, kept, labels[fold != number], steps, seed, on_step)
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


def _train(
    config: ChainHeadConfig,
    extractor: ChainHeadFeatureExtractor,
    series: Sequence[NDArray[np.floating]],
    labels: NDArray[np.int64],
    steps: int,
    seed: int,
    on_step: Callable[[], None] = lambda: None,
) -> ChainHeadForSequenceClassification:
    """Train a new model.

    Series of one length are mixed in pairs, and so are their labels: mixup, Zhang et al., 2018, arXiv:1710.09412.
    """
    torch.manual_seed(seed)
    rng, targets = np.random.default_rng(seed), torch.from_numpy(labels)
    model = ChainHeadForSequenceClassification(config).train()
    optimizer, scheduler = usual_optimizer(model, steps)
    size = min(_BATCH, max(2, len(series) // 3))
    order: list[int] = []
    for _ in range(steps):
        if len(order) < size:
            order = rng.permutation(len(series)).tolist()
        places, order = order[:size], order[size:]
        batch = extractor([series[place] for place in places], batched=True, return_tensors="pt")
        share = rng.beta(_MIXUP, _MIXUP) if batch["attention_mask"].all() else 1.0
        nodes, wanted = batch["input_features"], targets[places]  # [batch, length, m], [batch]
        batch["input_features"] = share * nodes + (1 - share) * nodes.roll(1, 0)
        logits = model(**batch).logits
        loss: Tensor = share * cross_entropy(logits, wanted) + (1 - share) * cross_entropy(
            logits, wanted.roll(1)
        )
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        on_step()
    return model.eval()


def usual_optimizer(
    model: nn.Module, steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """Return AdamW and its rate, with a warm-up and a cosine to zero; biases and norms do not decay.

    Parameters
    ----------
    model : torch.nn.Module
    steps : int
        Optimisation steps, at least 1.
    """
    matrices = [weight for weight in model.parameters() if weight.ndim > 1]
    vectors = [weight for weight in model.parameters() if weight.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": _DECAY}, {"params": vectors, "weight_decay": 0.0}], lr=_RATE
    )
    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _schedule(step, steps))


def _schedule(step: int, steps: int) -> float:
    return min(1.0, (step + 1) / max(1.0, steps * _WARM_UP)) * (1 + math.cos(math.pi * step / steps)) / 2


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
