"""A backbone: another transformers model whose last hidden states are the nodes of the chain."""

import contextlib
import inspect
from typing import Any

import torch
from torch import Tensor
from transformers import (
    MODEL_FOR_TEXT_ENCODING_MAPPING,
    MODEL_MAPPING,
    AutoModel,
    AutoModelForTextEncoding,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.initialization import no_init_weights

from ..config.backbone import describing_errors
from ..head.linear.options import MAX_PARAMETERS
from ..head.weights import is_frozen


def backbone_class(config: PreTrainedConfig) -> type[PreTrainedModel]:
    """Return the class of the model that a backbone's configuration describes; of an encoder-decoder the encoder.

    Raises
    ------
    ValueError
        If transformers has none.
    """
    mapping = _auto_class(config)._model_mapping
    if type(config) not in mapping or (mapping is MODEL_MAPPING and config.is_encoder_decoder):
        raise ValueError(
            f"backbone_config is a {type(config).__name__}, of which transformers has no encoder"
        )
    model_class = mapping[type(config)]
    return model_class[0] if isinstance(model_class, tuple) else model_class


def _auto_class(config: PreTrainedConfig) -> Any:
    # Not by `is_encoder_decoder`, which T5's encoder changes in its own configuration.
    return AutoModelForTextEncoding if type(config) in MODEL_FOR_TEXT_ENCODING_MAPPING else AutoModel


def build_backbone(config: PreTrainedConfig) -> PreTrainedModel:
    """Build the model that a backbone's configuration describes, with random weights, without its pooler.

    Classes come from transformers or from a plugin, never from a repository.

    Raises
    ------
    ValueError
        If transformers has no model for the configuration, or the model has more than 2³³ weights.
    """
    auto, model_class = _auto_class(config), backbone_class(config)
    options: dict[str, Any] = {"trust_remote_code": False, "dtype": torch.get_default_dtype()}
    if "add_pooling_layer" in inspect.signature(model_class).parameters:
        # Weights that never get a gradient would stop distributed training.
        options["add_pooling_layer"] = False
    with describing_errors(), torch.device("meta"), no_init_weights():
        weights = sum(parameter.numel() for parameter in auto.from_config(config, **options).parameters())
    if weights > MAX_PARAMETERS:
        raise ValueError(
            f"backbone_config asks for {weights:,} weights, more than the {MAX_PARAMETERS:,} allowed"
        )
    with describing_errors():
        backbone: PreTrainedModel = auto.from_config(config, **options)
    return backbone


def encode_tokens(
    backbone: PreTrainedModel, input_ids: Tensor, attention_mask: Tensor | None, token_type_ids: Tensor | None
) -> Tensor:
    """Run a text backbone: [batch, length] to its last hidden states [batch, length, width].

    Raises
    ------
    TypeError
        If the backbone takes no `token_type_ids`, but some are given; or gives no last hidden states.
    """
    parameters = inspect.signature(backbone.forward).parameters
    inputs: dict[str, Any] = {"attention_mask": attention_mask, "return_dict": True}
    if token_type_ids is not None:
        if "token_type_ids" not in parameters:
            raise TypeError(
                f"token_type_ids are given, but {type(backbone).__name__} has no segments: leave them out, or "
                'make the tokenizer with model_input_names=["input_ids", "attention_mask"]'
            )
        inputs["token_type_ids"] = token_type_ids
    if "use_cache" in parameters:
        inputs["use_cache"] = False
    # Not by `requires_grad` alone: gradient checkpointing lets the gradient flow into embeddings.
    with torch.no_grad() if is_frozen(backbone) else contextlib.nullcontext():
        nodes = getattr(backbone(input_ids, **inputs), "last_hidden_state", None)
    if nodes is None:
        raise TypeError(f"{type(backbone).__name__} gives no last_hidden_state: it cannot be a backbone")
    return nodes


def copy_weights(source: PreTrainedModel, backbone: PreTrainedModel) -> None:
    """Copy a pretrained model's weights into a backbone built from its configuration.

    Raises
    ------
    ValueError
        If the model lacks weights of the backbone.
    """
    missing = backbone.load_state_dict(source.state_dict(), strict=False).missing_keys
    if missing:
        raise ValueError(
            f"{type(source).__name__} lacks weights of a {type(backbone).__name__}: {', '.join(missing)}"
        )
