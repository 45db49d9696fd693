"""Turns waveforms, spectra or series into nodes, by any encoder that takes floats."""

import contextlib

import torch
from torch import Tensor
from transformers import PreTrainedModel

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
        An encoder of waveforms, spectra or series. Gradients are not computed through a frozen encoder.
    values : floating point Tensor
        Series [batch, length, channels], or waveforms or spectra as for `encode_frames`; waveforms may also be
        [batch, samples, 1].
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
        if encoder.main_input_name == "input_values" and values.ndim == 3 and values.size(2) == 1:
            values = values.squeeze(2)
        return encode_frames(encoder, values, mask)
