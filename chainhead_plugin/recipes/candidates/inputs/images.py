"""Inputs of models that read images."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import transformers

from ....config.backbone import as_backbone_config
from ....config.configuration_chainhead import ChainHeadConfig
from ....config.images import image_nodes
from ....nodes.image_backbone import feature_map_shape
from ...data.examples import Examples
from ...data.media.image_files import channels_of
from ...errors import RecipeError
from ...pretrained.encoder import load_encoder
from ...pretrained.images import image_batch
from ...recipe import Recipe
from .inputs import Inputs, as_recipe_errors

_AUTO_CLASS = "AutoModelForImageClassification"


def prepare_images(recipe: Recipe, training: Examples) -> Inputs:
    """Return the preprocessing of images: they get the recipe's size, or the first image's, and values in [-1, 1]."""
    # Needs torchvision, which the other tasks do not.
    from ....inputs.image_processing_chainhead import ChainHeadImageProcessor
    from ....models.modeling_chainhead_image import ChainHeadForImageClassification

    first = np.asarray(training.inputs[0])
    stated = recipe.data.get("size") if isinstance(recipe.data, Mapping) else None
    size, channels = list(stated or first.shape[:2]), channels_of(first)
    if recipe.model.get("backbone_config") is not None:
        fields = _map_fields(recipe.model["backbone_config"], size, channels)
        processor = ChainHeadImageProcessor(
            size={"height": size[0], "width": size[1]}, do_grayscale=channels == 1
        )
    else:
        with as_recipe_errors():
            _, length = image_nodes(size, channels, recipe.model.get("patch_size"))
        fields = {"image_size": size, "num_channels": channels, "chain_length": length}
        processor = ChainHeadImageProcessor.for_config(
            ChainHeadConfig(image_size=size, num_channels=channels)
        )
    return Inputs(
        fields=fields,
        model_class=ChainHeadForImageClassification,
        auto_class=_AUTO_CLASS,
        batch=image_batch(processor),
        preprocessor=processor,
    )


def prepare_encoded_images(recipe: Recipe, training: Examples) -> Inputs:
    """Return the inputs of models on a pretrained encoder: images, made fitting by the encoder's own processor.

    Raises
    ------
    RecipeError
        If the encoder does not take the images that its processor makes.
    """
    from ....models.modeling_chainhead_image import ChainHeadForImageClassification

    encoder = load_encoder(recipe)
    batch = image_batch(encoder.preprocessor, encoder.config.get("num_channels", 3))
    channels, *size = batch(training.inputs[:1])["pixel_values"].shape[1:]
    fields = _map_fields(encoder.config, size, channels)
    return Inputs(
        fields={
            **fields,
            "backbone_config": encoder.config,
            "freeze_backbone": recipe.on_frozen_encoder,
        },
        model_class=ChainHeadForImageClassification,
        auto_class=_AUTO_CLASS,
        batch=batch,
        preprocessor=encoder.preprocessor,
        encoder=encoder,
    )


def _map_fields(backbone: Any, size: list[int], channels: int) -> dict[str, Any]:
    """Return the fields that follow from a backbone and the size of its images."""
    with as_recipe_errors():
        config = as_backbone_config(backbone)
    try:
        m, height, width = feature_map_shape(config, channels, size)
    except Exception as error:  # most backbones hardly check their options
        raise RecipeError(f"model: backbone_config makes no feature map of these images: {error}") from error
    return {"m": m, "chain_length": height * width}


def load_images(folder: Path) -> Inputs:
    """Return the inputs of a saved model, with the image processor beside it."""
    processor = transformers.AutoImageProcessor.from_pretrained(folder, trust_remote_code=False)
    backbone = ChainHeadConfig.from_pretrained(folder).backbone_config
    batch = image_batch(processor, getattr(backbone, "num_channels", None))
    return Inputs({}, getattr(transformers, _AUTO_CLASS), _AUTO_CLASS, batch, processor)
