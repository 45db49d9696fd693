"""Turns waveforms, spectra, series or videos into nodes, by any encoder that takes floats."""

import contextlib

import torch
from torch import Tensor
from transformers import PreTrainedModel

from ...config.backbone_input import takes_videos
from ...head.weights import is_frozen, weights_dtype
from .frames import encode_frames
from .patches import encode_series


def encode_values(
    encoder: PreTrainedModel, values: Tensor, mask: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """Run an encoder.

    Parameters
    ----------
    encoder : PreTrainedModel
        An encoder of waveforms, spectra, series or videos. Gradients are not computed through a frozen encoder.
    values : floating point Tensor
        Series [batch, length, channels], or waveforms or spectra as for `encode_frames`; waveforms may also be
        [batch, samples, 1]. Videos [batch, frames, channels, height, width].
    mask : Tensor [batch, steps], optional
        1 for real steps, 0 for padding before or after them.

    Returns
    -------
    nodes : Tensor [batch, length, m]
    mask : bool Tensor [batch, length], or None
        True for real nodes; None if all nodes are real.

    Raises
    ------
    TypeError, ValueError
        If the values do not fit the encoder.
    """
    if not values.is_floating_point():
        raise ValueError(f"the values are {values.dtype}, expected floating point")
    values = values.to(weights_dtype(encoder))
    with torch.no_grad() if is_frozen(encoder) else contextlib.nullcontext():
        if encoder.main_input_name == "past_values":
            return encode_series(encoder, values, mask)
        if takes_videos(encoder.config):
            _check_videos(encoder, values, mask)
            return encode_frames(encoder, values, None)
        if encoder.main_input_name == "input_values" and values.ndim == 3 and values.size(2) == 1:
            values = values.squeeze(2)
        return encode_frames(encoder, values, mask)


def _check_videos(encoder: PreTrainedModel, values: Tensor, mask: Tensor | None) -> None:
    if values.ndim != 5:
        raise ValueError(
            f"{type(encoder).__name__} is given values of shape {tuple(values.shape)}, expected videos [batch, frames, "
            "channels, height, width]"
        )
    if mask is not None and not bool((mask != 0).all()):
        raise ValueError(
            f"{type(encoder).__name__} takes videos of one length, and no mask of frames: leave out attention_mask"
        )
