"""A factor that turns scores into logits whose probabilities are as sure as they are right."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

_LEAST, _MOST = math.log(0.1), math.log(100)
# Each leaves 0.62 of the interval: to one in a million.
_STEPS = 32


def fit_temperature(scores: Tensor, labels: Tensor) -> float:
    """Return the factor of scores at which the labels are most likely.

    Parameters
    ----------
    scores : float64 Tensor [rows, labels]
        Of rows that the scores were not fitted to.
    labels : int64 Tensor [rows], or float64 Tensor [rows, labels] of 0 and 1
        The one label of each row, or whether each label holds.

    Returns
    -------
    float
        Between 0.1 and 100. Labels are taken for wrong as often as by Laplace's rule, so that a few rows that are all
        right do not make it as large as can be.
    """
    doubt = 1 / (len(scores) + 2)
    if labels.is_floating_point():
        softened = labels * (1 - doubt) + (1 - labels) * doubt

        def loss(factor: float) -> float:
            return float(F.binary_cross_entropy_with_logits(scores * factor, softened))

    else:
        softened = F.one_hot(labels, scores.size(1)).to(scores.dtype)
        softened = softened * (1 - doubt) + doubt / scores.size(1)

        def loss(factor: float) -> float:
            return float(-(softened * torch.log_softmax(scores * factor, 1)).sum(1).mean())

    return math.exp(_least(lambda exponent: loss(math.exp(exponent)), _LEAST, _MOST))


def _least(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function that has a single minimum is least, by golden sections."""
    ratio = (math.sqrt(5) - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = function(left), function(right)
    for _ in range(_STEPS):
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = function(right)
    return (low + high) / 2
