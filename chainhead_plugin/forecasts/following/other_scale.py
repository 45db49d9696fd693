"""Series that vary far more than the series whose units a forecaster's band has."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...config.configuration_chainhead import ChainHeadConfig

# Series that go on after the training vary more than in it, but hardly so many times.
_FAR = 10


def tell_other_scale(config: ChainHeadConfig, past: NDArray[Any]) -> None:
    """Warn if series vary far more than in training, where the scale of the model is fixed.

    Forecasts of such a model grow with the series, but its band does not. In other units, such as watts for kilowatts,
    it is far too narrow, which its numbers do not show.

    Parameters
    ----------
    config : ChainHeadConfig
        Of a forecaster.
    past : float array [batch, length, channels] or [length, channels]
        NaN where a value is missing.
    """
    if config.scaling != "fixed" or not config.quantiles:
        return
    scale = np.asarray(config.fixed_scale, np.float64)
    values = np.asarray(past, np.float64)[..., : len(scale)]
    observed = np.isfinite(values)
    counts = np.maximum(observed.sum(-2, keepdims=True), 1)
    centre = np.where(observed, values, 0).sum(-2, keepdims=True) / counts
    # Divided first, as squares of large numbers overflow.
    apart = np.where(observed, (values - centre) / scale, 0)
    ratio = float(np.sqrt((apart**2 / counts).sum(-2)).max(initial=0))
    if ratio > _FAR:
        about = float(f"{ratio:.1g}")
        warnings.warn(
            f"the values vary about {about:,.0f} times as much as in the training of this forecaster, but its "
            "quantiles keep the distances that they had there, so that they may be far too narrow: give values in the "
            "units of the training, or fit a forecaster to them",
            stacklevel=2,
        )


__all__ = ["tell_other_scale"]
