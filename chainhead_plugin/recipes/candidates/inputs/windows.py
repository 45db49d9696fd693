"""Inputs of models that forecast: windows of series."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ....config.configuration_chainhead import ChainHeadConfig
from ....inputs.feature_extraction_chainhead import ChainHeadFeatureExtractor
from ....models.modeling_chainhead_forecast import ChainHeadForTimeSeriesPrediction
from ...data.examples import Examples
from ...data.in_time.views import WindowViews
from ...data.in_time.windows import Windows, windows_of
from ...errors import RecipeError
from ...recipe import Recipe
from .inputs import Batch, Inputs, as_recipe_errors


def prepare_windows(recipe: Recipe, training: Examples) -> Inputs:
    """Return the inputs of a forecaster for the windows of a recipe's series.

    Raises
    ------
    RecipeError
        If the model's options are not valid, or state a field that follows from the data.
    """
    windows = windows_of(training)
    layout = windows.layout
    size = layout.channels * (2 if recipe.model.get("with_observed_indicator") else 1)
    fields = {
        "m": size + len(layout.known),
        "num_time_features": len(layout.known),
        "prediction_channel_indices": list(range(len(layout.targets))) if layout.past else None,
    }
    if constant := _constant_features(recipe, windows):
        fields["constant_features"] = constant
    if clash := sorted(fields.keys() & recipe.model.keys()):
        raise RecipeError(f"model: {clash[0]} follows from the data: leave it out")
    with as_recipe_errors():
        config = ChainHeadConfig(**fields, **recipe.model)
    inputs = _forecast_inputs(config, fields)
    if windows.schema is None:
        return inputs
    width = layout.channels + len(layout.known)
    extractor = ChainHeadFeatureExtractor(width, do_normalize=False, schema=windows.schema.to_dict())
    return replace(inputs, preprocessor=extractor)


def _constant_features(recipe: Recipe, training: Windows) -> list[int]:
    """Return the features of a node that do not vary in training, and warn of the columns among them."""
    layout = training.layout
    columns = training.constant_columns()
    if columns:
        names = (*layout.targets, *layout.past, *layout.known)
        warnings.warn(
            f"columns that do not vary in training get no weight, whatever they hold later: "
            f"{', '.join(names[column] for column in columns)}",
            stacklevel=2,
        )
    if not recipe.model.get("with_observed_indicator"):
        return columns
    # Behind the channels, nodes have an indicator for each channel: whether it was observed.
    channels = layout.channels
    moved = [column if column < channels else column + channels for column in columns]
    return sorted({*moved, *(channels + channel for channel in training.constant_indicators())})


def load_windows(folder: Path) -> Inputs:
    """Return the inputs of a saved forecaster."""
    return _forecast_inputs(ChainHeadConfig.from_pretrained(folder))


def _forecast_inputs(config: ChainHeadConfig, fields: dict[str, Any] | None = None) -> Inputs:
    """Return the inputs of a forecaster: windows split into past and future, which the model scales itself."""
    return Inputs(
        fields=fields or {},
        model_class=ChainHeadForTimeSeriesPrediction,
        auto_class="AutoModelForTimeSeriesPrediction",
        batch=_window_batch(config),
        preprocessor=None,
    )


def _window_batch(config: ChainHeadConfig) -> Batch:
    steps, channels = config.prediction_length, config.num_input_channels
    assert steps is not None

    def batch(windows: Sequence[Any]) -> dict[str, Tensor]:
        stacked = windows.stacked() if isinstance(windows, WindowViews) else np.stack(windows)
        rows = torch.from_numpy(stacked)
        found = {"past_values": rows[:, :-steps, :channels]}
        if config.num_time_features:
            found["past_time_features"] = rows[:, :-steps, channels:]
            found["future_time_features"] = rows[:, -steps:, channels:]
        return found

    return batch
