"""Patches of series: a series goes through an encoder that takes past values, lined up at its end."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import PreTrainedModel

from ...chain.masking import check_mask
from .signature import EncoderCall, call_of


def encode_series(encoder: PreTrainedModel, values: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """Run an encoder of time series.

    An encoder of a fixed length gets shorter series behind padding that it is told of. Padding holds the mean of what
    was observed: scaled by the encoder it is zero. Channels that an encoder takes one by one, and those of which it
    gives nodes apart, are put together again: a node holds the features of all channels.

    Parameters
    ----------
    encoder : PreTrainedModel
        One over "past_values".
    values : floating point Tensor [batch, length, channels]
        In any units; NaN is a missing value.
    mask : Tensor [batch, length], optional
        1 for steps of the series, 0 for the padding before or after them.

    Returns
    -------
    nodes : Tensor [batch, patches, channels·width]
    mask : bool Tensor [batch, patches]
        True for patches with a step of the series in them.

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
    """Line series up at the last of `size` steps, at least as many as they have.

    Parameters
    ----------
    values : Tensor [batch, length, channels]
    real : bool Tensor [batch, length]
        True for steps of a series, which has padding before or after it.
    size : int

    Returns
    -------
    values : Tensor [batch, size, channels]
        NaN before shorter series.
    real : bool Tensor [batch, size]
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
    """Put the mean of what was observed, channel by channel, where nothing was.

    Parameters
    ----------
    values : Tensor [batch, length, channels]
        NaN where a value is missing.
    real : bool Tensor [batch, length]

    Returns
    -------
    values : Tensor [batch, length, channels]
        Without NaN.
    observed : bool Tensor [batch, length, channels]
        True where a value is that of the series.
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
        # Frequency 0, the highest, is what the model takes where none is known.
        inputs["freq"] = values.new_zeros(batch * channels, 1, dtype=torch.long)
    nodes = encoder(**inputs, **call.options).last_hidden_state
    nodes = nodes.unflatten(0, (batch, channels))  # [batch, channels, patches, width]
    together: Tensor = nodes.transpose(1, 2).flatten(2)
    return together


def _real_patches(config: Any, real: Tensor, patches: int) -> Tensor:
    """Return which patches hold a step of the series."""
    stride = getattr(config, "patch_stride", None) or config.patch_length
    covered = config.patch_length + stride * (patches - 1)
    return real[:, real.size(1) - covered :].unfold(1, config.patch_length, stride).any(-1)
