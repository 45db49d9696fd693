"""Architectures for timm's registry: its backbones, with a chain head as classifier.

`chainhead` takes any backbone by name; the other architectures each have a backbone that is often used.
"""

import difflib
import json
import math
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import timm
from timm.data import resolve_model_data_config, str_to_pil_interp
from timm.models import DefaultCfg, PretrainedCfg, build_model_with_cfg, get_pretrained_cfg, model_entrypoint
from torch import nn

from ..head.options import HeadOptions
from .timm_classifier import ChainHeadClassifier, prefixed

_CLASSIFIER_OPTIONS = (
    *("num_classes", "global_pool", "drop_rate", "scan"),
    *(option.name for option in fields(HeadOptions) if option.name != "m"),
)
# An image has no direction, features are not probabilities, and a patch should not lose itself in its neighbours.
_DEFAULTS = {
    "n": 256,
    "bi_directional": True,
    "enable_bias": True,
    "with_residual": True,
    "with_softmax": False,
}
# Fields of a backbone's weights about the images that they were trained on.
_INPUT_FIELDS = (
    "input_size",
    "test_input_size",
    "min_input_size",
    "fixed_input_size",
    "interpolation",
    "crop_pct",
    "test_crop_pct",
    "crop_mode",
    "mean",
    "std",
    "pool_size",
    "test_pool_size",
)


def chainhead(pretrained: bool = False, *, backbone: str | None = None, **kwargs: Any) -> nn.Module:
    """Any backbone of timm, by name, with a chain head over its patches as classifier.

    Parameters
    ----------
    pretrained : bool
        Whether to load weights of the whole classifier: for ``"hf-hub:…"`` and ``"local-dir:…"``.
    backbone : str
        An architecture of timm's registry, with or without a tag, such as ``"resnet50.a1_in1k"``.
    **kwargs
        `pretrained_backbone`: whether to load timm's weights into the backbone. Options of
        `ChainHeadClassifier`, among them those of [`ChainInterdependenceHead`], by default with n=256,
        `bi_directional`, `enable_bias` and `with_residual`. `features_only` and `out_indices` for the feature
        maps of the backbone. All other arguments go to the backbone: `in_chans`, `img_size`, `drop_path_rate`, ….

    Raises
    ------
    TypeError, ValueError
        If there is no such backbone, or an option is not valid.
    """
    if not isinstance(backbone, str):
        raise TypeError(
            "chainhead needs backbone, the name of an architecture of timm, such as "
            f"timm.create_model('chainhead', backbone='resnet18'); got {backbone!r}"
        )
    return _create("chainhead", backbone, pretrained, **kwargs)


def chainhead_convnext_atto(pretrained: bool = False, **kwargs: Any) -> nn.Module:
    """ConvNeXt Atto with a chain head; options as of `chainhead`."""
    return _create("chainhead_convnext_atto", "convnext_atto", pretrained, **kwargs)


def chainhead_efficientnet_lite0(pretrained: bool = False, **kwargs: Any) -> nn.Module:
    """EfficientNet-Lite0 with a chain head; options as of `chainhead`."""
    return _create("chainhead_efficientnet_lite0", "efficientnet_lite0", pretrained, **kwargs)


def chainhead_mobilenetv3_small_100(pretrained: bool = False, **kwargs: Any) -> nn.Module:
    """MobileNetV3 Small with a chain head; options as of `chainhead`."""
    return _create("chainhead_mobilenetv3_small_100", "mobilenetv3_small_100", pretrained, **kwargs)


def chainhead_resnet18(pretrained: bool = False, **kwargs: Any) -> nn.Module:
    """ResNet-18 with a chain head; options as of `chainhead`."""
    return _create("chainhead_resnet18", "resnet18", pretrained, **kwargs)


def chainhead_vit_tiny_patch16_224(pretrained: bool = False, **kwargs: Any) -> nn.Module:
    """ViT-Tiny with a chain head over its patch tokens; options as of `chainhead`."""
    return _create("chainhead_vit_tiny_patch16_224", "vit_tiny_patch16_224", pretrained, **kwargs)


ENTRY_POINTS: tuple[Callable[..., nn.Module], ...] = (
    chainhead,
    chainhead_convnext_atto,
    chainhead_efficientnet_lite0,
    chainhead_mobilenetv3_small_100,
    chainhead_resnet18,
    chainhead_vit_tiny_patch16_224,
)


def _create(
    variant: str,
    backbone: str,
    pretrained: bool,
    /,
    *,
    pretrained_backbone: bool = False,
    pretrained_cfg: Any = None,
    **kwargs: Any,
) -> nn.Module:
    if "backbone" in kwargs:
        raise TypeError(f"{variant} has a backbone: choose another with timm.create_model('chainhead', …)")

    _check_backbone(backbone)
    if not pretrained_cfg:
        pretrained_cfg = _input_cfg(backbone)
    elif isinstance(pretrained_cfg, str):
        raise ValueError(f"{variant} has no weights, hence no tag {pretrained_cfg!r}")

    classifier = _DEFAULTS | {name: kwargs.pop(name) for name in _CLASSIFIER_OPTIONS if name in kwargs}
    # Here, not in the architecture, timm looks for the configuration's fields about classes and pooling.
    for name in ("num_classes", "global_pool"):
        if name in classifier:
            kwargs[name] = classifier.pop(name)

    model: nn.Module = build_model_with_cfg(
        partial(_build, backbone, pretrained_backbone, classifier),
        variant,
        pretrained,
        pretrained_cfg=pretrained_cfg,
        feature_cfg={"feature_cls": "getter", "out_indices": None},
        **kwargs,
    )
    return model


def _build(
    backbone: str,
    pretrained_backbone: bool,
    classifier: dict[str, Any],
    *,
    num_classes: int,
    global_pool: str = "avg",
    device: Any = None,
    dtype: Any = None,
    **kwargs: Any,
) -> ChainHeadClassifier:
    placement = {key: value for key, value in (("device", device), ("dtype", dtype)) if value is not None}
    try:
        features = timm.create_model(backbone, pretrained=pretrained_backbone, **kwargs, **placement)
    except TypeError as error:
        unknown = [name for name in kwargs if f"{name!r}" in str(error)]
        if "unexpected keyword argument" not in str(error) or not unknown:
            raise
        close = difflib.get_close_matches(unknown[0], _CLASSIFIER_OPTIONS, n=1)
        hint = f": did you mean {close[0]!r}?" if close else ""
        raise TypeError(
            f"neither the chain head nor {backbone} has an option {unknown[0]!r}{hint}"
        ) from error
    return ChainHeadClassifier(
        features,
        num_classes=num_classes,
        global_pool=global_pool,
        **classifier,
        **placement,
    )


def _check_backbone(name: str) -> None:
    architecture = name.partition(".")[0]
    if not timm.is_model(architecture):
        raise ValueError(
            f"backbone={name!r} is not in timm's registry; timm.list_models() lists all backbones. For weights from "
            "elsewhere, load them into the backbone: model.backbone.load_state_dict(…)"
        )
    if model_entrypoint(architecture) in ENTRY_POINTS:
        raise ValueError(f"backbone={name!r} has a chain head already: name its backbone")


def _input_cfg(backbone: str) -> PretrainedCfg:
    """Return timm's description of a backbone's images, for a classifier without weights."""
    cfg = get_pretrained_cfg(backbone) or PretrainedCfg()
    known = {field.name for field in fields(cfg)}
    return PretrainedCfg(
        **{name: getattr(cfg, name) for name in _INPUT_FIELDS if name in known},
        first_conv=prefixed(cfg.first_conv),
        classifier="head.fc",
    )


# timm looks for them under this name when it registers a model of this module.
default_cfgs = {
    entry_point.__name__: DefaultCfg(
        tags=[""], cfgs={"": _input_cfg(entry_point.__name__.removeprefix("chainhead_"))}
    )
    for entry_point in ENTRY_POINTS
    if entry_point is not chainhead
}


def save_for_hf(model: ChainHeadClassifier, folder: str | Path, **options: Any) -> None:
    """Save a classifier as timm does, in safetensors only, so that transformers loads it too.

    timm's own function writes the number of classes twice, which transformers' `TimmWrapper` stumbles over. Of a model
    of one channel (`in_chans=1`) an image processor is saved too, as pipelines turn all images into RGB.

    Parameters
    ----------
    model : ChainHeadClassifier
        As `timm.create_model` made it.
    folder : str or Path
        Holds config.json and model.safetensors afterwards, and of a model of one channel preprocessor_config.json.
    **options
        `model_config`, `model_args` and `data_config` of `timm.models.save_for_hf`.
    """
    timm.models.save_for_hf(model, folder, safe_serialization=True, **options)
    file = Path(folder, "config.json")
    config = json.loads(file.read_text("utf-8"))
    config["model_args"].pop("num_classes")
    if model.in_chans == 1:
        processor = _grey_processor(model, options.get("data_config"))
        Path(folder, "preprocessor_config.json").write_text(json.dumps(processor, indent=2), "utf-8")
        # transformers looks into a local folder's config.json alone.
        config["image_processor_type"] = processor["image_processor_type"]
    file.write_text(json.dumps(config, indent=2), "utf-8")


def _grey_processor(model: ChainHeadClassifier, data_config: dict[str, Any] | None) -> dict[str, Any]:
    """Return the fields of an image processor that does to grey images what timm does to images of three channels."""
    data = resolve_model_data_config(model) | (data_config or {})
    height, width = data["input_size"][-2:]
    fields: dict[str, Any] = {
        "image_processor_type": "ChainHeadImageProcessor",
        "do_grayscale": True,
        "resample": int(str_to_pil_interp(data["interpolation"])),
        # As timm itself takes the mean of three values for one channel.
        "image_mean": sum(data["mean"]) / len(data["mean"]),
        "image_std": sum(data["std"]) / len(data["std"]),
        "size": {"height": height, "width": width},
    }
    if data["crop_mode"] == "center" and height == width:
        cropped = {"do_center_crop": True, "crop_size": fields["size"]}
        fields |= cropped | {"size": {"shortest_edge": math.floor(height / data["crop_pct"])}}
    return fields


__all__ = [
    "chainhead",
    "chainhead_convnext_atto",
    "chainhead_efficientnet_lite0",
    "chainhead_mobilenetv3_small_100",
    "chainhead_resnet18",
    "chainhead_vit_tiny_patch16_224",
    "save_for_hf",
]
