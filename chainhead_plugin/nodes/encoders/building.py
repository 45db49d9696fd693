"""Builds the encoder that a configuration describes, with random weights or with those of a pretrained model."""

import copy
from typing import Any

import torch
from transformers import MODEL_MAPPING, PreTrainedConfig, PreTrainedModel
from transformers.initialization import no_init_weights

from ...config.backbone import describing_errors
from ...head.linear.options import MAX_PARAMETERS
from .signature import call_of

# The names that encoders of sequences of floats give to their input. The first two stand for waveforms or spectra, the
# last for series.
FLOAT_INPUTS = ("input_values", "input_features", "past_values")


def _model_class(config: PreTrainedConfig) -> Any:
    found = MODEL_MAPPING[type(config)]
    return found[0] if isinstance(found, tuple) else found


def build_encoder(config: PreTrainedConfig) -> PreTrainedModel:
    """Build an encoder that takes floats, with random weights. Of an encoder-decoder only the encoder is built.

    Parameters
    ----------
    config : PreTrainedConfig
        The configuration of a model whose input is among `FLOAT_INPUTS`, or that takes videos.

    Returns
    -------
    PreTrainedModel

    Raises
    ------
    ValueError
        If the model needs more inputs than its values and a mask, returns no nodes, or has more than 2³³ weights.
    """
    encoder_class = _encoder_class(config)
    call_of(encoder_class)
    with describing_errors(), torch.device("meta"), no_init_weights():
        weights = sum(p.numel() for p in encoder_class._from_config(copy.deepcopy(config)).parameters())
    if weights > MAX_PARAMETERS:
        raise ValueError(
            f"backbone_config asks for {weights:,} weights, more than the {MAX_PARAMETERS:,} allowed"
        )
    with describing_errors():
        encoder: PreTrainedModel = encoder_class._from_config(config, dtype=torch.get_default_dtype())
    return encoder


def _encoder_class(config: PreTrainedConfig) -> Any:
    model_class = _model_class(config)
    if not config.is_encoder_decoder:
        return model_class
    with describing_errors(), torch.device("meta"), no_init_weights():
        whole = model_class._from_config(copy.deepcopy(config))
    encoder = whole.get_encoder()
    if not isinstance(encoder, PreTrainedModel):
        raise ValueError(f"{model_class.__name__} has no encoder that stands alone")
    if (taken := call_of(type(encoder)).values) not in FLOAT_INPUTS:
        call_of(model_class)  # Raises, and names the further inputs that the whole model needs.
        raise ValueError(
            f"the encoder of {model_class.__name__} takes {taken}, expected one of {', '.join(FLOAT_INPUTS)}"
        )
    return type(encoder)


def copy_encoder(source: PreTrainedModel, encoder: PreTrainedModel) -> None:
    """Copy a pretrained model's weights into an encoder built from its configuration.

    Parameters
    ----------
    source : PreTrainedModel
        The encoder itself, or a model that contains it.
    encoder : PreTrainedModel
        An encoder from `build_encoder`; changed in place.

    Raises
    ------
    ValueError
        If `source` does not contain this encoder, or lacks some of its weights.
    """
    found = next((part for part in source.modules() if type(part) is type(encoder)), None)
    if found is None:
        raise ValueError(f"{type(source).__name__} holds no {type(encoder).__name__} to copy weights from")
    missing = encoder.load_state_dict(found.state_dict(), strict=False).missing_keys
    if missing:
        raise ValueError(
            f"{type(source).__name__} lacks weights of a {type(encoder).__name__}: {', '.join(missing)}"
        )
