"""The configuration of a backbone: another transformers model that makes the nodes of the chain."""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from transformers.configuration_utils import PreTrainedConfig
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from ..checks.values import check_whole_number
from ..head.linear.options import MAX_PARAMETERS

_MAX_LAYERS = 1024


def as_backbone_config(value: Mapping[str, Any] | PreTrainedConfig) -> PreTrainedConfig:
    """Return a backbone's configuration, given as such or as a dict.

    Only classes that transformers or an imported plugin registered are used; a configuration cannot name code.

    Parameters
    ----------
    value : dict or PreTrainedConfig
        A dict needs "model_type".

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If the model type is missing, unknown or a chainhead model's, or another class stands for it.
    """
    if not isinstance(value, Mapping | PreTrainedConfig):
        raise TypeError(f"backbone_config must be a dict or a configuration, got {value!r:.80}")
    model_type = value.model_type if isinstance(value, PreTrainedConfig) else value.get("model_type")
    if not isinstance(model_type, str) or model_type not in CONFIG_MAPPING:
        raise ValueError(
            f"backbone_config has model_type {model_type!r}, which transformers does not know: expected that of a "
            "model of transformers, or of a plugin imported before"
        )
    if model_type == "chainhead":
        raise ValueError("backbone_config is a chainhead model's: make one deeper stack with hidden_sizes")
    config_class = CONFIG_MAPPING[model_type]
    if isinstance(value, PreTrainedConfig):
        if type(value) is not config_class:
            raise ValueError(
                f"backbone_config is a {type(value).__qualname__}, but would load as the {config_class.__name__} "
                f"registered for model_type {model_type!r}: use that class"
            )
        return value
    with describing_errors():
        return config_class(**copy.deepcopy(dict(value)))


@contextmanager
def describing_errors() -> Iterator[None]:
    """Raise a ValueError that names backbone_config, where transformers stumbles over its content."""
    try:
        yield
    except (ArithmeticError, AssertionError, AttributeError, LookupError) as error:
        raise ValueError(f"backbone_config describes no model: {type(error).__name__}: {error}") from error


def backbone_width(config: PreTrainedConfig) -> int | None:
    """Return the number of features of a backbone's last hidden states, None where its configuration does not say.

    It does not for feature maps from inside an image backbone.
    """
    stages, indices = getattr(config, "stage_names", None), getattr(config, "out_indices", None)
    if stages and indices and indices[-1] not in (-1, len(stages) - 1):
        return None
    if hasattr(config, "neck_hidden_sizes"):  # MobileViT widens its last feature map
        return None
    # Adapters of audio encoders come after the last layer.
    adapted = "output_hidden_size" if getattr(config, "add_adapter", False) else "hidden_size"
    width = getattr(config, adapted, None)
    if width is None and (widths := getattr(config, "hidden_sizes", None)):
        width = widths[-1]
    if type(width) is not int:
        return None
    # Encoders of series that make nodes of every channel apart: a node of the chain holds those of all.
    channels = getattr(config, "num_input_channels", 1) if hasattr(config, "patch_length") else 1
    return width * channels if type(channels) is int else None


def takes_any_channels(config: PreTrainedConfig) -> bool:
    """Tell whether a backbone encodes channel by channel of series, however many there are."""
    return hasattr(config, "patch_length") and not hasattr(config, "num_input_channels")


def check_input_options(options: Mapping[str, Any]) -> None:
    """Check where nodes come from: from the caller, from an embedding or from a backbone.

    Parameters
    ----------
    options : mapping
        `m`, `vocab_size`, `pad_token_id`, `backbone_config`, `freeze_backbone` and `prediction_length`.

    Raises
    ------
    ValueError
        If an option is out of range, contradicts another or has no effect; the message names them.
    """
    backbone, vocab_size, pad_token_id = (
        options[name] for name in ("backbone_config", "vocab_size", "pad_token_id")
    )
    if vocab_size is not None:
        check_whole_number("vocab_size", vocab_size, 1, MAX_PARAMETERS)

    if options["prediction_length"] is not None:
        for name in ("vocab_size", "backbone_config"):
            if options[name] is not None:
                raise ValueError(f"{name} has no effect with prediction_length: forecasters take past_values")

    if backbone is None:
        if options["freeze_backbone"]:
            raise ValueError("freeze_backbone=True has no effect without a backbone_config")
    elif not isinstance(backbone, PreTrainedConfig):
        raise ValueError("backbone_config must be a PreTrainedConfig after construction, got a dict")
    else:
        if vocab_size is not None:
            raise ValueError(
                f"vocab_size={vocab_size} has no effect with a backbone_config, which has its own embedding: "
                "leave out either of the two"
            )
        width = backbone_width(backbone)
        fits = width is None or options["m"] == width
        if width and takes_any_channels(backbone):
            fits = options["m"] % width == 0
        if not fits:
            raise ValueError(
                f"m={options['m']} differs from the {width} features of the backbone's hidden states: leave m "
                "out, it follows"
            )
        with describing_errors():
            check_backbone_size(backbone)
        vocab_size = getattr(backbone, "vocab_size", None)

    if pad_token_id is None:
        return
    if vocab_size is None:
        raise ValueError(
            f"pad_token_id={pad_token_id} has no effect without vocab_size or a backbone with a vocabulary"
        )
    if not 0 <= pad_token_id < vocab_size:
        raise ValueError(
            f"pad_token_id={pad_token_id} is not within the vocabulary: expected 0 to {vocab_size - 1}"
        )


def check_backbone_size(config: PreTrainedConfig) -> None:
    """Bound a backbone's size as far as its configuration tells it, before it is built and its weights are counted.

    Raises
    ------
    ValueError
        If a number in the configuration, its layers, or its vocabulary are beyond any real model's.
    """
    for name, number in _integers(config.to_dict()):
        if number > MAX_PARAMETERS:
            raise ValueError(
                f"backbone_config has {name}={number:,}, more than the {MAX_PARAMETERS:,} allowed"
            )
    layers = getattr(config, "num_hidden_layers", None)
    if type(layers) is int and layers > _MAX_LAYERS:
        raise ValueError(f"backbone_config has {layers:,} layers, more than {_MAX_LAYERS:,}")
    width, vocabulary = backbone_width(config), getattr(config, "vocab_size", None)
    if width and type(vocabulary) is int and width * vocabulary > MAX_PARAMETERS:
        raise ValueError(
            f"backbone_config asks for {width * vocabulary:,} embedding weights, more than the "
            f"{MAX_PARAMETERS:,} allowed: check its vocab_size and hidden_size"
        )


def _integers(value: Any, name: str = "") -> Iterator[tuple[str, int]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _integers(part, str(key))
    elif isinstance(value, list):
        for part in value:
            yield from _integers(part, name)
    elif type(value) is int:
        yield name, value
