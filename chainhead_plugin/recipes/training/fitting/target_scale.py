"""Standardise the numbers to predict for training, and let the trained model predict them in their own unit."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ....checks.precision import check_apart_in_float32
from ...data.examples import Examples


@dataclass(frozen=True)
class TargetScale:
    """Mean and standard deviation of a training part's targets."""

    mean: float
    deviation: float

    def scaled(self, targets: NDArray[Any]) -> NDArray[np.float32]:
        """Return standardised targets, for training."""
        values: NDArray[np.float32] = ((targets - self.mean) / self.deviation).astype(np.float32)
        return values

    def restored(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return standardised values in their own unit."""
        return values.astype(np.float64) * self.deviation + self.mean

    @torch.no_grad()
    def fold_into(self, layer: nn.Linear) -> None:
        """Change a last layer that returns standardised values, so that it returns values in their own unit."""
        layer.weight.mul_(self.deviation)
        layer.bias.mul_(self.deviation).add_(self.mean)


def target_scale(training: Examples) -> TargetScale:
    """Return the scale of a training part. If all numbers are equal, the deviation is 1.

    Raises
    ------
    ValueError
        If the numbers are different, but too close together for float32 to tell them apart.
    """
    values = np.asarray(training.labels, dtype=np.float64)
    check_apart_in_float32("the labels to train on", values)
    return TargetScale(float(values.mean()), float(values.std()) or 1.0)
