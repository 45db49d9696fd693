"""The options of forecasters, checked before anything is allocated."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

MAX_PREDICTION_LENGTH = 2**20
MAX_QUANTILES = 999

POINT_LOSSES = ("mse", "mae", "huber")

# What the options of a model that is no forecaster are.
_DEFAULTS: dict[str, Any] = {
    "prediction_channel_indices": None,
    "quantiles": [],
    "loss": None,
    "scaling": "std",
    "with_observed_indicator": False,
    "num_time_features": 0,
    "constant_features": [],
    "seasons": [],
    "with_linear_path": False,
    "quantile_offsets": [],
}


def check_forecast_options(options: Mapping[str, Any]) -> None:
    """Check a forecaster's options, in ranges and combinations.

    Parameters
    ----------
    options : mapping
        `m`, `prediction_length` and the fields of a configuration that belong to it, of the right types.

    Raises
    ------
    ValueError
        If an option is out of range, contradicts another or has no effect; the message names them.
    """
    prediction_length = options["prediction_length"]
    if prediction_length is None:
        for name, default in _DEFAULTS.items():
            if options[name] != default:
                raise ValueError(
                    f"{name}={options[name]!r} has no effect without prediction_length, which makes a forecaster"
                )
        return
    if isinstance(prediction_length, bool) or not 1 <= prediction_length <= MAX_PREDICTION_LENGTH:
        raise ValueError(
            f"prediction_length must be between 1 and {MAX_PREDICTION_LENGTH:,}, got {prediction_length!r}"
        )
    covariates = options["num_time_features"]
    channels = options["m"] - covariates
    if isinstance(covariates, bool) or covariates < 0 or channels < 1:
        raise ValueError(
            f"num_time_features must be at least 0 and less than m={options['m']:,}, the features of a node, got "
            f"{covariates!r}"
        )
    if options["with_observed_indicator"]:
        if channels % 2:
            raise ValueError(
                f"m={options['m']} with with_observed_indicator=True: a node holds every channel and its indicator, so "
                "m is twice the number of channels, plus num_time_features"
            )
        channels //= 2
    _check_channels(options["prediction_channel_indices"], channels)
    _check_quantiles(options["quantiles"], options["loss"])
    _check_offsets(options["quantile_offsets"], options["quantiles"])
    _check_constant_features(options["constant_features"], options["m"])
    _check_seasons(options["seasons"], options["chain_length"])


def _check_channels(indices: Sequence[int] | None, channels: int) -> None:
    if indices is None:
        return
    if not indices or len(indices) > channels:
        raise ValueError(
            f"prediction_channel_indices must name at least one and at most all of the {channels:,} channels, got "
            f"{len(indices):,}: None forecasts all"
        )
    ascending = all(low < high for low, high in pairwise(indices))
    if any(isinstance(index, bool) for index in indices) or not ascending:
        raise ValueError(f"prediction_channel_indices must be ascending channel numbers, got {indices}")
    if indices[0] < 0 or indices[-1] >= channels:
        raise ValueError(
            f"prediction_channel_indices must lie between 0 and {channels - 1:,} for {channels:,} channels, got "
            f"{indices}"
        )


def _check_quantiles(quantiles: Sequence[float], loss: str | None) -> None:
    if not quantiles:
        if loss == "pinball":
            raise ValueError(
                f"loss='pinball' needs quantiles, such as [0.1, 0.5, 0.9]; without, choose one of {POINT_LOSSES}"
            )
        return
    if loss not in (None, "pinball"):
        raise ValueError(
            f"loss={loss!r} contradicts quantiles, whose loss is 'pinball': leave one of them out"
        )
    if len(quantiles) > MAX_QUANTILES:
        raise ValueError(f"quantiles has {len(quantiles):,} levels, more than {MAX_QUANTILES}")
    ascending = all(low < high for low, high in pairwise(quantiles))
    if not all(math.isfinite(level) and 0 < level < 1 for level in quantiles) or not ascending:
        raise ValueError(f"quantiles must be ascending levels between 0 and 1, got {list(quantiles)}")
    if 0.5 not in quantiles:
        raise ValueError(
            f"quantiles must have 0.5 among them, the median, which is the point forecast; got {list(quantiles)}"
        )


def _check_offsets(offsets: Sequence[float], quantiles: Sequence[float]) -> None:
    if not offsets:
        return
    if len(offsets) != len(quantiles):
        raise ValueError(f"quantile_offsets has {len(offsets)} numbers for {len(quantiles)} quantiles")
    if not all(math.isfinite(offset) for offset in offsets):
        raise ValueError(f"quantile_offsets must be finite, got {list(offsets)}")
    if offsets[list(quantiles).index(0.5)] != 0:
        raise ValueError("quantile_offsets must be 0 for the median, which is the point forecast")


def _check_constant_features(features: Sequence[int], m: int) -> None:
    ascending = all(low < high for low, high in pairwise(features))
    if any(isinstance(feature, bool) for feature in features) or not ascending:
        raise ValueError(f"constant_features must be ascending numbers of features, got {list(features)}")
    if features and (features[0] < 0 or features[-1] >= m):
        raise ValueError(
            f"constant_features must lie between 0 and {m - 1:,} for m={m}, got {list(features)}"
        )


def _check_seasons(seasons: Sequence[int], chain_length: int) -> None:
    ascending = all(low < high for low, high in pairwise(seasons))
    if any(isinstance(season, bool) for season in seasons) or not ascending:
        raise ValueError(f"seasons must be ascending numbers of steps, got {list(seasons)}")
    if seasons and (seasons[0] < 1 or seasons[-1] > chain_length):
        raise ValueError(
            f"seasons must lie between 1 and chain_length={chain_length}, the past that a forecaster sees, got "
            f"{list(seasons)}"
        )
