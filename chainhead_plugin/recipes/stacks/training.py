"""Training a stack on labelled series."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ...config.configuration_chainhead import ChainHeadConfig
from ...inputs.feature_extraction_chainhead import ChainHeadFeatureExtractor
from ...models.modeling_chainhead import ChainHeadForSequenceClassification
from .start import spread_start

_BATCH, _RATE, _DECAY = 16, 5e-3, 1e-2
_WARM_UP = 0.1
# Both parameters of the beta distribution of the share with which the first series of a pair goes into the mixture.
_MIXUP = 0.3


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
) -> ChainHeadForSequenceClassification:
    """Return a new model, trained and in eval mode; its start is that of `spread_start` if `is_spread`.

    Series of one length are mixed in pairs, and so are their labels: mixup, Zhang et al., 2018, arXiv:1710.09412.
    """
    torch.manual_seed(seed)
    rng, targets = np.random.default_rng(seed), torch.from_numpy(labels)
    model = ChainHeadForSequenceClassification(config).train()
    if is_spread:
        spread_start(model)
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


def fitted_extractor(
    series: Sequence[NDArray[np.floating]], standardize_each: bool
) -> ChainHeadFeatureExtractor:
    """Return a feature extractor that standardises each series by itself, or all by the statistics of `series`."""
    features = int(np.shape(series[0])[1])
    if standardize_each:
        return ChainHeadFeatureExtractor(features, standardize_each=True, interpolate_missing=True)
    return ChainHeadFeatureExtractor(features, interpolate_missing=True).fit(list(series), batched=True)
