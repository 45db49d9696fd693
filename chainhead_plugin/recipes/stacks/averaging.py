"""The statistics of BatchNorm that belong to weights which are means over training."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ...head.normalisation import NodeBatchNorm
from ...inputs.feature_extraction_chainhead import ChainHeadFeatureExtractor
from ...models.modeling_chainhead import ChainHeadForSequenceClassification

_BATCH = 64


@torch.no_grad()
def restate_norms(
    model: ChainHeadForSequenceClassification,
    extractor: ChainHeadFeatureExtractor,
    series: Sequence[NDArray[np.floating]],
) -> None:
    """Compute the running statistics of every BatchNorm anew, over all series.

    `torch.optim.swa_utils.update_bn` does the same, but not for batches with padding.

    Parameters
    ----------
    model : ChainHeadForSequenceClassification
        Changed in place, and in train mode afterwards.
    extractor : ChainHeadFeatureExtractor
    series : sequence of arrays [length, m]
    """
    norms = [module for module in model.train().modules() if isinstance(module, NodeBatchNorm)]
    momenta = [norm.momentum for norm in norms]
    # In parts of about one size: a last part of a single node would have no variance.
    for number, part in enumerate(np.array_split(np.arange(len(series)), math.ceil(len(series) / _BATCH))):
        for norm in norms:
            norm.momentum = 1 / (number + 1)  # of all parts the same weight
        model(**extractor([series[place] for place in part], batched=True, return_tensors="pt"))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
