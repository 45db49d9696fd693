"""Inputs of models that read sounds, as log-mel frames that were made once."""

from pathlib import Path
from typing import Any

import numpy as np
import transformers

from ....inputs.sounds.feature_extraction_chainhead_audio import ChainHeadAudioFeatureExtractor
from ....models.encoders.modeling_chainhead_audio import ChainHeadForAudioClassification
from ...data.examples import Examples
from ...data.sound_files import extractor_for
from ...errors import RecipeError
from ...recipe import Recipe
from .inputs import Batch, Inputs

_AUTO_CLASS = "AutoModelForAudioClassification"


def prepare_sounds(recipe: Recipe, training: Examples) -> Inputs:
    """Fit the scaling of an audio feature extractor to the frames [L, bands] of the training sounds."""
    assert training.sampling_rate is not None
    extractor = extractor_for(recipe, training.sampling_rate)
    if training.schema is not None:
        extractor.schema = training.schema.to_dict()
    extractor.fit_frames(training.inputs)
    lengths = list(map(len, training.inputs))
    return Inputs(
        fields={"m": extractor.feature_size, "chain_length": max(lengths)},
        model_class=ChainHeadForAudioClassification,
        auto_class=_AUTO_CLASS,
        batch=_frame_batch(extractor),
        preprocessor=extractor,
        typical_length=float(np.median(lengths)),
    )


def load_sounds(folder: Path) -> Inputs:
    """Return the inputs of a saved model, with the feature extractor beside it.

    Raises
    ------
    RecipeError
        If the extractor is not ours, but that of an encoder.
    """
    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder, trust_remote_code=False)
    if not isinstance(extractor, ChainHeadAudioFeatureExtractor):
        raise RecipeError(
            f"{folder} reads sounds by {type(extractor).__name__}, but recipes and evaluation know only models of "
            "log-mel frames with ChainHeadAudioFeatureExtractor: predict with chainhead predict or "
            'pipeline("audio-classification")'
        )
    return Inputs({}, getattr(transformers, _AUTO_CLASS), _AUTO_CLASS, _frame_batch(extractor), extractor)


def _frame_batch(extractor: Any) -> Batch:
    scaler = extractor.scaler()
    return lambda frames: dict(scaler(list(frames), return_tensors="pt", batched=True))
