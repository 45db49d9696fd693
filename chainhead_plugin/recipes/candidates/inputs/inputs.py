"""The inputs of a model: its class, the fields that follow from the data, and the preprocessing of examples."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from huggingface_hub.errors import StrictDataclassError
from torch import Tensor, nn

from ....config.configuration_chainhead import ChainHeadConfig
from ...errors import RecipeError
from ...pretrained.encoder import Encoder
from ...recipe import Recipe

# Turns a list of examples into a model's inputs, tensors by name.
Batch = Callable[[Sequence[Any]], dict[str, Tensor]]


@dataclass(frozen=True)
class Inputs:
    """The inputs of a model: everything that turns examples into tensors, and the fields that follow from them.

    Attributes
    ----------
    fields : dict
        Fields of the configuration that follow from the training data.
    model_class : type
        The chainhead model for the task, or the Auto class that loads a saved model.
    auto_class : str
        The name of the Auto class of `transformers`.
    batch : callable
        Turns a list of examples into a model's inputs, tensors by name.
    preprocessor : object
        The preprocessor that `batch` uses, with a method `save_pretrained`; None if the model needs none.
    encoder : Encoder or None
        The pretrained encoder whose weights a new model's backbone gets.
    dropped : tuple of str
        Fields of a recipe's model that concern only the backbone, if the trained model reads a frozen backbone's nodes.
    typical_length : float or None
        The median number of nodes of the training chains; None if examples are no chains of numbers.
    """

    fields: dict[str, Any]
    model_class: type[Any]
    auto_class: str
    batch: Batch
    preprocessor: Any
    encoder: Encoder | None = None
    dropped: tuple[str, ...] = ()
    typical_length: float | None = None

    def initialise(self, model: nn.Module) -> None:
        """Copy the encoder's weights, if there is an encoder, into a new model: the recipe's own or a peer."""
        if self.encoder is not None:
            # A backbone of images belongs to the whole model, not to the bare model within.
            own = getattr(model, "backbone", None)
            inner: Any = getattr(model, "base_model", model)
            self.encoder.initialise(inner.backbone if own is None else own)

    def config(self, recipe: Recipe, names: Sequence[str], **options: Any) -> ChainHeadConfig:
        """Return the configuration of a model.

        Parameters
        ----------
        recipe : Recipe
        names : sequence of str
            The labels.
        **options
            Fields that replace all fields of the recipe's model.

        Raises
        ------
        RecipeError
            If a field is not valid, or contradicts the data.
        """
        labels = recipe.task.label_fields(names)
        given = {name: value for name, value in (options or recipe.model).items() if name not in self.dropped}
        m = self.fields.get("m")
        if not options and m is not None and given.get("m", m) != m:
            raise RecipeError(
                f"model: m={given['m']!r} contradicts the data, whose nodes have {m} features: leave m out"
            )
        with as_recipe_errors():
            return ChainHeadConfig(**{**self.fields, **given, **labels})


@contextmanager
def as_recipe_errors() -> Iterator[None]:
    """Turn errors about a model's options into errors of its recipe."""
    try:
        yield
    except (StrictDataclassError, TypeError, ValueError) as error:
        raise RecipeError(f"model: {error.__cause__ or error}") from error
