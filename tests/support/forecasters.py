"""Small forecasting models with random weights, and series for them."""

import pytest
import torch

from chainhead_plugin import ChainHeadConfig, ChainHeadForTimeSeriesPrediction

NAN = float("nan")
CONFIGS = {
    "point": {"m": 1, "n": 6},
    "quantiles": {"m": 1, "hidden_sizes": [6, 5], "quantiles": [0.1, 0.25, 0.5, 0.9], "pooling": "flatten"},
    "channels": {"m": 3, "n": 6, "pooling": "flatten", "loss": "huber", "enable_bias": True},
    "targets": {
        "m": 6,
        "n": 6,
        "with_observed_indicator": True,
        "prediction_channel_indices": [0, 2],
        "quantiles": [0.2, 0.5],
        "pooling": "last",
        "with_multihop": True,
        "h": 3,
    },
    "mean-scaled": {"m": 2, "n": 6, "pooling": "max", "scaling": "mean", "loss": "mae"},
    "bi-directional": {
        "m": 1,
        "n": 6,
        "bi_directional": True,
        "with_inverse_approx": True,
        "pooling": "flatten",
        "scaling": None,
    },
}
every_config = pytest.mark.parametrize("fields", CONFIGS.values(), ids=CONFIGS)


def build(fields, **extra):
    config = ChainHeadConfig(**{"chain_length": 12, "prediction_length": 4} | fields | extra)
    model = ChainHeadForTimeSeriesPrediction(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.uniform_(-0.7, 0.7)
    return model.eval()


def series(model, batch=3, length=10):
    return torch.randn(batch, length, model.config.num_input_channels) * 2 + 3


def future(model, batch=3):
    return torch.randn(batch, model.config.prediction_length, model.config.num_targets) + 3
