"""Forecasts from pasts that end in a gap, as `chainhead predict` makes them: the gap is forecast too, and left out."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...forecasts.rolling import ahead_with_known, forecast_behind_gaps, roll_forward, trailing_gap
from ..data.in_time.windows import Windows


@torch.no_grad()
def with_gaps_forecast(forecasts: NDArray[Any], model: Any, windows: Windows) -> NDArray[Any]:
    """Return forecasts of windows, those of pasts that end in a gap replaced.

    Parameters
    ----------
    forecasts : array [windows, steps, targets] or [windows, steps, targets, quantiles]
        As the model makes them at once.
    model : ChainHeadForTimeSeriesPrediction
        In evaluation mode, on the CPU. If it has channels that it does not forecast, forecasts are returned as they
        are, since it cannot go on from them.
    windows : Windows
    """
    config = model.config
    channels, past, steps = config.num_input_channels, config.chain_length, config.prediction_length
    if channels > config.num_targets:
        return forecasts
    gaps = np.array([trailing_gap(windows.inputs[i][:past, :channels]) for i in range(len(windows.inputs))])
    behind = np.flatnonzero(gaps)
    if not len(behind):
        return forecasts
    longest = int(gaps.max())
    rows = torch.from_numpy(np.stack([_longer(windows, int(i), longest) for i in behind]))
    known, levels = rows[..., channels:], config.quantiles

    def at_once(values: torch.Tensor, *covariates: torch.Tensor) -> torch.Tensor:
        named = dict(zip(("past_time_features", "future_time_features"), covariates, strict=False))
        if named:
            named["past_time_features"] = named["past_time_features"][:, -past:]
        found = model(past_values=values[:, -past:], return_dict=True, **named)
        return found.quantile_outputs if levels else found.prediction_outputs.unsqueeze(-1)

    def ahead(values: torch.Tensor, count: int, some: torch.Tensor) -> torch.Tensor:
        forecast = ahead_with_known(at_once, known[some], steps) if known.size(-1) else at_once
        return roll_forward(forecast, values, count, levels)

    found = forecast_behind_gaps(ahead, rows[:, :-steps, :channels], gaps[behind].tolist(), steps)
    replaced = forecasts.copy()
    replaced[behind] = found.numpy() if forecasts.ndim == 4 else found[..., 0].numpy()
    return replaced


def _longer(windows: Windows, number: int, more: int) -> NDArray[Any]:
    """Return a window with some steps before it, NaN where its series has none, and with unknown channels to come."""
    views = windows.inputs
    values, begin = views.series[int(views.of_series[number])], int(views.begins[number])
    first = max(0, begin - more)
    found = np.full((more + views.past + views.future, values.shape[1]), np.nan, values.dtype)
    found[more - (begin - first) :] = values[first : begin + views.past + views.future]
    found[-views.future :, : views.channels] = np.nan
    return found
