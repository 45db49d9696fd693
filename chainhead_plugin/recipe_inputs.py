"""From a recipe's examples to a model's inputs: one preprocessor a task, saved beside the model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from huggingface_hub.errors import StrictDataclassError
from torch import Tensor

from .configuration_chainhead import ChainHeadConfig
from .feature_extraction_chainhead import ChainHeadFeatureExtractor
from .modeling_chainhead import ChainHeadForSequenceClassification
from .modeling_chainhead_forecast import ChainHeadForTimeSeriesPrediction
from .recipe import Recipe, RecipeError
from .recipe_examples import Examples
from .recipe_windows import Windows
from .tokenizer_training import train_tokenizer


@dataclass(frozen=True)
class Inputs:
    """What stands between examples and a model.

    Attributes
    ----------
    fields : dict
        Fields of the configuration that follow from the training data.
    model_class : type
        The chainhead model for the task, or where loaded the class that loads it.
    auto_class : str
        The attribute of `transformers` that builds it.
    batch : callable
        Makes a model's inputs, tensors by name, of a list of examples.
    preprocessor : object
        What `batch` uses; has `save_pretrained`. None where the model needs none.
    """

    fields: dict[str, Any]
    model_class: type[Any]
    auto_class: str
    batch: Callable[[Sequence[Any]], dict[str, Tensor]]
    preprocessor: Any

    @classmethod
    def load(cls, task: str, folder: Path) -> "Inputs":
        """Return the preprocessing that was saved beside a model, and the model's class by its Auto class."""
        if task == "time-series-forecasting":
            return forecast_inputs(ChainHeadConfig.from_pretrained(folder))
        auto_class, auto_preprocessor, batch = _LOAD[task]
        preprocessor = getattr(transformers, auto_preprocessor).from_pretrained(folder)
        return cls({}, getattr(transformers, auto_class), auto_class, batch(preprocessor), preprocessor)

    def config(self, recipe: Recipe, names: Sequence[str], **options: Any) -> ChainHeadConfig:
        """Return the configuration of a model with the given options, or those of the recipe.

        Raises
        ------
        RecipeError
            If they are not valid.
        """
        labels: dict[str, Any] = {}
        if recipe.task != "time-series-forecasting":
            labels = {
                "problem_type": "single_label_classification",
                "id2label": dict(enumerate(names)),
                "label2id": {name: index for index, name in enumerate(names)},
            }
        try:
            return ChainHeadConfig(**{**self.fields, **(options or recipe.model), **labels})
        except (StrictDataclassError, TypeError, ValueError) as error:
            raise RecipeError(f"model: {error.__cause__ or error}") from error


def prepare(recipe: Recipe, training: Examples) -> Inputs:
    """Fit a task's preprocessing to the training examples."""
    return _PREPARE[recipe.task](recipe, training)


def _prepare_chains(recipe: Recipe, training: Examples) -> Inputs:
    features = int(np.shape(training.inputs[0])[1])
    extractor = ChainHeadFeatureExtractor(features).fit(training.inputs, batched=True)
    return Inputs(
        fields={"m": features, "chain_length": max(map(len, training.inputs))},
        model_class=ChainHeadForSequenceClassification,
        auto_class="AutoModelForSequenceClassification",
        batch=_chain_batch(extractor),
        preprocessor=extractor,
    )


def _prepare_images(recipe: Recipe, training: Examples) -> Inputs:
    # Needs torchvision, which the other tasks do not.
    from .image_processing_chainhead import ChainHeadImageProcessor
    from .modeling_chainhead_image import ChainHeadForImageClassification

    if recipe.model.get("backbone_config") is not None:
        raise RecipeError("model: recipes train images without a backbone, leave backbone_config out")
    first = np.asarray(training.inputs[0])
    size, channels = list(first.shape[:2]), 1 if first.ndim == 2 else first.shape[2]
    fields = {"image_size": size, "num_channels": channels, "chain_length": size[0]}
    processor = ChainHeadImageProcessor.for_config(ChainHeadConfig(**fields))
    return Inputs(
        fields=fields,
        model_class=ChainHeadForImageClassification,
        auto_class="AutoModelForImageClassification",
        batch=_image_batch(processor),
        preprocessor=processor,
    )


def _prepare_texts(recipe: Recipe, training: Examples) -> Inputs:
    try:
        tokenizer = train_tokenizer(training.inputs, **recipe.tokenizer)
    except (TypeError, ValueError) as error:
        raise RecipeError(f"tokenizer: {error}") from error
    lengths = [len(ids) for ids in tokenizer(list(training.inputs))["input_ids"]]
    return Inputs(
        fields={
            "vocab_size": len(tokenizer),
            "pad_token_id": tokenizer.pad_token_id,
            "chain_length": max(lengths),
        },
        model_class=ChainHeadForSequenceClassification,
        auto_class="AutoModelForSequenceClassification",
        batch=_text_batch(tokenizer),
        preprocessor=tokenizer,
    )


def _prepare_windows(recipe: Recipe, training: Examples) -> Inputs:
    assert isinstance(training, Windows)
    layout = training.layout
    size = layout.channels * (2 if recipe.model.get("with_observed_indicator") else 1)
    fields = {
        "m": size + len(layout.known),
        "num_time_features": len(layout.known),
        "prediction_channel_indices": list(range(len(layout.targets))) if layout.past else None,
    }
    if clash := sorted(fields.keys() & recipe.model.keys()):
        raise RecipeError(f"model: {clash[0]} follows from the data, leave it out")
    try:
        config = ChainHeadConfig(**fields, **recipe.model)
    except (StrictDataclassError, TypeError, ValueError) as error:
        raise RecipeError(f"model: {error.__cause__ or error}") from error
    return forecast_inputs(config, fields)


def forecast_inputs(config: ChainHeadConfig, fields: dict[str, Any] | None = None) -> Inputs:
    """Return the inputs of a forecaster, which scales series itself: windows split into past and future."""
    return Inputs(
        fields=fields or {},
        model_class=ChainHeadForTimeSeriesPrediction,
        auto_class="AutoModelForTimeSeriesPrediction",
        batch=_window_batch(config),
        preprocessor=None,
    )


def _window_batch(config: ChainHeadConfig) -> Callable[[Sequence[Any]], dict[str, Tensor]]:
    steps, channels = config.prediction_length, config.num_input_channels
    assert steps is not None

    def batch(windows: Sequence[Any]) -> dict[str, Tensor]:
        rows = torch.from_numpy(np.stack(windows))
        found = {"past_values": rows[:, :-steps, :channels]}
        if config.num_time_features:
            found["past_time_features"] = rows[:, :-steps, channels:]
            found["future_time_features"] = rows[:, -steps:, channels:]
        return found

    return batch


_PREPARE = {
    "time-series-classification": _prepare_chains,
    "image-classification": _prepare_images,
    "text-classification": _prepare_texts,
    "time-series-forecasting": _prepare_windows,
}


Batch = Callable[[Sequence[Any]], dict[str, Tensor]]


def _chain_batch(extractor: Any) -> Batch:
    return lambda chains: dict(extractor(list(chains), return_tensors="pt", batched=True))


def _image_batch(processor: Any) -> Batch:
    def batch(images: Sequence[Any]) -> dict[str, Tensor]:
        pixels = [image[:, :, np.newaxis] if image.ndim == 2 else image for image in images]
        return dict(processor(pixels, return_tensors="pt", input_data_format="channels_last"))

    return batch


def _text_batch(tokenizer: Any) -> Batch:
    return lambda texts: dict(tokenizer(list(texts), padding=True, return_tensors="pt"))


_LOAD: dict[str, tuple[str, str, Callable[[Any], Batch]]] = {
    "time-series-classification": (
        "AutoModelForSequenceClassification",
        "AutoFeatureExtractor",
        _chain_batch,
    ),
    "image-classification": ("AutoModelForImageClassification", "AutoImageProcessor", _image_batch),
    "text-classification": ("AutoModelForSequenceClassification", "AutoTokenizer", _text_batch),
}
