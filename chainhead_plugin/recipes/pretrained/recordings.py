"""How the feature extractor of an audio encoder takes recordings."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor
from transformers import SequenceFeatureExtractor

_INPUTS = ("input_values", "input_features", "attention_mask")
# Seconds from the beginning of a frame to the next in spectra as Kaldi makes them.
_KALDI_HOP = 0.01


def checked_extractor(extractor: Any) -> Any:
    """Return a feature extractor of recordings, which from now on returns masks if it can.

    With masks, the recordings of a batch do not depend on each other, and what a model sees in training is what it sees
    in a pipeline, which takes this option from the saved extractor.

    Raises
    ------
    ValueError
        If it takes no recordings, or returns inputs that chainhead models do not take.
    """
    if not isinstance(extractor, SequenceFeatureExtractor) or not extractor.sampling_rate:
        raise ValueError(f"{type(extractor).__name__} takes no recordings")
    if further := sorted({*extractor.model_input_names} - {*_INPUTS}):
        raise ValueError(
            f"{type(extractor).__name__} returns {further[0]}, which no model on an encoder takes"
        )
    if "return_attention_mask" in _options_of(extractor):
        extractor.return_attention_mask = True
    return extractor


def recording_batch(extractor: Any) -> Callable[[Sequence[Any]], dict[str, Tensor]]:
    """Return a function that turns recordings [samples], of the extractor's rate, into an encoder's inputs by name."""
    options = _options_of(extractor)
    told: dict[str, Any] = {"sampling_rate": extractor.sampling_rate, "return_tensors": "pt"}
    # Some pad to the length that their encoder takes, unless they are told otherwise; others do not pad at all.
    if "padding" in options and not options["padding"].default:
        told["padding"] = True
    return lambda recordings: dict(extractor(list(recordings), **told))


def most_seconds(extractor: Any) -> float | None:
    """Return how long recordings may be without being cut; None if the extractor does not cut."""
    if hasattr(extractor, "n_samples"):  # Whisper, Voxtral, Qwen2-Audio
        return float(extractor.n_samples / extractor.sampling_rate)
    if hasattr(extractor, "max_length"):  # AST
        return float(extractor.max_length * _KALDI_HOP)
    return None


def _options_of(extractor: Any) -> Any:
    return inspect.signature(type(extractor).__call__).parameters
