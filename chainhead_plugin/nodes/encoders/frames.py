"""Turns recordings into frames by an encoder of audio, and finds the frames that are padding."""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from ...chain.masking import check_mask, without_full
from .signature import EncoderCall, call_of

# Encoders that take recordings of a fixed length, and were trained with the padding of their feature extractor.
_ONE_LENGTH = ("Qwen2AudioEncoder", "VoxtralEncoder", "WhisperEncoder")
# Encoders whose output for a recording does not depend on its padding. The other encoders only get recordings of equal
# length together, as their convolutions and statistics often include padding in spite of the mask.
_KEEP_APART = (
    "HubertModel",
    "LasrEncoder",
    "MoonshineEncoder",
    "SEWDModel",
    "SEWModel",
    "UniSpeechModel",
    "UniSpeechSatModel",
    "Wav2Vec2BertModel",
    "Wav2Vec2Model",
    "WavLMModel",
)
_LENGTHS = ("_get_feat_extract_output_lengths", "_get_subsampling_output_length")


def encode_frames(
    encoder: PreTrainedModel, values: Tensor, mask: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """Run an encoder over recordings.

    Parameters
    ----------
    encoder : PreTrainedModel
    values : floating point Tensor [batch, samples], [batch, steps, features] or [batch, features, steps]
        Waveforms or spectra, in the shape that the encoder takes.
    mask : Tensor [batch, samples or steps], optional
        1 for the recording, 0 for padding before or after it.

    Returns
    -------
    nodes : Tensor [batch, frames, width]
    mask : bool Tensor [batch, frames], or None
        True for frames without any padding; None if no frame has padding.

    Raises
    ------
    TypeError
        If the encoder does not return `last_hidden_state` [batch, length, width].
    ValueError
        If the shapes do not fit, or the encoder does not state which of its frames are padding.
    """
    call = call_of(type(encoder))
    if mask is None:
        return _run(encoder, call, values, None)[0], None
    mask = _of_steps(encoder, values, mask)
    axis = _time_axis(encoder, values, mask)
    real = without_full(check_mask(mask, values.size(0), values.size(axis)).real)
    if real is None:
        return _run(encoder, call, values, None)[0], None
    values, lengths = _from_the_first_step(values, real, axis)
    if not _keeps_apart(encoder):
        if torch.compiler.is_exporting():
            raise ValueError(
                f"{type(encoder).__name__} lets padding into its frames, so that recordings of different lengths "
                "cannot be exported together: export without attention_mask, for recordings of one length"
            )
        return _one_length_at_a_time(encoder, call, values, lengths, axis)
    steps = torch.arange(values.size(axis), device=values.device) < lengths.unsqueeze(1)
    nodes, stated = _run(encoder, call, values, steps.long())
    if stated is None:
        frames = _frames_of(encoder, lengths, values.size(axis), nodes.size(1))
        stated = torch.arange(nodes.size(1), device=nodes.device) < frames.unsqueeze(1)
    return nodes, stated


def _run(
    encoder: PreTrainedModel, call: EncoderCall, values: Tensor, mask: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """Return nodes [batch, frames, width], and their mask if the encoder states it."""
    options: dict[str, Any] = dict(call.options)
    if call.mask is not None and (mask is not None or call.needs_mask):
        every = values.new_ones(values.shape[:2], dtype=torch.long)
        options[call.mask] = every if mask is None else mask
    try:
        outputs = encoder(**{call.values: values}, **options)
    except RuntimeError as error:
        if "size" not in str(error):
            raise
        told = _other_frames(encoder, values) or str(error)
        raise ValueError(
            f"{type(encoder).__name__} takes no {call.values} of shape {tuple(values.shape)}: {told}"
        ) from error
    nodes = getattr(outputs, "last_hidden_state", None)
    if not isinstance(nodes, Tensor) or nodes.ndim != 3:
        raise TypeError(
            f"{type(encoder).__name__} gives no last_hidden_state [batch, length, width]: it cannot be an encoder"
        )
    stated = getattr(outputs, "attention_mask", None)
    return nodes, stated.bool() if isinstance(stated, Tensor) and mask is not None else None


def _other_frames(encoder: PreTrainedModel, values: Tensor) -> str:
    """Return how many frames videos should have, if these have others; else an empty text."""
    expected = getattr(encoder.config, "num_frames", None)
    if values.ndim != 5 or expected in (None, values.size(1)):
        return ""
    return f"it was made for videos of {expected} frames, but these have {values.size(1)}"


def _of_steps(encoder: PreTrainedModel, values: Tensor, mask: Tensor) -> Tensor:
    """Return a mask of spectra's steps, taken from a mask of samples if the feature extractor has made such a mask."""
    steps = values.size(-1)
    if type(encoder).__name__ not in _ONE_LENGTH or mask.ndim != 2 or mask.size(1) % steps:
        return mask
    return mask[:, :: mask.size(1) // steps]


def _time_axis(encoder: PreTrainedModel, values: Tensor, mask: Tensor) -> int:
    for axis in (1, 2):
        if axis < values.ndim and mask.size(-1) == values.size(axis):
            return axis
    raise ValueError(
        f"attention_mask has shape {tuple(mask.shape)}, but {type(encoder).__name__} is given values of shape "
        f"{tuple(values.shape)}: expected a mask with a value for every step"
    )


def _keeps_apart(encoder: PreTrainedModel) -> bool:
    """Return whether the frames of a recording do not depend on padding. They do with GroupNorm, which has no mask."""
    name = type(encoder).__name__
    if name in _ONE_LENGTH:
        return True
    return name in _KEEP_APART and not any(isinstance(part, nn.GroupNorm) for part in encoder.modules())


def _from_the_first_step(values: Tensor, real: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Return recordings moved to the first step, with all padding after them, and their lengths [batch]."""
    first, size = real.int().argmax(1, keepdim=True), values.size(axis)
    place = (torch.arange(size, device=values.device) + first) % size
    shape = [values.size(0)] + [1] * (values.ndim - 1)
    shape[axis] = size
    return values.gather(axis, place.view(shape).expand_as(values)), real.sum(1)


def _frames_of(encoder: PreTrainedModel, lengths: Tensor, steps: int, frames: int) -> Tensor:
    """Return the number of frames of recordings of these lengths: int Tensor [batch]."""
    count = next((getattr(encoder, name) for name in _LENGTHS if hasattr(encoder, name)), None)
    if frames == steps:
        return lengths
    if count is not None:
        # Called for one length at a time, as some encoders compute with Python's numbers. Some return several counts,
        # among them the number of nodes.
        whole = _counts(count, torch.tensor(steps))
        if frames in whole:
            if torch.compiler.is_exporting():  # The lengths have no values yet.
                counted = count(lengths)
                some: Tensor = (counted if isinstance(counted, tuple) else (counted,))[whole.index(frames)]
                return some.clamp(0, frames)
            found = [_counts(count, length)[whole.index(frames)] for length in lengths.cpu()]
            return torch.tensor(found, device=lengths.device).clamp(0, frames)
    raise ValueError(
        f"{type(encoder).__name__} makes {frames} nodes of {steps} steps, and does not say which of them are padding: "
        "pass recordings of one length, without attention_mask"
    )


def _counts(count: Any, length: Tensor) -> list[int]:
    found = count(length)
    return [int(number) for number in (found if isinstance(found, tuple) else (found,))]


def _one_length_at_a_time(
    encoder: PreTrainedModel, call: EncoderCall, values: Tensor, lengths: Tensor, axis: int
) -> tuple[Tensor, Tensor]:
    """Encode the recordings of each length together, so that no recording has padding."""
    parts, frames = [], torch.zeros_like(lengths)
    for length in sorted(set(lengths.tolist())):
        rows = (lengths == length).nonzero().squeeze(1)
        if length:
            nodes, _ = _run(encoder, call, values.index_select(0, rows).narrow(axis, 0, length), None)
            parts.append((rows, nodes))
            frames[rows] = nodes.size(1)
    if not parts:
        raise ValueError("attention_mask calls all recordings empty: there is nothing to encode")
    longest, first = int(frames.max()), parts[0][1]
    together = first.new_zeros(values.size(0), longest, first.size(2))
    for rows, nodes in parts:
        together = together.index_copy(0, rows, nn.functional.pad(nodes, (0, 0, 0, longest - nodes.size(1))))
    return together, torch.arange(longest, device=values.device) < frames.unsqueeze(1)
