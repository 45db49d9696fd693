"""Classifiers of transformers that label every frame of a recording: their inputs and outputs."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

_SUFFIX = "ForAudioFrameClassification"
# Models whose frames have any number of labels at once.
_OVERLAPPING = ("nemotron3_diarization",)


class OtherFrameClassifier:
    """A frame classifier of transformers over waveforms, with its own feature extractor.

    Recordings of equal length are run together, and no others, so that there is no padding: many of these encoders let
    padding into their frames.

    Raises
    ------
    TypeError
        If there is no feature extractor of waveforms.
    ValueError
        If a frame may have several labels.
    """

    def __init__(self, model: Any, feature_extractor: Any) -> None:
        name = type(model).__name__
        if model.config.model_type in _OVERLAPPING:
            raise ValueError(
                f"{name} may give several labels to a frame, and segments have one: call the model itself"
            )
        if getattr(feature_extractor, "sampling_rate", None) is None:
            raise TypeError(
                f"{name} needs the feature extractor of its encoder, got {type(feature_extractor).__name__}: pass "
                "feature_extractor=AutoFeatureExtractor.from_pretrained(…)"
            )
        self._model, self._extractor = model, feature_extractor

    def recordings(self, sequences: list[Any]) -> dict[str, Any]:
        """Return waveforms [samples] as the model is to be run on them.

        Raises
        ------
        ValueError
            If a sequence is no waveform of finite numbers.
        """
        return {"recordings": [_waveform(one, number) for number, one in enumerate(sequences)]}

    def logits(self, recordings: list[NDArray[Any]]) -> tuple[Tensor, Tensor]:
        """Return logits [batch, frames, labels], and a mask [batch, frames] that is True for frames of a recording."""
        found: list[Tensor] = [torch.empty(0)] * len(recordings)
        for samples in sorted({len(one) for one in recordings}):
            rows = [row for row, one in enumerate(recordings) if len(one) == samples]
            inputs = self._extractor(
                [recordings[row] for row in rows],
                sampling_rate=self._extractor.sampling_rate,
                return_tensors="pt",
            )
            inputs = inputs.to(self._model.device, self._model.dtype)
            for row, logits in zip(rows, self._model(**inputs, return_dict=True).logits, strict=True):
                found[row] = logits
        lengths = torch.tensor([len(one) for one in found])
        longest = int(lengths.max())
        padded = torch.stack([F.pad(one, (0, 0, 0, longest - len(one))) for one in found])
        return padded, torch.arange(longest) < lengths.unsqueeze(1)


def other_frame_classifier(model: Any, feature_extractor: Any) -> OtherFrameClassifier | None:
    """Return the description of a frame classifier of transformers; None if the model is of another class."""
    if not type(model).__name__.endswith(_SUFFIX):
        return None
    return OtherFrameClassifier(model, feature_extractor)


def _waveform(sequence: Any, number: int) -> NDArray[Any]:
    values = np.asarray(sequence)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or not len(values) or values.dtype.kind not in "fiu":
        raise ValueError(
            f"sequence {number} has shape {values.shape} and dtype {values.dtype}, expected a waveform [samples] of "
            "numbers"
        )
    values = values.astype(np.float32)
    if not np.isfinite(values).all():
        raise ValueError(f"sequence {number} has values that are not finite")
    return values
