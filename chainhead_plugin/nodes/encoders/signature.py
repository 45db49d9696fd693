"""Finds out from an encoder's signature how to call it."""

import inspect
from typing import Any, NamedTuple

from transformers import PreTrainedModel

_MASKS = (
    "attention_mask",
    "padding_mask",
    "input_features_mask",
    "past_observed_mask",
    "observed_mask",
    "past_values_padding",
)
# Required arguments that the caller here can make, as they depend on the number of series alone.
_MADE = ("freq",)
# Models that take recordings of a fixed length together with their padding. Their mask is unused, or no mask of steps.
_WITHOUT_MASK = (
    "ASTModel",
    "Qwen2AudioEncoder",
    "VoxtralEncoder",
    "WhisperEncoder",
)


class EncoderCall(NamedTuple):
    """The arguments of an encoder's forward.

    Attributes
    ----------
    values : str
        Name of the first argument, which takes the floats.
    mask : str, optional
        Name of the argument that marks real steps, if there is one.
    needs_mask : bool
        Whether the mask is required.
    options : dict
        Further arguments, passed on every call.
    """

    values: str
    mask: str | None
    needs_mask: bool
    options: dict[str, Any]


def call_of(encoder_class: type[PreTrainedModel]) -> EncoderCall:
    """Return how an encoder is called.

    Raises
    ------
    ValueError
        If it needs further arguments than its values and a mask; the message names them.
    """
    forward = inspect.signature(encoder_class.forward).parameters
    values, *others = (p for p in list(forward.values())[1:] if p.kind is p.POSITIONAL_OR_KEYWORD)
    mask = next((name for name in _MASKS if name in forward), None)
    if encoder_class.__name__ in _WITHOUT_MASK:
        mask = None
    needed = [p.name for p in others if p.default is p.empty and p.name not in (*_MASKS, *_MADE)]
    if needed:
        raise ValueError(
            f"{encoder_class.__name__} cannot be an encoder: beside {values.name} it needs {', '.join(needed)}"
        )
    options: dict[str, Any] = {"return_dict": True}
    if "use_cache" in forward:
        options["use_cache"] = False
    if "output_attention_mask" in forward:
        options["output_attention_mask"] = True
    if "skip_predictor" in forward:  # V-JEPA predicts frames that it was not shown, in its training
        options["skip_predictor"] = True
    needs_mask = mask is not None and forward[mask].default is inspect.Parameter.empty
    return EncoderCall(values.name, mask, needs_mask, options)
