"""Load the pretrained encoder that a recipe names, with the preprocessing that belongs to it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoFeatureExtractor,
    AutoImageProcessor,
    AutoTokenizer,
    PreTrainedModel,
)

from ...config.backbone import as_backbone_config
from ...config.backbone_input import input_of, takes_videos
from ...nodes.encoders.building import copy_encoder
from ...nodes.image_backbone import build_image_backbone, load_image_backbone
from ...nodes.pretrained_weights import load_model, require_weights
from ...nodes.text_backbone import copy_weights
from ...storage.code_origin import without_carried_code
from ..errors import RecipeError
from ..recipe import Recipe
from .clips import load_processor
from .nodes import new_encoder
from .places import encoder_folder
from .recordings import checked_extractor

_NO_LIMIT = 2**20  # tokenizers without a limit state a far greater number
# By `Task.reads`: the inputs of encoders for it, and words for such an encoder and what it takes. Backbones of images
# and encoders of videos are told by their class instead.
_FITTING = {
    "text": (("input_ids",), "text encoder with its tokenizer", "tokens"),
    "nodes": (("past_values",), "encoder of series", "series"),
    "pixels": ((), "encoder of images with its image processor", "images"),
    "sound": (
        ("input_values", "input_features"),
        "encoder of audio with its feature extractor",
        "recordings",
    ),
    "video": ((), "encoder of videos with its image processor", "videos"),
}


@dataclass(frozen=True)
class Encoder:
    """A pretrained encoder.

    Attributes
    ----------
    folder : Path
        The folder of its files.
    config : dict
        Its configuration.
    preprocessor : object
        For texts its tokenizer, which cuts them at the recipe's `max_length`, or else at the encoder's own limit; for
        sounds its feature extractor, which returns masks if it can; for images and videos its image processor. None for
        series.
    reads : {"text", "nodes", "pixels", "sound", "video"}
        As of the recipe's task.
    """

    folder: Path
    config: dict[str, Any]
    preprocessor: Any
    reads: str

    def initialise(self, backbone: PreTrainedModel) -> None:
        """Copy the pretrained weights, as float32, into a new backbone.

        Raises
        ------
        RecipeError
            If the weights cannot be read, are of other sizes, or some of those that the nodes need are missing.
        """
        load = load_image_backbone if self.reads == "pixels" else load_model
        try:
            source, missing = load(str(self.folder), dtype=torch.float32, use_safetensors=True)
        except (OSError, RuntimeError, SafetensorError, ValueError) as error:
            raise RecipeError(f"encoder: the weights in {self.folder} cannot be loaded: {error}") from error
        try:
            require_weights(source, backbone, missing, str(self.folder))
        except ValueError as error:
            raise RecipeError(f"encoder: {error}") from error
        fill = copy_weights if self.reads in ("text", "pixels") else copy_encoder
        fill(source, backbone)

    def new(self) -> PreTrainedModel:
        """Build the encoder with random weights."""
        config = as_backbone_config(self.config)
        return build_image_backbone(config) if self.reads == "pixels" else new_encoder(config)


def load_encoder(recipe: Recipe) -> Encoder:
    """Find a recipe's encoder, compare it with the hashes that the recipe states, and read all but its weights.

    Raises
    ------
    RecipeError
        If there is no encoder, its hashes differ, or it does not take what the recipe's task reads; the message says
        what to do.
    registry.RegistryError
        If the encoder has to be fetched from the Hub and cannot be.
    """
    folder, reads = encoder_folder(recipe), recipe.task.reads
    names, expected, values = _FITTING[reads]
    preprocessor: Any = None
    try:
        with without_carried_code(str(folder)):
            config = AutoConfig.from_pretrained(folder, trust_remote_code=False).to_dict()
            described = as_backbone_config(config)
            is_other = reads == "video" and not takes_videos(described)
            if is_other or (names and input_of(described) not in names):
                raise ValueError(f"a model of type {config['model_type']} takes no {values}")
            if reads == "text":
                preprocessor = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
            elif reads == "sound":
                extractor = AutoFeatureExtractor.from_pretrained(folder, trust_remote_code=False)
                preprocessor = checked_extractor(extractor)
            elif reads == "pixels":
                preprocessor = AutoImageProcessor.from_pretrained(folder, trust_remote_code=False)
            elif reads == "video":
                preprocessor = load_processor(folder)
        encoder = Encoder(folder, config, preprocessor, reads)
        if reads != "text":
            with torch.device("meta"):
                encoder.new()  # Raises if it needs further inputs, or gives no nodes.
    except (OSError, StrictDataclassError, ValueError) as error:
        said = error.__cause__ if isinstance(error, StrictDataclassError) and error.__cause__ else error
        raise RecipeError(f"encoder: {folder} is no {expected}: {said}") from error

    config.pop("_name_or_path", None)  # a folder of this machine
    if reads == "text":
        _limit(preprocessor, recipe, config, folder)
    return encoder


def _limit(tokenizer: Any, recipe: Recipe, config: dict[str, Any], folder: Path) -> None:
    """Let a tokenizer cut texts at the recipe's `max_length`, or else where the encoder ends."""
    if tokenizer.pad_token_id is None:
        raise RecipeError(f"encoder: the tokenizer in {folder} has no padding token")
    longest = min(tokenizer.model_max_length, config.get("max_position_embeddings") or _NO_LIMIT)
    wanted = recipe.encoder.get("max_length", longest)
    if wanted > longest:
        raise RecipeError(f"encoder: max_length={wanted}, but the encoder takes {longest} tokens at most")
    if wanted < _NO_LIMIT:
        tokenizer.model_max_length = wanted


def has_limit(tokenizer: Any) -> bool:
    """Whether a tokenizer limits the length of texts."""
    limited: bool = tokenizer.model_max_length < _NO_LIMIT
    return limited
