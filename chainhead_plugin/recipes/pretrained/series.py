"""What an encoder of series takes: how many channels, and how many steps."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import RecipeError


def check_series(config: dict[str, Any], series: Sequence[Any]) -> None:
    """Check that an encoder takes series.

    Parameters
    ----------
    config : dict
        The encoder's configuration.
    series : sequence of float arrays [L_i, channels]

    Raises
    ------
    RecipeError
        If the encoder takes another number of channels, or fewer steps than a series has.
    """
    # Encoders that take any number of channels, one by one, take series of any length too.
    if (channels := config.get("num_input_channels")) is None:
        return
    if (found := np.shape(series[0])[1]) != channels:
        raise RecipeError(f"encoder: it takes series of {channels} features, but the data have {found}")
    if (longest := max(map(len, series))) > config["context_length"]:
        raise RecipeError(
            f"encoder: it takes series of at most {config['context_length']:,} nodes, but the longest has {longest:,}: "
            "cut them, or resample them"
        )
