"""What stands between examples and a model: its class, its fields that follow from data, and a preprocessor."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from huggingface_hub.errors import StrictDataclassError
from torch import Tensor, nn

from ...config.configuration_chainhead import ChainHeadConfig
from ..errors import RecipeError
from ..recipe import Recipe
from .encoder import Encoder

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
    typical_length : float or None
        The median number of nodes of the training chains; None where examples are no chains of numbers.
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
        labels = recipe.task.label_fields(names)
        given = {name: value for name, value in (options or recipe.model).items() if name not in self.dropped}
        m = self.fields.get("m")
        if not options and m is not None and given.get("m", m) != m:
            raise RecipeError(
                f"model: m={given['m']!r} contradicts the data, whose nodes have {m} features: leave m out, it follows"
            )
        with as_recipe_errors():
            return ChainHeadConfig(**{**self.fields, **given, **labels})


@contextmanager
def as_recipe_errors() -> Iterator[None]:
    """Raise what is wrong with a model's options as an error of its recipe."""
    try:
        yield
    except (StrictDataclassError, TypeError, ValueError) as error:
        raise RecipeError(f"model: {error.__cause__ or error}") from error
