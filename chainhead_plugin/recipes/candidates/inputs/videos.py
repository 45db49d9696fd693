"""Inputs of models that read videos, on a pretrained encoder."""

from collections.abc import Mapping
from pathlib import Path

import transformers

from ....models.encoders.modeling_chainhead_video import ChainHeadForVideoClassification
from ...data.examples import Examples
from ...pretrained.clips import clip_batch
from ...pretrained.encoder import load_encoder
from ...recipe import Recipe
from .encoded import on_encoder
from .inputs import Inputs

_AUTO_CLASS = "AutoModelForVideoClassification"


def prepare_videos(recipe: Recipe, training: Examples) -> Inputs:
    """Return the inputs of models on a pretrained encoder: frames, made fitting by the encoder's own image processor.

    The processor keeps what later files are read by: the pipeline's `frame_sampling_rate`, and the columns of a table.
    """
    assert isinstance(recipe.data, Mapping)
    encoder = load_encoder(recipe)
    processor = encoder.preprocessor
    processor.frame_sampling_rate = recipe.data.get("frame_sampling_rate", 1)
    if training.schema is not None:
        processor.schema = training.schema.to_dict()
    inputs = Inputs({}, ChainHeadForVideoClassification, _AUTO_CLASS, clip_batch(processor), processor)
    return on_encoder(inputs, recipe, encoder, training)


def load_videos(folder: Path) -> Inputs:
    """Return the inputs of a saved model, with the image processor beside it."""
    processor = transformers.AutoImageProcessor.from_pretrained(folder, trust_remote_code=False)
    return Inputs({}, getattr(transformers, _AUTO_CLASS), _AUTO_CLASS, clip_batch(processor), processor)
