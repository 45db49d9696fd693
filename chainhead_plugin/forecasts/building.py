"""Turns a linear map of the past, effects of covariates and a band of quantiles into a transformers model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..config.configuration_chainhead import ChainHeadConfig
from ..models.forecasting.quantiles import start_at
from ..models.modeling_chainhead_forecast import ChainHeadForTimeSeriesPrediction

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LinearForecast:
    """The numbers that a model of the default forecaster computes with.

    Attributes
    ----------
    weight : float64 array [past, steps]
        Maps the past, less the effects of its covariates, to the forecast.
    effects : float64 array [covariates, targets]
        The change of a target, in the units in which the model computes, for each unit of a covariate.
    centres : float64 array [covariates]
        For each covariate, the value at which its effect is 0.
    constant : list of int
        Indices of covariates that did not vary in training; the model does not read them.
    """

    weight: Array
    effects: Array
    centres: Array
    constant: list[int]


def built(
    forecast: LinearForecast, targets: int, quantiles: Sequence[float], scaling: dict[str, Any], points: Array
) -> ChainHeadForTimeSeriesPrediction:
    """Return a model that computes a linear forecast, in eval mode.

    The model's linear path holds the map of the past. Without covariates the model's chain adds nothing to it. With
    covariates the chain, which sees each node alone, computes their effects at every step of the past. The model then
    subtracts the share of these effects in the linear path, and adds the effects of the future covariates.

    Parameters
    ----------
    forecast : LinearForecast
    targets : int
        Number of targets.
    quantiles : sequence of float
        Levels of the quantiles; 0.5 must be among them.
    scaling : dict
        The fields of `ChainHeadConfig` that concern scaling.
    points : float64 array [steps, quantiles]
        As for `set_band`.

    Returns
    -------
    ChainHeadForTimeSeriesPrediction
    """
    past, steps = forecast.weight.shape
    covariates = len(forecast.effects)
    chain: dict[str, Any] = {"n": 1, "pooling": "last"}
    if covariates:
        chain = {
            "n": targets,
            "pooling": "flatten",
            "channel_hops": [0],
            "with_relu": False,
            "enable_bias": True,
            "num_time_features": covariates,
            "constant_features": [targets + place for place in forecast.constant],
        }
    config = ChainHeadConfig(
        m=targets + covariates,
        chain_length=past,
        prediction_length=steps,
        quantiles=list(quantiles),
        with_linear_path=True,
        interpolate_missing=True,
        **chain,
        **scaling,
    )
    model = ChainHeadForTimeSeriesPrediction(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        assert model.linear_path is not None
        model.linear_path.map.weight.copy_(torch.from_numpy(forecast.weight.T.copy()))
        if covariates:
            _set_effects(model, forecast)
    set_band(model, points)
    return model


def _set_effects(model: ChainHeadForTimeSeriesPrediction, forecast: LinearForecast) -> None:
    config = model.config
    targets, steps = config.num_targets, forecast.weight.shape[1]
    effects = torch.from_numpy(forecast.effects)
    offsets = torch.from_numpy(forecast.centres) @ effects  # [targets]

    head: Any = model.chainhead.get_submodule("layers.0.head")
    head.reconciliation.linear.weight[:, targets:] = effects.T
    head.bias.copy_(-offsets)

    # [steps, targets, quantiles, features of the past or the future]
    shape = (steps, targets, len(config.quantiles), -1)
    median = config.quantiles.index(0.5)
    model.forecaster.bias.view(shape[:3])[..., median] = -offsets.to(model.forecaster.bias)
    seen = model.forecaster.weight[:, : config.context_size].view(shape)
    known = model.forecaster.weight[:, config.context_size :].view(shape)
    weight = torch.from_numpy(forecast.weight.T.copy()).to(seen)
    for target in range(targets):
        seen[:, target, median, target::targets] = -weight
        for step in range(steps):
            first = step * len(effects)
            known[step, target, median, first : first + len(effects)] = effects[:, target].to(known)


def with_quantiles(
    point: ChainHeadForTimeSeriesPrediction, quantiles: Sequence[float], points: Array
) -> ChainHeadForTimeSeriesPrediction:
    """Return a model that adds quantiles to a model without quantiles, in eval mode.

    Parameters
    ----------
    point : ChainHeadForTimeSeriesPrediction
        A model that forecasts single values. It is not changed.
    quantiles : sequence of float
        Levels of the quantiles; 0.5 must be among them, and is the forecast of `point`.
    points : float64 array [steps, quantiles]
        As for `set_band`.

    Returns
    -------
    ChainHeadForTimeSeriesPrediction
    """
    fields = point.config.to_dict() | {"quantiles": list(quantiles), "loss": None}
    model = ChainHeadForTimeSeriesPrediction(ChainHeadConfig.from_dict(fields)).eval()
    known = point.state_dict()
    weight, bias = known.pop("forecaster.weight"), known.pop("forecaster.bias")
    model.load_state_dict(known, strict=False)
    median = list(quantiles).index(0.5)
    with torch.no_grad():
        for whole, own in ((model.forecaster.weight, weight), (model.forecaster.bias, bias)):
            whole.zero_()
            whole[median :: len(quantiles)] = own
    set_band(model, points)
    return model


@torch.no_grad()
def set_band(model: ChainHeadForTimeSeriesPrediction, points: Array) -> None:
    """Set the distances of a model's quantiles from its point forecast, which does not change.

    Parameters
    ----------
    model : ChainHeadForTimeSeriesPrediction
        A model from `built` or `with_quantiles`, in which only the median has weights. Changed in place.
    points : float64 array [steps, quantiles]
        The distances in the units in which the model computes; ascending, 0 for the median.
    """
    config = model.config
    bias = model.forecaster.bias.view(len(points), config.num_targets, len(config.quantiles))
    median = config.quantiles.index(0.5)
    level = bias[..., median].clone()
    bias.copy_(start_at(torch.from_numpy(points), median).unsqueeze(1))
    bias[..., median] = level


__all__ = ["LinearForecast", "built", "set_band", "with_quantiles"]
