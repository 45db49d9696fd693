"""The interface of tasks: everything that differs from task to task in data, models, metrics, pictures and cards."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from numpy.typing import NDArray

from .errors import RecipeError
from .metrics.metric import Metric

PEERS = ("no_hops", "plain", "lstm", "gru", "conv1d", "mlp")

if TYPE_CHECKING:
    from torch import nn

    from ..config.configuration_chainhead import ChainHeadConfig
    from .candidates.frozen import FrozenBackbone
    from .candidates.inputs.inputs import Inputs
    from .candidates.peer_models import PooledEncoder
    from .data.examples import Data, Examples
    from .recipe import Recipe
    from .training.fitting.target_scale import TargetScale
    from .training.measuring import Measured
    from .training.report import Baseline


@dataclass(frozen=True)
class CardWords:
    """The words of a task in model cards.

    Attributes
    ----------
    summary : str
        The summary of recipes that have none.
    samples : str
        The words for the examples that ship with a model of the zoo.
    preprocessor, auto_preprocessor : str
        The preprocessor's name in code, and the class of transformers that loads it.
    imports, more_imports : str
        Lines of imports in code examples, each with its line feed: before the import of `registry`, and before that of
        `transformers`.
    input_imports : str
        Further imports before that of `registry`, which only `inputs` needs.
    inputs : str
        Lines of code that make `inputs` from `samples`. "{features}" stands for ", m" if a node has several features,
        and a line with "{time_features}" is left out if series have no such features.
    output, answer : str
        The model's output that the code example uses, and its name in code.
    answers : str
        Lines of code that print the answer.
    pipeline : str
        The pipeline's name in code.
    pipeline_answers : str
        Lines of code that print the pipeline's answer for the first sample.
    pipeline_code : str
        The code that makes and calls the pipeline, if the model's name is not enough for it. "{name}" stands for the
        name, and "{frame_sampling_rate}" for that of a recipe for videos.
    picture_above, picture_below : str
        Paragraphs with a picture, above and below the comparison with the peers. "{pictures}" stands for the beginning
        of the pictures' names.
    """

    summary: str = "A classifier."
    samples: str = "one test example of every label"
    preprocessor: str = ""
    auto_preprocessor: str = ""
    imports: str = ""
    more_imports: str = ""
    input_imports: str = ""
    inputs: str = ""
    output: str = "logits"
    answer: str = "logits"
    answers: str = ""
    pipeline: str = "classifier"
    pipeline_answers: str = ""
    pipeline_code: str = ""
    picture_above: str = ""
    picture_below: str = ""


class Task(ABC):
    """Everything that is special about a task; other modules ask it wherever tasks differ.

    Importing a task is cheap, as its methods import torch and the modules that need it when they are called. So a
    recipe can be read, and its errors found, without torch.

    Attributes
    ----------
    name : str
        Its name in recipes.
    metrics : tuple of Metric
        The first metric chooses learning rates and epochs, and models are compared by it, unless the recipe names
        another.
    pipeline : str, optional
        The name of the task among pipelines, if it differs from `name`.
    loss : str
        The name of the loss in pictures.
    targets, outputs : str
        The name of the targets among a model's inputs, and of the measured predictions among its outputs.
    place : int
        The position of these predictions among a model's outputs, without the loss.
    reads : {"nodes", "pixels", "text", "sound", "video"}
        Whether an example is a chain of nodes, an image, a text, a sound or a video.
    axes : tuple of int
        The numbers of axes that arrays of examples in files may have.
    is_stratified : bool
        Whether parts of the data get the same share of every label, as far as possible.
    of_nodes : bool
        Whether every node has a label.
    options : tuple of str
        The fields of a recipe that have an effect for this task, but not for all tasks.
    peers : tuple of str
        The peers that a recipe may name.
    default_peers : tuple of str
        The peers of recipes that name none.
    peers_without_encoder : tuple of str
        The peers that read examples themselves, and so never the nodes of a recipe's encoder.
    samples : {"labels", "segments", "forecasts"}
        The examples that ship with a model of the zoo: an example of each label, a few chains with all labels, or
        windows.
    words : CardWords
        Its words in model cards.
    """

    name: ClassVar[str]
    metrics: tuple[Metric, ...]
    pipeline: ClassVar[str | None] = None
    loss: ClassVar[str] = "cross-entropy"
    targets: ClassVar[str] = "labels"
    outputs: str = "logits"
    place: int = 0
    reads: ClassVar[Literal["nodes", "pixels", "text", "sound", "video"]] = "nodes"
    axes: ClassVar[tuple[int, ...]] = (2, 3)
    is_stratified: ClassVar[bool] = True
    of_nodes: ClassVar[bool] = False
    options: ClassVar[tuple[str, ...]] = ()
    peers: ClassVar[tuple[str, ...]] = PEERS
    default_peers: ClassVar[tuple[str, ...]] = PEERS
    peers_without_encoder: ClassVar[tuple[str, ...]] = ()
    samples: ClassVar[Literal["labels", "segments", "forecasts"]] = "labels"
    words: ClassVar[CardWords]

    @property
    def metric(self) -> Metric:
        """The first metric, which chooses, and by which models are compared."""
        return self.metrics[0]

    @property
    def pipeline_task(self) -> str:
        """The task of the pipeline that runs its models."""
        return self.pipeline or self.name

    @property
    def is_series(self) -> bool:
        """Whether its examples are time series, for which the Hub has no tasks."""
        return self.name.startswith("time-series")

    def led_by(self, name: str) -> "Task":
        """Return the task with another of its metrics as the first.

        Raises
        ------
        RecipeError
            If there is no such metric.
        """
        leading = [metric for metric in self.metrics if metric.name == name]
        if not leading:
            known = ", ".join(metric.name for metric in self.metrics)
            raise RecipeError(f"metric must be one of {known} for {self.name}, got {name!r}")
        led = copy(self)
        led.metrics = (leading[0], *(metric for metric in self.metrics if metric.name != name))
        return led

    def of_model(self, options: Mapping[str, Any]) -> "Task":
        """Return the task with the metrics for a model with these options."""
        return self

    def measure(self, predictions: NDArray[Any], targets: NDArray[Any]) -> dict[str, float]:
        """Return every metric by its name."""
        return {metric.name: metric.of(predictions, targets) for metric in self.metrics}

    def measure_on(self, predictions: NDArray[Any], examples: "Examples") -> dict[str, float]:
        """Return every metric of predictions of examples, by its name."""
        return self.measure(predictions, self.collate(examples.targets()))

    def check(self, recipe: "Recipe") -> None:  # noqa: B027 - most tasks have nothing more to check
        """Check everything in a recipe that can be checked without its data.

        Raises
        ------
        RecipeError
            If the recipe does not fit this task.
        """

    def check_data(self, recipe: "Recipe", data: "Data") -> None:  # noqa: B027 - most tasks have nothing to check
        """Check before any training that a recipe fits its data.

        Raises
        ------
        RecipeError
            If a field of the recipe does not fit these data.
        """

    @abstractmethod
    def collate(self, targets: Sequence[Any]) -> NDArray[Any]:
        """Return the targets of a batch of examples as one array."""

    @abstractmethod
    def load(self, recipe: "Recipe") -> "Data":
        """Load a recipe's data, as `load_data` says."""

    @abstractmethod
    def prepare(self, recipe: "Recipe", training: "Examples") -> "Inputs":
        """Fit the preprocessing to the training examples."""

    @abstractmethod
    def load_inputs(self, folder: Path) -> "Inputs":
        """Return the preprocessing that was saved beside a model, and the model's class by its Auto class."""

    @abstractmethod
    def label_fields(self, names: Sequence[str]) -> dict[str, Any]:
        """Return the fields of a configuration that name the labels."""

    @abstractmethod
    def check_model(self, config: "ChainHeadConfig", test: "Examples", recipe: "Recipe") -> None:
        """Check that a trained model fits a recipe's test part: that labels, columns or steps agree.

        Raises
        ------
        RecipeError
            If they do not agree.
        """

    def freeze(
        self, recipe: "Recipe", data: "Data", folder: Path, on_epoch: Callable[[int], None]
    ) -> "FrozenBackbone | None":
        """Return the frozen backbone that a recipe's model and peers all read, if the recipe has one: its encoder.

        Parameters
        ----------
        recipe : Recipe
        data : Data
        folder : Path
            The folder for a backbone that is trained first.
        on_epoch : callable
            Called with the number of epochs that are done.
        """
        if not recipe.on_frozen_encoder:
            return None
        from .candidates.frozen import encode_data

        return encode_data(recipe, data)

    def as_peer(self, config: "ChainHeadConfig", encoder: "PooledEncoder") -> "nn.Module":
        """Return the peer that is built around an encoder."""
        return encoder

    def baselines(self, recipe: "Recipe", data: "Data") -> "dict[str, Baseline]":
        """Return the results of predictions without weights, which the model should be better than, by title."""
        return {}

    def findings(self, recipe: "Recipe", data: "Data") -> dict[str, Any]:
        """Return results about the data that only this task has, ready for JSON."""
        return {}

    def target_scale(self, training: "Examples") -> "TargetScale | None":
        """Return how targets are scaled for training; None if they are not scaled."""
        return None

    def finishing(self, recipe: "Recipe") -> str:
        """Return a word for the last step after training, "" if there is none."""
        return ""

    def finish(  # noqa: B027 - most models are finished when they are trained
        self, recipe: "Recipe", model: "nn.Module", inputs: "Inputs", validation: "Examples | None"
    ) -> None:
        """Do the last step after a model's training, which changes no weights."""

    def inspect(
        self, recipe: "Recipe", model: "nn.Module", inputs: "Inputs", test: "Examples"
    ) -> dict[str, Any]:
        """Return results of the published model on the test part that only this task has, ready for JSON."""
        return {}

    def draw(  # noqa: B027 - most tasks have no picture of their own
        self, recipe: "Recipe", measured: "Measured", prefix: str
    ) -> None:
        """Draw the task's own picture of the test part into files whose paths begin with a prefix."""
