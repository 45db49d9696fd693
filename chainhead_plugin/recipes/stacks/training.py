"""Training a stack on labelled series."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from ...config.configuration_chainhead import ChainHeadConfig
from ...inputs.feature_extraction_chainhead import ChainHeadFeatureExtractor
from ...models.modeling_chainhead import ChainHeadForSequenceClassification
from .averaging import restate_norms
from .start import spread_start
from .varying import vary

_BATCH, _RATE, _DECAY = 16, 5e-3, 1e-2
_WARM_UP = 0.1
# Both parameters of the beta distribution of the share with which the first series of a pair goes into the mixture.
_MIXUP = 0.3


@dataclass(frozen=True)
class Manner:
    """How a stack is trained, beside mixup; by default without anything else.

    Attributes
    ----------
    varied : float
        The probability with which each series of a batch is changed by `vary`.
    smoothing : float
        The share of the wanted probabilities that is spread evenly over all labels.
    averaged : float
        The share of the steps, at the end, over which the model's weights are means, with the statistics of BatchNorm
        that belong to them; 0 for the weights of the last step.
    """

    varied: float = 0.0
    smoothing: float = 0.0
    averaged: float = 0.0


PLAIN = Manner()


def train_stack(
    config: ChainHeadConfig,
    extractor: ChainHeadFeatureExtractor,
    series: Sequence[NDArray[np.floating]],
    labels: NDArray[np.int64],
    steps: int,
    seed: int,
    on_step: Callable[[], None] = lambda: None,
    *,
    is_spread: bool = False,
    manner: Manner = PLAIN,
) -> ChainHeadForSequenceClassification:
    """Return a new model, trained and in eval mode; its start is that of `spread_start` if `is_spread`.

    Series of one length are mixed in pairs, and so are their labels: mixup, Zhang et al., 2018, arXiv:1710.09412. What
    else is done to them, `manner` says.
    """
    torch.manual_seed(seed)
    rng, targets = np.random.default_rng(seed), torch.from_numpy(labels)
    model = ChainHeadForSequenceClassification(config).train()
    if is_spread:
        spread_start(model)
    optimizer, scheduler = usual_optimizer(model, steps)
    size = min(_BATCH, max(2, len(series) // 3))
    entropy = nn.CrossEntropyLoss(label_smoothing=manner.smoothing)
    order: list[int] = []
    averaged = AveragedModel(model) if manner.averaged else None
    for step in range(steps):
        if len(order) < size:
            order = rng.permutation(len(series)).tolist()
        places, order = order[:size], order[size:]
        batch = extractor([series[place] for place in places], batched=True, return_tensors="pt")
        nodes = batch["input_features"]  # [batch, length, m]
        if manner.varied:
            nodes = vary(nodes, batch["attention_mask"], rng, manner.varied)
        share = rng.beta(_MIXUP, _MIXUP) if batch["attention_mask"].all() else 1.0
        wanted = targets[places]
        batch["input_features"] = share * nodes + (1 - share) * nodes.roll(1, 0)
        logits = model(**batch).logits
        loss: Tensor = share * entropy(logits, wanted) + (1 - share) * entropy(logits, wanted.roll(1))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        if averaged is not None and step >= int(steps * (1 - manner.averaged)):
            averaged.update_parameters(model)
        on_step()
    if averaged is not None:
        model.load_state_dict(averaged.module.state_dict())
        restate_norms(model, extractor, series)
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


def fitted_extractor(
    series: Sequence[NDArray[np.floating]], standardize_each: bool
) -> ChainHeadFeatureExtractor:
    """Return a feature extractor that standardises each series by itself, or all by the statistics of `series`."""
    features = int(np.shape(series[0])[1])
    if standardize_each:
        return ChainHeadFeatureExtractor(features, standardize_each=True, interpolate_missing=True)
    return ChainHeadFeatureExtractor(features, interpolate_missing=True).fit(list(series), batched=True)
