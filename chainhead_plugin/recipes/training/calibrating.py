"""Shift the quantiles of a trained forecaster by its errors on the validation part."""

from collections.abc import Iterator
from copy import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...models.forecast_fitting import calibrate_quantiles
from ..candidates.inputs.inputs import Inputs
from ..data.examples import Examples

_BATCH = 512


def calibrate(model: nn.Module, inputs: Inputs, validation: Examples) -> None:
    """Calibrate a forecaster, or a peer of it, on windows that its weights were not trained on.

    Parameters
    ----------
    model : nn.Module
        A ChainHeadForTimeSeriesPrediction with quantiles, in evaluation mode.
    inputs : Inputs
        The model's preprocessing.
    validation : Examples
        Windows.
    """
    forecaster: Any = model
    # Several models share a configuration, but each has its own offsets.
    forecaster.config = copy(forecaster.config)

    def batches() -> Iterator[dict[str, Tensor]]:
        for start in range(0, len(validation.labels), _BATCH):
            part = slice(start, start + _BATCH)
            yield {
                **inputs.batch(validation.inputs[part]),
                "future_values": torch.from_numpy(np.array(validation.labels[part])),
            }

    calibrate_quantiles(forecaster, batches())
