"""The terms that a forecaster adds to its chain's: last season's values, and a linear map of the past."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def seasonal_naive(values: Tensor, seasons: Sequence[int], steps: int) -> Tensor:
    """Repeat the last season of a series; with several seasons, the mean of their repetitions.

    Parameters
    ----------
    values : Tensor [batch, length, channels]
        Before a shorter series there are zeros.
    seasons : sequence of int
        Steps of each season.
    steps : int
        Steps to forecast.

    Returns
    -------
    Tensor [batch, steps, channels]
    """
    values = F.pad(values, (0, 0, max(0, max(seasons) - values.size(1)), 0))
    ahead = torch.arange(steps, device=values.device)
    repeated = [values[:, values.size(1) - season + ahead % season] for season in seasons]
    return torch.stack(repeated).mean(0)


class SeriesNodes(nn.Module):
    """The nodes of a series, where all paths of a forecaster begin: hooks read or replace them here."""

    def forward(self, nodes: Tensor, attention_mask: Tensor) -> Tensor:
        """Return nodes [batch, length, features] as they are; the mask [batch, length] tells which are real."""
        return nodes


class LinearPath(nn.Module):
    """A linear map from a target's own past to all steps at once, the same for all targets.

    Parameters
    ----------
    length : int
        Last steps of the past; before a shorter series there are zeros.
    steps : int
        Steps to forecast.
    """

    def __init__(self, length: int, steps: int) -> None:
        super().__init__()
        self.length = length
        self.map = nn.Linear(length, steps)

    def forward(self, values: Tensor) -> Tensor:
        """Map values [batch, length, targets] to [batch, steps, targets]."""
        lined_up = F.pad(values, (0, 0, self.length - values.size(1), 0))  # a negative number cuts
        forecasts: Tensor = self.map(lined_up.mT).mT
        return forecasts

    @torch.no_grad()
    def fit(self, values: Tensor, wanted: Tensor, counts: Tensor, ridge: float) -> None:
        """Set the weights in closed form: those of the least squared error, and of small weights.

        Parameters
        ----------
        values : Tensor [batch, length, targets]
            Scaled, zero where missing.
        wanted : Tensor [batch, steps, targets]
            The values that the map should give.
        counts : bool Tensor [batch, steps, targets]
            Which of it was observed. A window with a missing value is left out whole.
        ridge : float
            Strength of the penalty on squared weights, for each window.

        Raises
        ------
        ValueError
            If no window is complete.
        """
        lined_up = F.pad(values, (0, 0, self.length - values.size(1), 0)).mT.flatten(0, 1).double()
        complete = counts.mT.flatten(0, 1).all(-1)
        if not complete.any():
            raise ValueError("every window lacks a value: there is nothing to fit a linear map to")

        inputs = lined_up[complete]  # [windows, length]
        targets = wanted.mT.flatten(0, 1)[complete].double()  # [windows, steps]
        centre, level = inputs.mean(0), targets.mean(0)
        inputs = inputs - centre

        # On the smaller of the two sides: as many equations as there are steps, or as there are windows.
        penalty = ridge * len(inputs)
        if len(inputs) >= self.length:
            gram = inputs.mT @ inputs
            gram.diagonal().add_(penalty)
            weight = torch.linalg.solve(gram, inputs.mT @ (targets - level)).mT
        else:
            gram = inputs @ inputs.mT
            gram.diagonal().add_(penalty)
            weight = (inputs.mT @ torch.linalg.solve(gram, targets - level)).mT

        self.map.weight.copy_(weight)
        self.map.bias.copy_(level - weight @ centre)


__all__ = ["LinearPath", "SeriesNodes", "seasonal_naive"]
