"""Count the origins of an evaluation whose values the forecaster was trained on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...forecasts.following.state import ERRORS_FILE, read_state
from ...inputs.named_sequences import NamedSequence
from ..data.in_time.windows import Windows


def told_known_origins(model: Any, folder: Path, sequences: Sequence[NamedSequence], windows: Windows) -> str:
    """Return how many origins lie within the training of a saved forecaster, as the end of a sentence.

    Parameters
    ----------
    model : ChainHeadForTimeSeriesPrediction
    folder : Path
        The model's folder.
    sequences : sequence of NamedSequence
        The series, of which those with times are compared with the training.
    windows : Windows
        Those of the series, in the same order.

    Returns
    -------
    str
        Empty if there are none, or if nothing says until when the model was trained.
    """
    file = folder / ERRORS_FILE
    state = read_state(file, model=model) if file.is_file() else None
    if state is None:
        return ""
    ends = [state.end_of(sequence.last) for sequence in sequences]
    # A window's time is the place of its first step to forecast within its series.
    first = [None if end is None else end - len(one.nodes) for end, one in zip(ends, sequences, strict=True)]
    origins = [
        begin + time
        for number, time in zip(windows.of_series.tolist(), windows.times.tolist(), strict=True)
        if (begin := first[number]) is not None
    ]
    known = sum(origin < state.fitted_until for origin in origins)
    if not known:
        return ""
    return (
        f"; {known:,} of these forecast values that the model was trained on: for the errors to expect of new values, "
        "give later rows"
    )
