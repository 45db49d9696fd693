"""Inputs of models that read sounds: log-mel frames that were made once, or samples, which an encoder takes."""

from pathlib import Path
from typing import Any

import numpy as np
import transformers

from ....inputs.sounds.feature_extraction_chainhead_audio import ChainHeadAudioFeatureExtractor
from ....models.encoders.modeling_chainhead_audio import ChainHeadForAudioClassification
from ...data.examples import Examples
from ...data.sounds.forms import extractor_for
from ...errors import RecipeError
from ...pretrained.encoder import load_encoder
from ...pretrained.recordings import checked_extractor, recording_batch
from ...recipe import Recipe
from .encoded import on_encoder
from .inputs import Batch, Inputs

_AUTO_CLASS = "AutoModelForAudioClassification"


def prepare_sounds(recipe: Recipe, training: Examples) -> Inputs:
    """Fit the scaling of an audio feature extractor to the frames [L, bands] of the training sounds."""
    assert training.sampling_rate is not None
    extractor = extractor_for(recipe, training.sampling_rate)
    _keep_columns(extractor, training)
    extractor.fit_frames(training.inputs)
    lengths = list(map(len, training.inputs))
    return Inputs(
        fields={"m": extractor.feature_size, "chain_length": max(lengths)},
        model_class=ChainHeadForAudioClassification,
        auto_class=_AUTO_CLASS,
        batch=_batch(extractor),
        preprocessor=extractor,
        typical_length=float(np.median(lengths)),
    )


def prepare_encoded_sounds(recipe: Recipe, training: Examples) -> Inputs:
    """Return the inputs of models on a pretrained encoder: sounds [samples], taken by the encoder's own extractor."""
    encoder = load_encoder(recipe)
    _keep_columns(encoder.preprocessor, training)
    inputs = Inputs(
        fields={},
        model_class=ChainHeadForAudioClassification,
        auto_class=_AUTO_CLASS,
        batch=_batch(encoder.preprocessor),
        preprocessor=encoder.preprocessor,
    )
    return on_encoder(inputs, recipe, encoder, training)


def load_sounds(folder: Path) -> Inputs:
    """Return the inputs of a saved model, with the feature extractor beside it.

    Raises
    ------
    RecipeError
        If the extractor takes no recordings.
    """
    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder, trust_remote_code=False)
    try:
        checked_extractor(extractor)
    except ValueError as error:
        raise RecipeError(f"{folder}: {error}") from error
    return Inputs({}, getattr(transformers, _AUTO_CLASS), _AUTO_CLASS, _batch(extractor), extractor)


def _keep_columns(extractor: Any, training: Examples) -> None:
    """Let an extractor save the names of the columns of the table that named the sounds."""
    if training.schema is not None:
        extractor.schema = training.schema.to_dict()


def _batch(extractor: Any) -> Batch:
    if not isinstance(extractor, ChainHeadAudioFeatureExtractor):
        return recording_batch(extractor)
    scaler = extractor.scaler()
    return lambda frames: dict(scaler(list(frames), return_tensors="pt", batched=True))
