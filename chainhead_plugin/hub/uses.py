"""How each class of models is used: its Auto class, its pipeline, and an input for the snippets of its card."""

import importlib
import math
from typing import NamedTuple

from ..config.backbone_input import frames_of, input_of, reads_tokens, takes_videos
from ..config.configuration_chainhead import ChainHeadConfig
from ..config.configuration_random_chain import RandomChainConfig
from ..config.images import height_and_width


class Use(NamedTuple):
    """How a class is used."""

    auto_class: str
    purpose: str
    # The argument of `forward` in a snippet, and the attribute of its output.
    example: str
    output: str
    # Its pipeline's task, an input for it, the import that the input needs, and whether the pipeline needs a
    # preprocessor beside the model.
    task: str | None = None
    pipeline_example: str = ""
    pipeline_import: str = ""
    needs_preprocessor: bool = True


_CHAINS = "input_features=torch.zeros(1, {length}, {m})"
_CHAIN = "[[0.0] * {m}] * {length}"

_CLASSIFIES = Use(
    "AutoModelForSequenceClassification",
    "classifies sequences",
    _CHAINS,
    "logits",
    "time-series-classification",
    _CHAIN,
)
_USES = {
    "ChainHeadModel": Use(
        "AutoModel",
        "gives the features of every node",
        _CHAINS,
        "last_hidden_state",
        "chain-feature-extraction",
        _CHAIN,
    ),
    "ChainHeadForSequenceClassification": _CLASSIFIES,
    "RandomChainForSequenceClassification": _CLASSIFIES,
    "ChainHeadForTokenClassification": Use(
        "AutoModelForTokenClassification",
        "classifies every node of a sequence",
        _CHAINS,
        "logits",
        "time-series-segmentation",
        _CHAIN,
    ),
    "ChainHeadForAudioClassification": Use(
        "AutoModelForAudioClassification",
        "classifies recordings",
        "input_values=torch.zeros{recording}",
        "logits",
        "audio-classification",
        "np.zeros(16_000)",
        "import numpy as np",
    ),
    "ChainHeadForVideoClassification": Use(
        "AutoModelForVideoClassification",
        "classifies videos",
        "pixel_values=torch.zeros{recording}",
        "logits",
        "video-classification",
        # Of a file, its processor asks for torchcodec and FFmpeg.
        'np.stack([frame.to_ndarray(format="rgb24") for frame in av.open("video.mp4").decode(video=0)])',
        "import av\nimport numpy as np",
    ),
    "ChainHeadForImageClassification": Use(
        "AutoModelForImageClassification",
        "classifies images",
        "pixel_values=torch.zeros(1, {image_channels}, {height}, {width})",
        "logits",
        "image-classification",
        'Image.new("RGB", ({width}, {height}))',
        "from PIL import Image",
    ),
    "ChainHeadForTimeSeriesPrediction": Use(
        "AutoModelForTimeSeriesPrediction",
        "forecasts time series",
        "past_values=torch.rand(1, {length}, {num_input_channels}){covariates}",
        "prediction_outputs",
        "time-series-forecasting",
        "[[0.0] * {series_width}] * {length}{coming}",
        needs_preprocessor=False,
    ),
}

# Of models whose nodes are tokens.
_TEXT_TASKS = {
    "AutoModel": "feature-extraction",
    "AutoModelForSequenceClassification": "text-classification",
    "AutoModelForTokenClassification": "token-classification",
}


def task_of(model_class: type, config: ChainHeadConfig | RandomChainConfig) -> str | None:
    """Return the pipeline task of a model, None if it has none."""
    use = use_of(model_class, config)
    return use and use.task


def use_of(model_class: type, config: ChainHeadConfig | RandomChainConfig) -> Use | None:
    """Return the use of a class, or of the class that it derives from."""
    use = next((_USES[cls.__name__] for cls in model_class.__mro__ if cls.__name__ in _USES), None)
    if use is not None and use.example == _CHAINS and (_reads_audio(config) or _reads_videos(config)):
        return use._replace(
            example="input_features=torch.zeros{recording}",
            task=None,
            pipeline_example="",
            pipeline_import="",
        )
    if use is not None and use.task == "audio-classification" and not _reads_audio(config):
        return use._replace(example=_CHAINS)  # frames of spectra
    if use is None or getattr(config.get_text_config(), "vocab_size", None) is None:
        return use
    return use._replace(
        example="input_ids=torch.zeros(1, {length}, dtype=torch.long)",
        task=_TEXT_TASKS.get(use.auto_class),
        pipeline_example='"Some text."',
    )


def sizes_of(config: ChainHeadConfig | RandomChainConfig) -> dict[str, object]:
    """Return the sizes that the examples of a `Use` are made of, by name."""
    if isinstance(config, RandomChainConfig):
        return {"m": config.m, "length": 20}

    length, channels = min(20, config.chain_length), config.num_input_channels
    covariates = coming = ""
    if config.num_time_features:
        past, future = ((1, steps, config.num_time_features) for steps in (length, config.prediction_length))
        covariates = f", past_time_features=torch.zeros{past}, future_time_features=torch.zeros{future}"
        row = f"[None] * {channels} + [0.0] * {config.num_time_features}"
        coming = f" + [{row}] * {config.prediction_length}"

    image_channels, height, width = _image_shape(config)
    return {
        "m": _series_channels(config),
        "length": length,
        "num_input_channels": channels,
        "series_width": channels + config.num_time_features,
        "covariates": covariates,
        "coming": coming,
        "image_channels": image_channels,
        "height": height,
        "width": width,
        "recording": _recording_shape(config.backbone_config),
    }


def _reads_audio(config: ChainHeadConfig | RandomChainConfig) -> bool:
    backbone = getattr(config, "backbone_config", None)
    if backbone is None or reads_tokens(backbone):
        return False
    return input_of(backbone) in ("input_values", "input_features")


def _reads_videos(config: ChainHeadConfig | RandomChainConfig) -> bool:
    backbone = getattr(config, "backbone_config", None)
    return backbone is not None and takes_videos(backbone)


def _series_channels(config: ChainHeadConfig) -> int:
    """Return the features of a node of the input; with an encoder of series the channels of those."""
    backbone, m = config.backbone_config, config.m
    assert m is not None
    if not hasattr(backbone, "patch_length"):
        return m
    width: int = backbone.hidden_size  # type: ignore[union-attr]
    return m // width


def _recording_shape(backbone: object) -> tuple[int, ...]:
    """Return the shape of one second or so, as an audio encoder takes it, or of a video."""
    frames = frames_of(backbone)
    if frames is not None:
        size = getattr(backbone, "image_size", getattr(backbone, "crop_size", None))
        height, width = (size, size) if isinstance(size, int) else size or (224, 224)
        return (1, frames, getattr(backbone, "num_channels", getattr(backbone, "in_chans", 3)), height, width)
    bins = getattr(backbone, "num_mel_bins", None)
    if bins is None:
        width = getattr(backbone, "feature_projection_input_dim", None)
        return (1, 16_000) if width is None else (1, 100, width)
    if hasattr(backbone, "max_source_positions"):
        return (1, bins, 2 * backbone.max_source_positions)
    return (1, getattr(backbone, "max_length", 100), bins)


def _image_shape(config: ChainHeadConfig) -> tuple[int, int, int]:
    """Return the channels, height and width of images that a model takes; of an image model."""
    backbone = config.backbone_config
    if getattr(backbone, "model_type", None) == "timm_backbone":
        # By name: the code that a checkpoint without a timm backbone carries must not ask for timm.
        timm = importlib.import_module("timm")
        trained = timm.get_pretrained_cfg(backbone.backbone)  # type: ignore[union-attr]
        _, height, width = trained.input_size if trained else (3, 224, 224)
        return getattr(backbone, "num_channels", 3), height, width
    if backbone is not None:
        size = getattr(backbone, "image_size", None) or 224
        return (getattr(backbone, "num_channels", 3), *height_and_width(size))
    if config.image_size is not None:
        return (config.image_channels, *height_and_width(config.image_size))
    side = (config.patch_size or 1) * min(14, math.isqrt(config.chain_length))
    return config.image_channels, side, side
