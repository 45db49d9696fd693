"""Image encoders that are no backbones: the feature map that their last hidden states are."""

from typing import Any

from torch import Tensor
from transformers import MODEL_MAPPING, PreTrainedConfig, PreTrainedModel

from ..config.backbone_input import input_of, takes_videos
from .encoders.signature import call_of

# Nodes before the patches that stand for the whole image: a class, and its distillation.
_MOST_BEFORE = 2
# Encoders that shuffle the patches, and leave some out, also when they are not trained.
_SHUFFLED = ("vit_mae",)


def is_image_encoder(config: PreTrainedConfig) -> bool:
    """Tell whether transformers has a model for a configuration that takes images, and keeps their patches in order."""
    if type(config) not in MODEL_MAPPING or takes_videos(config) or config.model_type in _SHUFFLED:
        return False
    return input_of(config) == "pixel_values"


def image_encoder_class(config: PreTrainedConfig) -> Any:
    """Return the class of the encoder that a configuration describes.

    Raises
    ------
    ValueError
        If it needs further arguments than the images; the message names them.
    """
    found = MODEL_MAPPING[type(config)]
    encoder_class = found[0] if isinstance(found, tuple) else found
    call_of(encoder_class)
    return encoder_class


def feature_map_of(encoder: PreTrainedModel, outputs: Any, pixel_values: Tensor) -> Tensor:
    """Lay the nodes that an image encoder has given out as they lie in the image.

    Parameters
    ----------
    encoder : PreTrainedModel
    outputs : ModelOutput
        Those of the encoder.
    pixel_values : Tensor [batch, channels, height, width]

    Returns
    -------
    Tensor [batch, m, rows, columns]
        Nodes that stand for the whole image, before those of the patches, are left out.

    Raises
    ------
    ValueError
        If the outputs are no feature map, and hold no node for every patch.
    """
    nodes = getattr(outputs, "last_hidden_state", None)
    if isinstance(nodes, Tensor) and nodes.ndim == 4:
        return nodes
    if not isinstance(nodes, Tensor) or nodes.ndim != 3:
        raise ValueError(
            f"{type(encoder).__name__} gives no last_hidden_state [batch, length, width], and no feature map"
        )

    rows, columns = (
        size // patch for size, patch in zip(pixel_values.shape[2:], _patch_size(encoder.config), strict=True)
    )
    before = nodes.size(1) - rows * columns
    if not 0 <= before <= _MOST_BEFORE:
        raise ValueError(
            f"{type(encoder).__name__} gives {nodes.size(1)} nodes of {rows}×{columns} patches, expected one for every "
            "patch: where they lie in the image is not known"
        )
    return nodes[:, before:].mT.reshape(nodes.size(0), nodes.size(2), rows, columns)


def _patch_size(config: Any) -> tuple[int, int]:
    size = getattr(config, "patch_size", None)
    if isinstance(size, int):
        return size, size
    if isinstance(size, list | tuple) and len(size) == 2:
        return size[0], size[1]
    raise ValueError(f"a {type(config).__name__} does not say how large the patches of its nodes are")
