"""An image backbone: another transformers model whose last feature map gives the nodes of the chain."""

import contextlib
import copy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoBackbone, AutoConfig, PreTrainedConfig, PreTrainedModel
from transformers.initialization import no_init_weights

from ..config.backbone import describing_errors
from ..head.linear.options import MAX_PARAMETERS
from ..head.weights import is_frozen, weights_dtype
from .image_encoder import feature_map_of, image_encoder_class, is_image_encoder


def build_image_backbone(config: PreTrainedConfig, m: int | None = None) -> Any:
    """Build the backbone that a configuration describes, with random weights and without any network.

    Parameters
    ----------
    config : PreTrainedConfig
        Of a class that `AutoBackbone` knows, such as `ResNetConfig` or `TimmBackboneConfig`, or of another encoder of
        images, such as `CLIPVisionConfig`.
    m : int, optional
        Channels that its last feature map must have.

    Raises
    ------
    ValueError
        If it describes no image backbone, or a backbone with other channels or more than 2³³ weights.
    """
    draft = _draft(config)
    channels = channels_of(draft)
    if m is not None and channels != m:
        raise ValueError(
            f"m={m} differs from the {channels} channels of the backbone's feature map: set m={channels}"
        )
    with describing_errors():
        return _backbone_class(config)._from_config(config, dtype=torch.get_default_dtype())


def feature_map_shape(config: PreTrainedConfig, num_channels: int, size: list[int]) -> tuple[int, int, int]:
    """Return channels, height and width of the last feature map of images, without allocating any weights.

    Parameters
    ----------
    config : PreTrainedConfig
        As in `build_image_backbone`.
    num_channels : int
        Of the images.
    size : list of int
        Their height and width.

    Raises
    ------
    ValueError
        If it describes no image backbone, or a backbone with more than 2³³ weights or for other images.
    """
    draft = _draft(config).eval()
    try:
        with torch.device("meta"):
            channels, height, width = encode_image(draft, torch.empty(1, num_channels, *size)).shape[1:]
    except (AssertionError, RuntimeError, ValueError) as error:
        raise ValueError(
            f"backbone_config takes no images of {num_channels}×{size[0]}×{size[1]}: {error}"
        ) from error
    return channels, height, width


def channels_of(backbone: PreTrainedModel) -> int:
    """Return the channels of an image backbone's last feature map.

    An encoder that states none is run on an empty image, without its weights.

    Raises
    ------
    ValueError
        If it is no image backbone, and no encoder that gives a feature map or a node for every patch.
    """
    if getattr(backbone, "channels", None):
        channels: int = backbone.channels[-1]
        return channels
    config = backbone.config
    is_backbone = type(config) in AutoBackbone._model_mapping
    if is_backbone or not is_image_encoder(config) or not isinstance(backbone, image_encoder_class(config)):
        raise ValueError(
            f"{type(backbone).__name__} is no image backbone, and no encoder that keeps patches in order"
        )
    size = getattr(config, "image_size", 224)
    height, width = (size, size) if isinstance(size, int) else size
    return feature_map_shape(config, getattr(config, "num_channels", 3), [height, width])[0]


def _draft(config: PreTrainedConfig) -> Any:
    """Build a backbone without weights, and check them."""
    _backbone_class(config)
    name = getattr(config, "backbone", None)
    if config.model_type == "timm_backbone" and not (isinstance(name, str) and _is_architecture(name)):
        raise ValueError(
            f"backbone_config names {name!r}, which is no architecture of timm: see timm.list_models()"
        )
    with describing_errors(), torch.device("meta"), no_init_weights():
        # A copy, as backbones write into their configuration.
        draft: Any = _backbone_class(config)._from_config(copy.deepcopy(config))
    weights = sum(parameter.numel() for parameter in draft.parameters())
    if weights > MAX_PARAMETERS:
        raise ValueError(
            f"backbone_config asks for {weights:,} weights, more than the {MAX_PARAMETERS:,} allowed"
        )
    return draft


def _is_architecture(name: str) -> bool:
    """Tell whether a name is in timm's registry; other names may lead to a repository."""
    import timm

    return timm.is_model(name.partition(".")[0])


def load_image_backbone(source: str, **options: Any) -> tuple[Any, list[str]]:
    """Load a pretrained backbone: a folder or repository of transformers, or else an architecture of timm.

    Returns it and the weights that its files lack, which are random.

    Parameters
    ----------
    source : str
    **options
        Of `PreTrainedModel.from_pretrained`, for a folder or repository.

    Raises
    ------
    ValueError
        If transformers has no image backbone of that kind.
    """
    # Not with `AutoBackbone.from_pretrained`, which asks the Hub even about folders.
    if not Path(source).is_dir() and _is_architecture(source):
        from transformers import TimmBackbone

        return TimmBackbone.from_pretrained(source), []
    config = AutoConfig.from_pretrained(source, trust_remote_code=False)
    options |= {"trust_remote_code": False, "output_loading_info": True}
    # Past `TimmBackbone.from_pretrained`, which takes names of timm alone.
    load = PreTrainedModel.from_pretrained.__func__
    model, report = load(_backbone_class(config), source, **options)
    return model, sorted(report["missing_keys"])


def _backbone_class(config: PreTrainedConfig) -> Any:
    mapping = AutoBackbone._model_mapping
    if type(config) in mapping:
        backbone_class = mapping[type(config)]
        return backbone_class[0] if isinstance(backbone_class, tuple) else backbone_class
    if is_image_encoder(config):
        return image_encoder_class(config)
    raise ValueError(
        f"there is no image backbone with a {type(config).__name__}: see transformers.AutoBackbone, or take "
        "TimmBackboneConfig(backbone=…) for an architecture of timm"
    )


def encode_image(backbone: PreTrainedModel, pixel_values: Tensor) -> Tensor:
    """Run an image backbone: [batch, channels, height, width] to its last feature map [batch, m, h, w]."""
    with torch.no_grad() if is_frozen(backbone) else contextlib.nullcontext():
        outputs = backbone(pixel_values.to(weights_dtype(backbone)), return_dict=True)
    if not hasattr(outputs, "feature_maps"):
        return feature_map_of(backbone, outputs, pixel_values)
    features: Tensor = outputs.feature_maps[-1]
    if getattr(getattr(backbone, "_backbone", None), "output_fmt", "NCHW") == "NHWC":
        features = features.permute(0, 3, 1, 2)
    return features
