"""Bands of the pipeline that follow newer errors: what a checkpoint saves for it, and the series of a call."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from transformers.utils import cached_file

from ..forecasts.following.errors import SeriesInTime
from ..forecasts.following.state import ERRORS_FILE, BandState, followed, read_state
from ..inputs.named_sequences import NamedSequence


def saved_band(model: Any) -> BandState | None:
    """Return the errors that were saved with a model in its folder or repository.

    None if there are none, or those of other weights, such as the weights before a further training.

    Raises
    ------
    ValueError
        If the file is damaged.
    """
    commit = getattr(model.config, "_commit_hash", None)
    file = (
        cached_file(
            model.name_or_path,
            ERRORS_FILE,
            revision=commit,
            local_files_only=commit is None,
            _raise_exceptions_for_gated_repo=False,
            _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_connection_errors=False,
        )
        if model.name_or_path and model.config.quantiles
        else None
    )
    return None if file is None else read_state(Path(file), model=model)


def followed_by(model: Any, state: BandState, sequences: Sequence[Any], steps: int) -> tuple[Any, int]:
    """Return a model with the band of the errors within these sequences, and the number of steps they begin at.

    Parameters
    ----------
    model : ChainHeadForTimeSeriesPrediction
        It is not changed.
    state : BandState
        Of the model.
    sequences : sequence
        As `NamedSequence`, with times; of those without times no error is measured.
    steps : int
        Steps to forecast. With covariates, sequences end with as many rows of the future.

    Returns
    -------
    model : ChainHeadForTimeSeriesPrediction
        The same model if there is no such error, else a copy.
    origins : int
    """
    config = model.config
    width = config.num_input_channels + config.num_time_features
    future = steps if config.num_time_features else 0
    values, ends = [], []
    for sequence in sequences:
        end = state.end_of(sequence.last) if isinstance(sequence, NamedSequence) else None
        if end is None or sequence.nodes.shape[1] != width or len(sequence.nodes) <= future:
            continue
        values.append(np.asarray(sequence.nodes, np.float64))
        ends.append(end - future)
    if not values:
        return model, 0
    pasts = [nodes[: len(nodes) - future, : config.num_input_channels] for nodes in values]
    known = [nodes[:, config.num_input_channels :] for nodes in values] if future else None
    return followed(model, state, SeriesInTime(pasts, ends, known))
