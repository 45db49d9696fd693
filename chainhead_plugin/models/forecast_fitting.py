"""The parts of a forecaster that are computed, not trained: its linear path, and the calibration of its quantiles."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from .forecasting.linear_path import seasonal_naive
from .forecasting.quantiles import conformal_offsets
from .forecasting.series_scaling import nonzero
from .modeling_chainhead_forecast import ChainHeadForTimeSeriesPrediction

RIDGES = (1e-4, 1e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0)

Windows = tuple[Tensor, Tensor]


@torch.no_grad()
def fit_linear_path(
    model: ChainHeadForTimeSeriesPrediction,
    training: Windows,
    validation: Windows | None = None,
    ridges: Sequence[float] = RIDGES,
) -> float:
    """Set a new forecaster's linear path in closed form; the chain then starts by adding nothing to it.

    The quantiles start as those of a normal distribution, as wide as the linear path's errors on validation windows, or
    on those of training if there are none.

    Parameters
    ----------
    model : ChainHeadForTimeSeriesPrediction
        With `with_linear_path`.
    training : pair of Tensor
        `past_values` and `future_values`, as the model takes them; NaN is a missing value.
    validation : pair of Tensor, optional
        Chooses the penalty, by the mean absolute error in units of the series' scale.
    ridges : sequence of float
        The penalties to choose from; a single penalty without `validation`.

    Returns
    -------
    float
        The penalty that was taken.

    Raises
    ------
    ValueError
        If the model has no linear path, a penalty is missing, or no window is complete.
    """
    path = model.linear_path
    if path is None:
        raise ValueError("the model has no linear path to fit: set with_linear_path=True")
    if validation is None and len(ridges) != 1:
        raise ValueError("a penalty is chosen by validation windows: pass them, or a single penalty")
    seen = _scaled(model, training)
    held_out = seen if validation is None else _scaled(model, validation)

    def error_of(ridge: float) -> float:
        path.fit(*seen, ridge)
        return float((path(held_out[0]) - held_out[1]).abs()[held_out[2]].mean())

    best = min(ridges, key=error_of)
    path.fit(*seen, best)
    errors = (path(held_out[0]) - held_out[1]).square()
    counts = held_out[2].sum((0, 2)).clamp(min=1)
    deviations = torch.where(held_out[2], errors, 0).sum((0, 2)).div(counts).sqrt()
    model.forecaster.weight.zero_()
    model.start_at_normal_quantiles(deviations.clamp(min=1e-3))
    return best


@torch.no_grad()
def calibrate_quantiles(
    model: ChainHeadForTimeSeriesPrediction, batches: Iterable[Mapping[str, Any]]
) -> list[float]:
    """Shift a forecaster's quantiles so that each is right on windows that training did not see.

    Each level gets an offset, in units of a series' own scale, by split conformal prediction: on new windows like
    these the observed value is below the quantile as often as the level says. The offsets are kept in the
    configuration, as `quantile_offsets`, and the median stays as it is.

    Parameters
    ----------
    model : ChainHeadForTimeSeriesPrediction
        With quantiles; in eval mode.
    batches : iterable of mapping
        The model's inputs, with `future_values`; NaN does not count.

    Returns
    -------
    list of float
        An offset for each level.

    Raises
    ------
    ValueError
        If the model forecasts no quantiles, trains, or nothing was observed.
    """
    config = model.config
    if not config.quantiles:
        raise ValueError("the model forecasts points, not quantiles: there is nothing to calibrate")
    if model.training:
        raise ValueError("the model is in training mode: call model.eval() first")
    before, config.quantile_offsets = config.quantile_offsets, []
    try:
        errors = [_quantile_errors(model, batch) for batch in batches]
        offsets = conformal_offsets(
            torch.cat([torch.zeros(0, len(config.quantiles)), *errors]), config.quantiles
        )
    except BaseException:
        config.quantile_offsets = before
        raise
    config.quantile_offsets = offsets
    return offsets


def _quantile_errors(model: ChainHeadForTimeSeriesPrediction, batch: Mapping[str, Any]) -> Tensor:
    """Return observed less forecast [values, quantiles], in units of each series' scale."""
    output = model(**{**batch, "return_loss": False}, return_dict=True)
    future: Tensor = batch["future_values"].to(output.quantile_outputs)
    scale = output.scale.expand_as(future)
    errors = (future.unsqueeze(-1) - output.quantile_outputs) / nonzero(scale).unsqueeze(-1)
    # A series that does not vary is forecast as it is, whatever the quantiles.
    return errors[~future.isnan() & (scale > 0)].float().cpu()


def _scaled(model: ChainHeadForTimeSeriesPrediction, windows: Windows) -> tuple[Tensor, Tensor, Tensor]:
    """Return the targets' scaled pasts, the values that a linear path should give, and which of these count."""
    config = model.config
    past, future = (part.unsqueeze(-1) if part.ndim == 2 else part for part in windows)
    scaled, loc, scale = model.scale(past.double(), ~past.isnan())
    targets = config.prediction_channel_indices
    if targets is not None:
        scaled, loc, scale = scaled[..., targets], loc[..., targets], scale[..., targets]
    counts = ~future.isnan() & (scale > 0)
    wanted = (torch.where(counts, future.double(), loc) - loc) / nonzero(scale)
    if config.seasons:
        wanted = wanted - seasonal_naive(scaled, config.seasons, future.size(1))
    dtype = model.forecaster.weight.dtype
    return scaled.to(dtype), wanted.to(dtype), counts


__all__ = ["RIDGES", "calibrate_quantiles", "fit_linear_path"]
