"""Inputs of models that read texts."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import transformers

from ....inputs.tokenizer import train_tokenizer
from ....models.modeling_chainhead import ChainHeadForSequenceClassification
from ...data.examples import Examples
from ...errors import RecipeError
from ...pretrained.encoder import has_limit, load_encoder
from ...recipe import Recipe
from .inputs import Batch, Inputs

_AUTO_CLASS = "AutoModelForSequenceClassification"


def prepare_texts(recipe: Recipe, training: Examples) -> Inputs:
    """Train a tokenizer on the training texts, or take the tokenizer of the recipe's encoder."""
    if recipe.encoder:
        encoder = load_encoder(recipe)
        fields = {"backbone_config": encoder.config, "freeze_backbone": recipe.on_frozen_encoder}
        return replace(_text_inputs(fields, encoder.preprocessor, training), encoder=encoder)
    try:
        tokenizer = train_tokenizer(training.inputs, **recipe.tokenizer)
    except (TypeError, ValueError) as error:
        raise RecipeError(f"tokenizer: {error}") from error
    fields = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id}
    return _text_inputs(fields, tokenizer, training)


def load_texts(folder: Path) -> Inputs:
    """Return the inputs of a saved model, with the tokenizer beside it."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    return Inputs({}, getattr(transformers, _AUTO_CLASS), _AUTO_CLASS, _text_batch(tokenizer), tokenizer)


def _text_inputs(fields: dict[str, Any], tokenizer: Any, training: Examples) -> Inputs:
    if training.schema is not None:
        tokenizer.init_kwargs["schema"] = training.schema.to_dict()  # saved in tokenizer_config.json
    lengths = _text_batch(tokenizer)(training.inputs)["attention_mask"].sum(1)
    return Inputs(
        fields={**fields, "chain_length": int(lengths.max())},
        model_class=ChainHeadForSequenceClassification,
        auto_class=_AUTO_CLASS,
        batch=_text_batch(tokenizer),
        preprocessor=tokenizer,
    )


def _text_batch(tokenizer: Any) -> Batch:
    return lambda texts: dict(
        tokenizer(list(texts), padding=True, truncation=has_limit(tokenizer), return_tensors="pt")
    )
