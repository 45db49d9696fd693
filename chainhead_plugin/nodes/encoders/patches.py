"""Turns series into patches by an encoder of time series; series of a batch are aligned at their ends."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import PreTrainedModel

from ...chain.masking import check_mask
from .signature import EncoderCall, call_of


def encode_series(encoder: PreTrainedModel, values: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """Run an encoder of time series.

    An encoder with a fixed length gets shorter series with padding before them, and the padding marked as missing.
    Padding holds the mean of the observed values, which is zero after the encoder's scaling. Some encoders take each
    channel by itself, or return separate nodes for each channel. Their outputs are joined, so that a node holds the
    features of all channels.

    Parameters
    ----------
    encoder : PreTrainedModel
        An encoder whose input is "past_values".
    values : floating point Tensor [batch, length, channels]
        In any unit; NaN is a missing value.
    mask : Tensor [batch, length], optional
        1 for steps of the series, 0 for padding before or after them.

    Returns
    -------
    nodes : Tensor [batch, patches, channels·width]
    mask : bool Tensor [batch, patches]
        True for patches that contain at least one step of the series.

    Raises
    ------
    ValueError
        If the series do not fit the encoder.
    """
    call = call_of(type(encoder))
    if values.ndim != 3 or not values.is_floating_point():
        raise ValueError(
            f"the series are {values.dtype} of shape {tuple(values.shape)}, expected floating point "
            "[batch, length, channels]"
        )
    batch, length = values.shape[:2]
    real = values.new_ones(batch, length, dtype=torch.bool)
    if mask is not None:
        real = check_mask(mask, batch, length).real
    values, real = lined_up(values, real, _length_for(encoder, length))
    values, observed = filled(values, real)
    if call.mask == "past_values_padding":
        nodes = _one_channel_at_a_time(encoder, call, values, observed)
    else:
        assert call.mask is not None
        nodes = encoder(
            **{call.values: values, call.mask: observed.to(values.dtype)}, **call.options
        ).last_hidden_state
        nodes = nodes[:, :, 1:] if getattr(encoder.config, "use_cls_token", False) else nodes
        nodes = nodes.transpose(1, 2).flatten(2)
    return nodes, _real_patches(encoder.config, real, nodes.size(1))


def lined_up(values: Tensor, real: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Align series so that each ends at the last of `size` steps.

    Parameters
    ----------
    values : Tensor [batch, length, channels]
    real : bool Tensor [batch, length]
        True for steps of a series, False for padding before or after them.
    size : int
        The number of steps to return, at least that of the longest series.

    Returns
    -------
    values : Tensor [batch, size, channels]
        NaN before shorter series.
    real : bool Tensor [batch, size]
        True for steps of a series.
    """
    after = real.flip(1).int().argmax(1, keepdim=True)
    place = (torch.arange(values.size(1), device=values.device) - after) % values.size(1)
    values, real = values.gather(1, place.unsqueeze(-1).expand_as(values)), real.gather(1, place)
    before = size - values.size(1)
    return F.pad(values, (0, 0, before, 0), value=torch.nan), F.pad(real, (before, 0))


def _length_for(encoder: PreTrainedModel, length: int) -> int:
    config: Any = encoder.config
    if hasattr(config, "num_input_channels"):
        if length > config.context_length:
            raise ValueError(
                f"the series have {length} steps, but {type(encoder).__name__} takes at most its "
                f"context_length={config.context_length}: cut them, or resample them"
            )
        return int(config.context_length)
    return -(-length // config.patch_length) * int(config.patch_length)


def filled(values: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
    """Replace missing values by the mean of the observed values of their series and channel.

    Parameters
    ----------
    values : Tensor [batch, length, channels]
        NaN where a value is missing.
    real : bool Tensor [batch, length]
        True for steps of a series.

    Returns
    -------
    values : Tensor [batch, length, channels]
        Without NaN.
    observed : bool Tensor [batch, length, channels]
        True where a value was observed.
    """
    observed = real.unsqueeze(-1) & ~values.isnan()
    known = torch.where(observed, values, 0)
    mean = known.sum(1, keepdim=True) / observed.sum(1, keepdim=True).clamp(min=1)
    return torch.where(observed, values, mean), observed


def _one_channel_at_a_time(
    encoder: PreTrainedModel, call: EncoderCall, values: Tensor, observed: Tensor
) -> Tensor:
    batch, length, channels = values.shape
    inputs = {
        call.values: values.transpose(1, 2).reshape(batch * channels, length),
        "past_values_padding": (~observed).transpose(1, 2).reshape(batch * channels, length).to(values.dtype),
    }
    if hasattr(encoder, "freq_emb"):
        # The frequency of the series is unknown; the model's default is 0, which stands for high frequencies.
        inputs["freq"] = values.new_zeros(batch * channels, 1, dtype=torch.long)
    nodes = encoder(**inputs, **call.options).last_hidden_state
    nodes = nodes.unflatten(0, (batch, channels))  # [batch, channels, patches, width]
    together: Tensor = nodes.transpose(1, 2).flatten(2)
    return together


def _real_patches(config: Any, real: Tensor, patches: int) -> Tensor:
    """Return which patches contain at least one step of the series: bool Tensor [batch, patches]."""
    stride = getattr(config, "patch_stride", None) or config.patch_length
    covered = config.patch_length + stride * (patches - 1)
    return real[:, real.size(1) - covered :].unfold(1, config.patch_length, stride).any(-1)
