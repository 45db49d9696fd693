"""A map of the past, effects of covariates and a band become an ordinary model."""

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
    """What a model of the default forecaster computes.

    Attributes
    ----------
    weight : float64 array [past, steps]
        From the past, less the effects in it, to the forecast.
    effects : float64 array [covariates, targets]
        In units in which the model computes, for each unit of a covariate.
    centres : float64 array [covariates]
        The values of covariates that have no effect.
    constant : list of int
        Covariates that did not vary: the model does not read them.
    """

    weight: Array
    effects: Array
    centres: Array
    constant: list[int]


def built(
    forecast: LinearForecast, targets: int, quantiles: Sequence[float], scaling: dict[str, Any], points: Array
) -> ChainHeadForTimeSeriesPrediction:
    """Return the model, in eval mode.

    Without covariates its chain adds nothing to the linear path. With covariates the chain, which looks at each node
    alone, is their effect at every step of the past: what the linear path says of it is taken off again, and the
    effects of the future's are added.

    Parameters
    ----------
    forecast : LinearForecast
    targets : int
    quantiles : sequence of float
    scaling : dict
        The configuration's fields of scaling.
    points : float64 array [steps, quantiles]
        As of `set_band`.
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
    """Return a point forecaster's model with a band around what it forecasts, in eval mode; as of `set_band`."""
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
    """Let a model forecast these quantiles around its point forecast, which stays.

    Parameters
    ----------
    model : ChainHeadForTimeSeriesPrediction
        Of `built`: weights are those of the median alone.
    points : float64 array [steps, quantiles]
        In units in which the model computes; ascending, 0 for the median.
    """
    config = model.config
    bias = model.forecaster.bias.view(len(points), config.num_targets, len(config.quantiles))
    median = config.quantiles.index(0.5)
    level = bias[..., median].clone()
    bias.copy_(start_at(torch.from_numpy(points), median).unsqueeze(1))
    bias[..., median] = level


__all__ = ["LinearForecast", "built", "set_band", "with_quantiles"]
