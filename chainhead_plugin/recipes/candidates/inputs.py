"""From a recipe's examples to a model's inputs: one preprocessor a task, saved beside the model."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from huggingface_hub.errors import StrictDataclassError
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from ...config.backbone import as_backbone_config
from ...config.configuration_chainhead import ChainHeadConfig
from ...config.images import image_nodes
from ...inputs.feature_extraction_chainhead import ChainHeadFeatureExtractor
from ...inputs.tokenizer import train_tokenizer
from ...models.modeling_chainhead import ChainHeadForSequenceClassification, ChainHeadForTokenClassification
from ...models.modeling_chainhead_forecast import ChainHeadForTimeSeriesPrediction
from ...nodes.image_backbone import feature_map_shape
from ..data.examples import Examples
from ..data.windows import Windows
from ..recipe import SEGMENTATION, Recipe, RecipeError
from .encoder import Encoder, has_limit, load_encoder

# Makes a model's inputs, tensors by name, of a list of examples.
Batch = Callable[[Sequence[Any]], dict[str, Tensor]]


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
    encoder : Encoder or None
        Where a new model's backbone gets its weights from.
    dropped : tuple of str
        Fields of a recipe's model that do not concern this one, which reads a frozen backbone's nodes.
    """

    fields: dict[str, Any]
    model_class: type[Any]
    auto_class: str
    batch: Batch
    preprocessor: Any
    encoder: Encoder | None = None
    dropped: tuple[str, ...] = ()

    @classmethod
    def load(cls, task: str, folder: Path) -> "Inputs":
        """Return the preprocessing that was saved beside a model, and the model's class by its Auto class."""
        if task == "time-series-forecasting":
            return _forecast_inputs(ChainHeadConfig.from_pretrained(folder))
        auto_class, auto_preprocessor, batch = _LOAD[task]
        preprocessor = getattr(transformers, auto_preprocessor).from_pretrained(folder)
        return cls({}, getattr(transformers, auto_class), auto_class, batch(preprocessor), preprocessor)

    def initialise(self, model: nn.Module) -> None:
        """Copy the encoder's weights, where there is one, into a new model: the chain head's or a peer's."""
        if self.encoder is not None:
            owner: Any = getattr(model, "base_model", model)
            self.encoder.initialise(owner.backbone)

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
        given = {name: value for name, value in (options or recipe.model).items() if name not in self.dropped}
        with _as_recipe_errors():
            return ChainHeadConfig(**{**self.fields, **given, **labels})


@contextmanager
def _as_recipe_errors() -> Iterator[None]:
    """Raise what is wrong with a model's options as an error of its recipe."""
    try:
        yield
    except (StrictDataclassError, TypeError, ValueError) as error:
        raise RecipeError(f"model: {error.__cause__ or error}") from error


def prepare(recipe: Recipe, training: Examples) -> Inputs:
    """Fit a task's preprocessing to the training examples; of a frozen backbone or encoder, these are nodes already."""
    if recipe.pretraining or recipe.on_frozen_encoder:
        return _prepare_nodes(training)
    return _PREPARE[recipe.task](recipe, training)


def _prepare_chains(recipe: Recipe, training: Examples) -> Inputs:
    features = int(np.shape(training.inputs[0])[1])
    extractor = ChainHeadFeatureExtractor(features).fit(training.inputs, batched=True)
    of_nodes = recipe.task == SEGMENTATION
    return Inputs(
        fields={"m": features, "chain_length": max(map(len, training.inputs))},
        model_class=ChainHeadForTokenClassification if of_nodes else ChainHeadForSequenceClassification,
        auto_class=f"AutoModelFor{'Token' if of_nodes else 'Sequence'}Classification",
        batch=_chain_batch(extractor),
        preprocessor=extractor,
    )


def prepare_images(recipe: Recipe, training: Examples) -> Inputs:
    """Return the preprocessing of images of the first one's size, resized and scaled to [-1, 1]."""
    # Needs torchvision, which the other tasks do not.
    from ...inputs.image_processing_chainhead import ChainHeadImageProcessor
    from ...models.modeling_chainhead_image import ChainHeadForImageClassification

    first = np.asarray(training.inputs[0])
    size, channels = list(first.shape[:2]), 1 if first.ndim == 2 else first.shape[2]
    if recipe.model.get("backbone_config") is not None:
        fields = _map_fields(recipe.model["backbone_config"], size, channels)
        processor = ChainHeadImageProcessor(
            size={"height": size[0], "width": size[1]}, do_grayscale=channels == 1
        )
    else:
        _, length = image_nodes(size, channels, recipe.model.get("patch_size"))
        fields = {"image_size": size, "num_channels": channels, "chain_length": length}
        processor = ChainHeadImageProcessor.for_config(
            ChainHeadConfig(image_size=size, num_channels=channels)
        )
    return Inputs(
        fields=fields,
        model_class=ChainHeadForImageClassification,
        auto_class="AutoModelForImageClassification",
        batch=_image_batch(processor),
        preprocessor=processor,
    )


def _map_fields(backbone: Any, size: list[int], channels: int) -> dict[str, Any]:
    """Return the fields that follow from a backbone and the images that it gets."""
    with _as_recipe_errors():
        config = as_backbone_config(backbone)
    try:
        m, height, width = feature_map_shape(config, channels, size)
    except ValueError as error:
        raise RecipeError(f"model: {error}") from error
    return {"m": m, "chain_length": height * width}


def _prepare_nodes(training: Examples) -> Inputs:
    return Inputs(
        fields={"m": np.shape(training.inputs[0])[1], "chain_length": max(map(len, training.inputs))},
        model_class=ChainHeadForSequenceClassification,
        auto_class="AutoModelForSequenceClassification",
        batch=_node_batch,
        preprocessor=None,
        dropped=("backbone_config", "freeze_backbone", "scan"),
    )


def _prepare_texts(recipe: Recipe, training: Examples) -> Inputs:
    if recipe.encoder:
        return prepare_texts(recipe, training, load_encoder(recipe))
    try:
        tokenizer = train_tokenizer(training.inputs, **recipe.tokenizer)
    except (TypeError, ValueError) as error:
        raise RecipeError(f"tokenizer: {error}") from error
    fields = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id}
    return _text_inputs(fields, tokenizer, training)


def prepare_texts(recipe: Recipe, training: Examples, encoder: Encoder) -> Inputs:
    """Return the preprocessing of texts by a pretrained encoder's tokenizer, for models that contain the encoder."""
    fields = {"backbone_config": encoder.config, "freeze_backbone": recipe.on_frozen_encoder}
    return replace(_text_inputs(fields, encoder.tokenizer, training), encoder=encoder)


def _text_inputs(fields: dict[str, Any], tokenizer: Any, training: Examples) -> Inputs:
    lengths = _text_batch(tokenizer)(training.inputs)["attention_mask"].sum(1)
    return Inputs(
        fields={**fields, "chain_length": int(lengths.max())},
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
    if constant := _constant_features(recipe, training):
        fields["constant_features"] = constant
    if clash := sorted(fields.keys() & recipe.model.keys()):
        raise RecipeError(f"model: {clash[0]} follows from the data, leave it out")
    with _as_recipe_errors():
        config = ChainHeadConfig(**fields, **recipe.model)
    return _forecast_inputs(config, fields)


def _constant_features(recipe: Recipe, training: Windows) -> list[int]:
    """Return the features of a node that do not vary in training, and warn of the columns among them."""
    layout = training.layout
    columns = training.constant_columns()
    if columns:
        names = (*layout.targets, *layout.past, *layout.known)
        warnings.warn(
            f"columns that do not vary in training get no weight, whatever they hold later: "
            f"{', '.join(names[column] for column in columns)}",
            stacklevel=2,
        )
    if not recipe.model.get("with_observed_indicator"):
        return columns
    # Behind the channels stands which of them were observed.
    channels = layout.channels
    moved = [column if column < channels else column + channels for column in columns]
    return sorted({*moved, *(channels + channel for channel in training.constant_indicators())})


def _forecast_inputs(config: ChainHeadConfig, fields: dict[str, Any] | None = None) -> Inputs:
    """Return the inputs of a forecaster, which scales series itself: windows split into past and future."""
    return Inputs(
        fields=fields or {},
        model_class=ChainHeadForTimeSeriesPrediction,
        auto_class="AutoModelForTimeSeriesPrediction",
        batch=_window_batch(config),
        preprocessor=None,
    )


def _window_batch(config: ChainHeadConfig) -> Batch:
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
    SEGMENTATION: _prepare_chains,
    "image-classification": prepare_images,
    "text-classification": _prepare_texts,
    "time-series-forecasting": _prepare_windows,
}


def _chain_batch(extractor: Any) -> Batch:
    return lambda chains: dict(extractor(list(chains), return_tensors="pt", batched=True))


def _image_batch(processor: Any) -> Batch:
    def batch(images: Sequence[Any]) -> dict[str, Tensor]:
        pixels = [image[:, :, np.newaxis] if image.ndim == 2 else image for image in images]
        return dict(processor(pixels, return_tensors="pt", input_data_format="channels_last"))

    return batch


def _text_batch(tokenizer: Any) -> Batch:
    return lambda texts: dict(
        tokenizer(list(texts), padding=True, truncation=has_limit(tokenizer), return_tensors="pt")
    )


def _node_batch(chains: Sequence[Any]) -> dict[str, Tensor]:
    nodes = pad_sequence([torch.from_numpy(chain) for chain in chains], batch_first=True)
    lengths = torch.tensor([[len(chain)] for chain in chains])
    real = torch.arange(nodes.size(1)) < lengths
    return {"input_features": nodes} | ({} if real.all() else {"attention_mask": real.long()})


_LOAD: dict[str, tuple[str, str, Callable[[Any], Batch]]] = {
    "time-series-classification": (
        "AutoModelForSequenceClassification",
        "AutoFeatureExtractor",
        _chain_batch,
    ),
    SEGMENTATION: ("AutoModelForTokenClassification", "AutoFeatureExtractor", _chain_batch),
    "image-classification": ("AutoModelForImageClassification", "AutoImageProcessor", _image_batch),
    "text-classification": ("AutoModelForSequenceClassification", "AutoTokenizer", _text_batch),
}
