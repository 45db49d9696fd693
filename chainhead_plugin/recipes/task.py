"""What a task is: everything that differs from task to task in data, models, measuring, pictures and cards."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from numpy.typing import NDArray

from .errors import RecipeError
from .metrics import Metric

PEERS = ("no_hops", "plain", "lstm", "gru", "conv1d", "mlp")

if TYPE_CHECKING:
    from torch import nn

    from ..config.configuration_chainhead import ChainHeadConfig
    from .candidates.frozen import FrozenBackbone
    from .candidates.inputs import Inputs
    from .candidates.peer_models import PooledEncoder
    from .data.examples import Data, Examples
    from .recipe import Recipe
    from .training.measuring import Measured
    from .training.report import Baseline
    from .training.target_scale import TargetScale


@dataclass(frozen=True)
class CardWords:
    """What a card says of a task.

    Attributes
    ----------
    summary : str
        Where the recipe has none.
    samples : str
        What ships beside a model of the zoo.
    preprocessor, auto_preprocessor : str
        The preprocessor's name in code, and the class of transformers that loads it.
    imports, more_imports : str
        Lines of the snippets' imports, ended by line feeds: before `registry`, and before `transformers`.
    input_imports : str
        The same before `registry`, for `inputs` alone.
    inputs : str
        Lines that make `inputs` of `samples`. "{features}" stands for ", m" where a node has several features, and a
        line with "{time_features}" is left out where series have none.
    output, answer : str
        The model's output that the snippet takes, and its name in code.
    answers : str
        Lines that print what the answer says.
    pipeline : str
        The pipeline's name in code.
    pipeline_answers : str
        Lines that print what the pipeline says of the first sample.
    picture_above, picture_below : str
        Paragraphs with a picture, above and below the comparison with the peers. "{pictures}" stands for what the
        pictures' names begin with.
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
    picture_above: str = ""
    picture_below: str = ""


class Task(ABC):
    """A task. Stations of a recipe ask it wherever tasks differ.

    Importing a task is cheap: the methods import what they need, so that a recipe is read, and its errors found,
    without torch.

    Attributes
    ----------
    name : str
        As recipes call it.
    metrics : tuple of Metric
        The first one chooses learning rates and epochs, and is compared, unless the recipe names another.
    pipeline : str, optional
        The task of the pipeline, where it is called otherwise.
    loss : str
        What the loss is called.
    targets, outputs : str
        The names under which a model takes the targets, and gives what is measured.
    place : int
        Where the latter is among a model's outputs, the loss left out.
    reads : {"nodes", "pixels", "text"}
        What an example is: a chain of nodes, an image or a text.
    axes : tuple of int
        How many axes arrays of examples may have in files.
    is_stratified : bool
        Whether parts have as much of every label as can be.
    of_nodes : bool
        Whether every node has a label.
    options : tuple of str
        The parts of a recipe that have an effect for this task and not for all.
    peers : tuple of str
        What a recipe may name as peers.
    default_peers : tuple of str
        Where it names none.
    samples : {"labels", "segments", "forecasts"}
        What is shipped as examples of a zoo's model: each label's, few chains with all labels, or windows.
    words : CardWords
    """

    name: ClassVar[str]
    metrics: tuple[Metric, ...]
    pipeline: ClassVar[str | None] = None
    loss: ClassVar[str] = "cross-entropy"
    targets: ClassVar[str] = "labels"
    outputs: str = "logits"
    place: int = 0
    reads: ClassVar[Literal["nodes", "pixels", "text"]] = "nodes"
    axes: ClassVar[tuple[int, ...]] = (2, 3)
    is_stratified: ClassVar[bool] = True
    of_nodes: ClassVar[bool] = False
    options: ClassVar[tuple[str, ...]] = ()
    peers: ClassVar[tuple[str, ...]] = PEERS
    default_peers: ClassVar[tuple[str, ...]] = PEERS
    samples: ClassVar[Literal["labels", "segments", "forecasts"]] = "labels"
    words: ClassVar[CardWords]

    @property
    def metric(self) -> Metric:
        """The metric that counts."""
        return self.metrics[0]

    @property
    def pipeline_task(self) -> str:
        """The task of the pipeline that runs its models."""
        return self.pipeline or self.name

    @property
    def is_series(self) -> bool:
        """Whether it is about time series, for which the Hub has no tasks."""
        return self.name.startswith("time-series")

    def led_by(self, name: str) -> "Task":
        """Return the task with another of its metrics as the one that counts.

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
        """Return the task as it is measured for a model of these options."""
        return self

    def measure(self, predictions: NDArray[Any], targets: NDArray[Any]) -> dict[str, float]:
        """Return every metric by its name."""
        return {metric.name: metric.of(predictions, targets) for metric in self.metrics}

    def measure_on(self, predictions: NDArray[Any], examples: "Examples") -> dict[str, float]:
        """Return every metric of predictions of examples, by its name."""
        return self.measure(predictions, self.collate(examples.targets()))

    def check(self, recipe: "Recipe") -> None:  # noqa: B027 - most tasks have nothing more to check
        """Check what can be checked of a recipe without its data.

        Raises
        ------
        RecipeError
            If the recipe makes no sense for this task.
        """

    def check_data(self, recipe: "Recipe", data: "Data") -> None:  # noqa: B027 - most tasks have nothing to check
        """Check before any training what a recipe says against its data.

        Raises
        ------
        RecipeError
            If something in the recipe makes no sense for these data.
        """

    @abstractmethod
    def collate(self, targets: Sequence[Any]) -> NDArray[Any]:
        """Make the targets of a batch, one array, of those of its examples."""

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
        """Check that a trained model and a recipe's test part are about the same.

        Raises
        ------
        RecipeError
            If not.
        """

    def freeze(
        self, recipe: "Recipe", data: "Data", folder: Path, on_epoch: Callable[[int], None]
    ) -> "FrozenBackbone | None":
        """Return the frozen backbone that a recipe's model and peers all read, if the recipe has one.

        Parameters
        ----------
        recipe : Recipe
        data : Data
        folder : Path
            Where a backbone that is trained first is kept.
        on_epoch : callable
            Called with the number of epochs that are done.
        """
        return None

    def as_peer(self, config: "ChainHeadConfig", encoder: "PooledEncoder") -> "nn.Module":
        """Make a peer of an encoder that classifies chains."""
        return encoder

    def baselines(self, recipe: "Recipe", data: "Data") -> "dict[str, Baseline]":
        """Return predictions without weights that the model has to beat, by title."""
        return {}

    def findings(self, recipe: "Recipe", data: "Data") -> dict[str, Any]:
        """Return what this task alone adds to results, ready for JSON."""
        return {}

    def target_scale(self, training: "Examples") -> "TargetScale | None":
        """Return how targets are scaled for training; None where they are no numbers in a unit."""
        return None

    def finishing(self, recipe: "Recipe") -> str:
        """Return in a word what is done to trained models, empty for nothing."""
        return ""

    def finish(  # noqa: B027 - most models are finished when they are trained
        self, recipe: "Recipe", model: "nn.Module", inputs: "Inputs", validation: "Examples | None"
    ) -> None:
        """Do what follows a model's training, and changes no weights."""

    def inspect(
        self, recipe: "Recipe", model: "nn.Module", inputs: "Inputs", test: "Examples"
    ) -> dict[str, Any]:
        """Return what this task alone tells of the published model on the test part, ready for JSON."""
        return {}

    def draw(  # noqa: B027 - most tasks have no picture of their own
        self, recipe: "Recipe", measured: "Measured", prefix: str
    ) -> None:
        """Draw the task's own picture of the test part into files whose paths begin with a prefix."""
