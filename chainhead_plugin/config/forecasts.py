"""The options of forecasters, checked before anything is allocated."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from ..checks.values import check_number, check_whole_number

MAX_PREDICTION_LENGTH = 2**20
MAX_QUANTILES = 999

POINT_LOSSES = ("mse", "mae", "huber")

# The options of a model that is no forecaster.
_DEFAULTS: dict[str, Any] = {
    "prediction_channel_indices": None,
    "quantiles": [],
    "loss": None,
    "scaling": "std",
    "fixed_loc": [],
    "fixed_scale": [],
    "interpolate_missing": False,
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
    TypeError, ValueError
        If an option has the wrong type, is out of range, contradicts another or has no effect; the message names them.
    """
    prediction_length = options["prediction_length"]
    if prediction_length is None:
        for name, default in _DEFAULTS.items():
            if options[name] != default:
                raise ValueError(
                    f"{name}={options[name]!r} has no effect without prediction_length, which makes a forecaster"
                )
        return

    check_whole_number("prediction_length", prediction_length, 1, MAX_PREDICTION_LENGTH)
    covariates = options["num_time_features"]
    reason = f"a node has m={options['m']:,} features, one of them at least a channel"
    check_whole_number("num_time_features", covariates, 0, options["m"] - 1, reason=reason)

    channels = options["m"] - covariates
    if options["with_observed_indicator"]:
        if channels % 2:
            raise ValueError(
                f"m={options['m']} with with_observed_indicator=True: a node holds every channel and its indicator, so "
                "m is twice the number of channels, plus num_time_features"
            )
        channels //= 2

    _check_channels(options["prediction_channel_indices"], channels)
    _check_fixed_scaling(options, channels)
    check_quantiles(options["quantiles"], options["loss"])
    _check_offsets(options["quantile_offsets"], options["quantiles"])

    m, past = options["m"], options["chain_length"]
    _check_ascending(
        "constant_features", options["constant_features"], 0, m - 1, f"a node has m={m:,} features"
    )
    reason = f"a forecaster sees the past of chain_length={past:,} steps"
    _check_ascending("seasons", options["seasons"], 1, past, reason)


def _check_channels(indices: Sequence[int] | None, channels: int) -> None:
    if indices is None:
        return
    if not indices or len(indices) > channels:
        raise ValueError(
            f"prediction_channel_indices must name at least one and at most all of the {channels:,} channels, got "
            f"{len(indices):,}: None forecasts all"
        )
    reason = f"there are {channels:,} channels"
    _check_ascending("prediction_channel_indices", indices, 0, channels - 1, reason)


def _check_fixed_scaling(options: Mapping[str, Any], channels: int) -> None:
    for name, above in (("fixed_loc", None), ("fixed_scale", 0)):
        numbers = options[name]
        if options["scaling"] != "fixed":
            if numbers:
                raise ValueError(f"{name} has no effect with scaling={options['scaling']!r}: set 'fixed'")
            continue
        if len(numbers) != channels:
            raise ValueError(
                f"scaling='fixed' needs {name} with a number for each of the {channels:,} channels, got {len(numbers)}"
            )
        for number in numbers:
            check_number(f"each of {name}", number, above=above)


def check_quantiles(quantiles: Sequence[float], loss: str | None = None) -> None:
    """Check the levels of a forecaster's quantiles.

    Raises
    ------
    TypeError, ValueError
        If a level is no number between 0 and 1, they do not rise, 0.5 is missing, or the loss does not need them.
    """
    if not len(quantiles):
        if loss == "pinball":
            raise ValueError(
                f"loss='pinball' needs quantiles, such as [0.1, 0.5, 0.9]; without, choose one of {POINT_LOSSES}"
            )
        return
    if loss not in (None, "pinball"):
        raise ValueError(
            f"loss={loss!r} contradicts quantiles, whose loss is 'pinball': leave out either of them"
        )
    if len(quantiles) > MAX_QUANTILES:
        raise ValueError(f"quantiles has {len(quantiles):,} levels, more than {MAX_QUANTILES}")
    for level in quantiles:
        check_number("each of quantiles", level, above=0, below=1)
    _refuse_disorder("quantiles", quantiles)
    if 0.5 not in quantiles:
        raise ValueError(
            f"quantiles must have 0.5 among them, the median, which is the point forecast; got {list(quantiles)}"
        )


def _check_offsets(offsets: Sequence[float], quantiles: Sequence[float]) -> None:
    if not offsets:
        return
    if len(offsets) != len(quantiles):
        raise ValueError(f"quantile_offsets has {len(offsets)} numbers for {len(quantiles)} quantiles")
    for offset in offsets:
        check_number("each of quantile_offsets", offset)
    if offsets[list(quantiles).index(0.5)] != 0:
        raise ValueError("quantile_offsets must be 0 for the median, which is the point forecast")


def _check_ascending(name: str, numbers: Sequence[int], least: int, most: int, reason: str) -> None:
    for number in numbers:
        check_whole_number(f"each of {name}", number, least, most, reason=reason)
    _refuse_disorder(name, numbers)


def _refuse_disorder(name: str, numbers: Sequence[float]) -> None:
    if not all(low < high for low, high in pairwise(numbers)):
        raise ValueError(f"{name} must be ascending, each once, got {list(numbers)}")
