"""Inputs of models that read time series, or other chains of floats."""

from pathlib import Path
from typing import Any

import numpy as np
import transformers

from ....inputs.feature_extraction_chainhead import ChainHeadFeatureExtractor
from ....models.modeling_chainhead import ChainHeadForSequenceClassification, ChainHeadForTokenClassification
from ...data.examples import Examples
from ...pretrained.encoder import load_encoder
from ...recipe import Recipe
from .encoded import on_encoder
from .inputs import Batch, Inputs


def prepare_chains(training: Examples, *, of_nodes: bool = False) -> Inputs:
    """Fit a feature extractor to chains [L, m].

    Parameters
    ----------
    training : Examples
        Chains.
    of_nodes : bool
        Whether the model classifies every node, and not whole chains.
    """
    features = int(np.shape(training.inputs[0])[1])
    extractor = ChainHeadFeatureExtractor(features, interpolate_missing=True, schema=_names(training))
    extractor.fit(training.inputs, batched=True)
    return Inputs(
        fields={"m": features, "chain_length": max(map(len, training.inputs))},
        model_class=ChainHeadForTokenClassification if of_nodes else ChainHeadForSequenceClassification,
        auto_class=_auto_class(of_nodes),
        batch=_chain_batch(extractor),
        preprocessor=extractor,
        typical_length=float(np.median([len(chain) for chain in training.inputs])),
    )


def prepare_encoded_chains(recipe: Recipe, training: Examples) -> Inputs:
    """Return the inputs of models on a pretrained encoder: chains [L, m] in their own unit, which the encoder scales.

    Parameters
    ----------
    recipe : Recipe
        With an encoder of series.
    training : Examples
        Chains.
    """
    features = int(np.shape(training.inputs[0])[1])
    extractor = ChainHeadFeatureExtractor(
        features, do_normalize=False, interpolate_missing=True, schema=_names(training)
    )
    inputs = Inputs(
        fields={},
        model_class=ChainHeadForSequenceClassification,
        auto_class=_auto_class(False),
        batch=_chain_batch(extractor),
        preprocessor=extractor,
    )
    return on_encoder(inputs, recipe, load_encoder(recipe), training)


def _names(training: Examples) -> dict[str, Any] | None:
    return None if training.schema is None else training.schema.to_dict()


def load_chains(folder: Path, *, of_nodes: bool = False) -> Inputs:
    """Return the inputs of a saved model, with the feature extractor beside it."""
    extractor, auto_class = (
        transformers.AutoFeatureExtractor.from_pretrained(folder, trust_remote_code=False),
        _auto_class(of_nodes),
    )
    return Inputs({}, getattr(transformers, auto_class), auto_class, _chain_batch(extractor), extractor)


def _auto_class(of_nodes: bool) -> str:
    return f"AutoModelFor{'Token' if of_nodes else 'Sequence'}Classification"


def _chain_batch(extractor: Any) -> Batch:
    return lambda chains: dict(extractor(list(chains), return_tensors="pt", batched=True))
