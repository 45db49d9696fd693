"""Runs forecasting models on prepared inputs, after checking that these hold values, for any number of steps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..forecasts.rolling import ahead_with_known, forecast_behind_gaps, roll_forward
from .other_forecasters import OtherForecaster


@dataclass(frozen=True)
class ForecastRun:
    """A forecasting model and how it is called.

    Attributes
    ----------
    model : PreTrainedModel
    other : OtherForecaster, optional
        The description of a forecaster of transformers; None for a model of this package.
    context_length : int, optional
        The most steps from which to forecast; by default all, or those that the model takes.
    """

    model: Any
    other: OtherForecaster | None
    context_length: int | None = None

    @property
    def described(self) -> Any:
        """The model's description with the fields of `ChainHeadConfig`: its configuration, or an `OtherForecaster`."""
        return self.model.config if self.other is None else self.other

    def once(self, inputs: Any) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the point forecast [batch, horizon, targets], and the quantiles [..., levels] or None."""
        if self.other is not None:
            covariates = [inputs.get(f"{part}_time_features") for part in ("past", "future")]
            return self.other.run(inputs["past_values"].to(self.model.dtype), *covariates)
        outputs = self.model(**inputs, return_dict=True)
        return outputs.prediction_outputs, outputs.quantile_outputs

    def rolled(
        self, inputs: Any, steps: int, gaps: Sequence[int] | None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the same for any number of steps, behind missing values at the ends of series."""
        levels, past = self.described.quantiles, inputs["past_values"]
        known = None
        if self.described.num_time_features:
            known = torch.cat([inputs["past_time_features"], inputs["future_time_features"]], 1)

        def ahead(some: torch.Tensor, count: int, rows: Any = slice(None)) -> torch.Tensor:
            at_once: Callable[[torch.Tensor], torch.Tensor] = self._at_once
            if known is not None:
                horizon = int(self.described.prediction_length)
                at_once = ahead_with_known(self._at_once, known[rows], horizon)
            return roll_forward(at_once, some, count, levels)

        found = ahead(past, steps) if gaps is None else forecast_behind_gaps(ahead, past, gaps, steps)
        return found[..., levels.index(0.5) if levels else 0], found if levels else None

    def _at_once(
        self, past: torch.Tensor, known: torch.Tensor | None = None, future: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the forecast [batch, horizon, targets, quantiles or 1] from the last values that the model takes."""
        longest = self.context_length
        if longest is None and "flatten" in self.described.poolings:
            longest = self.described.chain_length
        if longest is not None:
            past = past[:, -longest:]
            known = None if known is None else known[:, -longest:]
        inputs = {"past_values": past}
        if known is not None and future is not None:
            inputs |= {"past_time_features": known, "future_time_features": future}
        point, quantiles = self.once(inputs)
        return point.unsqueeze(-1) if quantiles is None else quantiles


def check_observed(past: NDArray[Any], lengths: NDArray[np.intp], targets: Sequence[int] | None) -> None:
    """Check that every series has a value of every channel to forecast.

    Parameters
    ----------
    past : array [series, steps, channels]
    lengths : int array [series]
        The number of steps of each series, for the message.
    targets : sequence of int, optional
        Indices of the channels to forecast; None for all.

    Raises
    ------
    ValueError
        If all values of such a channel are missing.
    """
    for index, channel in np.argwhere(np.isnan(past).all(1)):
        if targets is None or channel in targets:
            raise ValueError(
                f"sequence {index}, channel {channel}: all of its last {lengths[index]} values are missing, there "
                "is nothing to forecast from"
            )


__all__ = ["ForecastRun", "check_observed"]
