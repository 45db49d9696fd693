"""The errors that a band comes from, how far in time they reach, and the band after newer values."""

import copy
import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from ...models.modeling_chainhead_forecast import ChainHeadForTimeSeriesPrediction
from ...tables.time.marks import TimeMark
from ..bands import ErrorRecord
from ..building import set_band
from .errors import SeriesInTime, errors_since

# The file beside a model.
ERRORS_FILE = "forecast_errors.safetensors"
_STATE = "state"


@dataclass(frozen=True)
class BandState:
    """What a band is made of. Steps are counted from the first time of the training data.

    Attributes
    ----------
    record : ErrorRecord
    fitted_until : int
        The step just after the last that the fit has seen.
    known_until : int
        The step just after the last that the record has seen.
    mark : TimeMark, optional
        The time of the step before `known_until`; None if the data had no evenly spaced times.
    follows : bool
        Whether forecasts from a longer past take the band of the newer errors.
    """

    record: ErrorRecord
    fitted_until: int
    known_until: int
    mark: TimeMark | None = None
    follows: bool = True

    def end_of(self, mark: TimeMark | None) -> int | None:
        """Return the step just after the time of a mark; None if the times of the two cannot be compared."""
        if self.mark is None or mark is None:
            return None
        steps = self.mark.steps_to(mark)
        return None if steps is None else self.known_until + steps

    def after(
        self, model: ChainHeadForTimeSeriesPrediction, series: SeriesInTime, mark: TimeMark | None = None
    ) -> tuple["BandState", int]:
        """Return the state after newer values, and the number of steps from which newer forecasts were judged.

        Forecasts are made from every step after the fit whose errors the record does not know in full. If the series
        do not reach back to the beginning of the training data, only from steps with as long a past as the model takes.

        Parameters
        ----------
        model : ChainHeadForTimeSeriesPrediction
        series : SeriesInTime
            The whole past, its steps counted as those of this state.
        mark : TimeMark, optional
            The time of the last step.

        Returns
        -------
        state : BandState
            This state, if no series has a newer value.
        origins : int
        """
        now = max(series.ends)
        if now <= self.known_until:
            return self, 0
        config: Any = model.config
        since = max(self.fitted_until, self.known_until - config.prediction_length + 1)
        least = 1 if series.first <= 0 else config.chain_length
        errors, origins, share = errors_since(series, since, model, least)
        record = self.record.followed_by(errors, origins, share) if len(origins) else self.record
        return replace(self, record=record, known_until=now, mark=mark), len(np.unique(origins))

    def band(self, model: ChainHeadForTimeSeriesPrediction) -> NDArray[np.float64]:
        """Return the distances of a model's quantiles from its median [steps, quantiles]."""
        return self.record.band(self.known_until, model.config.quantiles)

    def save(self, file: Path, model: ChainHeadForTimeSeriesPrediction) -> None:
        """Write the state of a model into a safetensors file."""
        state = {
            "memory": self.record.memory,
            "until": [self.fitted_until, self.known_until],
            "mark": None if self.mark is None else self.mark.to_dict(),
            "follows": self.follows,
            "model": fingerprint(model),
        }
        arrays = {"errors": self.record.errors, "origins": self.record.origins, "steps": self.record.steps}
        contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        save_file(contiguous, file, {_STATE: json.dumps(state, allow_nan=False)})


def followed(
    model: ChainHeadForTimeSeriesPrediction, state: BandState, series: SeriesInTime
) -> tuple[ChainHeadForTimeSeriesPrediction, int]:
    """Return a model with the band of the newer errors, and the number of steps from which these were measured.

    It is the same model if nothing is newer, else a copy.
    """
    newer, origins = state.after(model, series)
    if not origins:
        return model, 0
    copied = copy.deepcopy(model)
    set_band(copied, newer.band(model))
    return copied, origins


def read_state(
    file: Path, older: dict[str, Any] | None = None, model: ChainHeadForTimeSeriesPrediction | None = None
) -> BandState | None:
    """Return the state in a file.

    Parameters
    ----------
    file : Path
    older : dict, optional
        The memory and the steps of a file that lacks them, as "memory" and "until". Such a file, which was written
        before files had times, is not read without them.
    model : ChainHeadForTimeSeriesPrediction, optional
        The model that the errors have to be of.

    Returns
    -------
    BandState, optional
        None if the file has no state, or that of another model, such as the one before a further training.

    Raises
    ------
    ValueError
        If the file is damaged.
    """
    try:
        with safe_open(file, framework="np") as opened:
            text = (opened.metadata() or {}).get(_STATE)
            arrays = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118  # it is no mapping
        state = older if text is None else json.loads(text)
        if text is None and older is not None and not {"memory", "until"} <= older.keys():
            raise ValueError("it does not say to which time its errors belong")
        if state is None or (model is not None and state["model"] != fingerprint(model)):
            return None
        record = _record(arrays, float(state["memory"]))
        fitted_until, known_until = map(int, state["until"])
        mark = None if state.get("mark") is None else TimeMark.from_dict(state["mark"])
        return BandState(record, fitted_until, known_until, mark, bool(state.get("follows", True)))
    except (AttributeError, KeyError, TypeError, ValueError, SafetensorError) as error:
        raise ValueError(f"{file} is damaged: {error}") from error


def fingerprint(model: ChainHeadForTimeSeriesPrediction) -> str:
    """Return a hash of everything that the quantiles of a model depend on, in hexadecimal digits."""
    digest = hashlib.sha256(repr(model.config.quantile_offsets).encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _record(arrays: dict[str, Any], memory: float) -> ErrorRecord:
    """Return a record of errors, after checking that its arrays fit each other."""
    errors, origins, steps = (arrays[name] for name in ("errors", "origins", "steps"))
    fits = errors.ndim == 2 and errors.shape[1] and origins.shape == steps.shape == errors.shape[:1]
    if not fits or {errors.dtype.kind, steps.dtype.kind} != {"f"} or origins.dtype.kind != "i" or memory <= 0:
        shapes = ", ".join(f"{name} {array.dtype} {list(array.shape)}" for name, array in arrays.items())
        raise ValueError(f"its record of errors does not fit together: {shapes}, memory {memory:g}")
    return ErrorRecord(errors, origins, steps, memory)


__all__ = ["ERRORS_FILE", "BandState", "followed", "read_state"]
