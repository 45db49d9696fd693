"""Calibration: a factor that turns scores into logits, so that probabilities match how often answers are right."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from .workers import one_torch_thread

_LEAST, _MOST = math.log(0.1), math.log(100)
# Every step of the search shrinks the interval to 0.62 of its size. After all steps less than a millionth is left.
_STEPS = 32


def fit_temperature(scores: Tensor, labels: Tensor, weights: Tensor | None = None) -> float:
    """Return the factor with which scores make the labels most likely.

    Parameters
    ----------
    scores : float64 Tensor [rows, labels]
        Scores of rows by models that were not fitted to these rows.
    labels : int64 Tensor [rows], or float64 Tensor [rows, labels] of 0 and 1
        The index of each row's label, or for several labels per row whether each label holds.
    weights : float64 Tensor [rows], optional
        How much each row counts; by default all count alike.

    Returns
    -------
    float
        Between 0.1 and 100. Labels are assumed to be wrong with the probability 1 / (rows + 2), Laplace's rule.
        Otherwise a few rows that are all right would lead to the largest factor.
    """
    doubt = 1 / (len(scores) + 2)
    share = (scores.new_ones(len(scores)) if weights is None else weights)[:, None]
    share = share / share.mean()
    if labels.is_floating_point():
        softened = labels * (1 - doubt) + (1 - labels) * doubt

        def loss(factor: float) -> float:
            return float(F.binary_cross_entropy_with_logits(scores * factor, softened, share))

    else:
        softened = F.one_hot(labels, scores.size(1)).to(scores.dtype)
        softened = softened * (1 - doubt) + doubt / scores.size(1)

        def loss(factor: float) -> float:
            return float(-(share * softened * torch.log_softmax(scores * factor, 1)).sum(1).mean())

    with one_torch_thread():
        return math.exp(_least(lambda exponent: loss(math.exp(exponent)), _LEAST, _MOST))


def _least(function: Callable[[float], float], low: float, high: float) -> float:
    """Return the place of the minimum of a function with a single minimum, by golden-section search."""
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
