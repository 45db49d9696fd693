"""The output of a forecaster."""

from dataclasses import dataclass

from torch import Tensor
from transformers.utils.generic import ModelOutput


@dataclass
class ChainHeadForecastOutput(ModelOutput):
    """The forecasts of a batch of series.

    For `past_values` [batch, length] of one channel, the channel axes of `prediction_outputs`,
    `quantile_outputs`, `loc` and `scale` are left out.

    Attributes
    ----------
    loss : Tensor [], optional
        In units of `scale`, if `future_values` are given.
    prediction_outputs : Tensor [batch, prediction_length, targets]
        The point forecast in the data's units; with quantiles the median.
    quantile_outputs : Tensor [batch, prediction_length, targets, quantiles], optional
        The forecast of every quantile of the configuration, in its order and the data's units. They never cross.
    hidden_states : tuple of Tensor [batch, length, features], optional
    loc, scale : Tensor [batch, 1, targets]
        How each series was shifted and scaled. A scale of 0 marks a series that does not vary.
    """

    loss: Tensor | None = None
    prediction_outputs: Tensor | None = None
    quantile_outputs: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    loc: Tensor | None = None
    scale: Tensor | None = None
