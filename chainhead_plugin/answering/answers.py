"""The interface of what depends on the task on the command line: inputs, options, results as JSON and table rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from ..inputs.video_files import Frames
    from .wanted import Record

Cells = list[dict[str, Any]]


class Answers(ABC):
    """The behaviour of the command line for a task. Other modules ask this class instead of comparing tasks' names.

    Attributes
    ----------
    task : str
        The task of the pipeline, such as "time-series-classification".
    reads : {"sequence", "text", "image", "sound", "video"}
        The kind of input.
    architecture : str
        The end of the names of this task's model classes.
    auto_class : str
        The name of the Auto class of transformers that loads these models.
    preprocessor : str, optional
        The name of the pipeline's argument for a preprocessor, such as "tokenizer", if it needs one.
    options : tuple of str
        The options of `chainhead predict` that have an effect for this task.
    result : str
        The name of the field that holds the result in JSON.
    """

    task: ClassVar[str]
    reads: ClassVar[Literal["sequence", "text", "image", "sound", "video"]] = "sequence"
    architecture: ClassVar[str]
    auto_class: ClassVar[str]
    preprocessor: ClassVar[str | None] = "feature_extractor"
    options: ClassVar[tuple[str, ...]] = ()
    result: ClassVar[str]

    def run_options(self, pipe: Any) -> dict[str, Any]:
        """Return options of the pipeline's call that every call needs and users do not set."""
        return {"batched": True} if self.reads == "sequence" else {}

    def frames(self, pipe: Any) -> Frames | None:
        """Return which frames of a video the pipeline takes; None if it takes no videos."""
        return None

    def fields(self, record: Record, result: Any) -> dict[str, Any]:
        """Return a result as fields for JSON."""
        return {self.result: result}

    @abstractmethod
    def cells(self, record: Record, result: Any) -> Cells:
        """Return a result as columns by heading, with a row for each label, segment, step or node."""

    def shown_cells(self, record: Record, result: Any) -> Cells:
        """Return the columns that a terminal has room for."""
        return self.cells(record, result)

    def left_out(self, result: Any) -> str:
        """Return a sentence on the part of a result that `shown_cells` leaves out; empty if it shows everything."""
        return ""

    def adjusted(self, result: Any) -> str:
        """Return a sentence on how a result was adjusted to its input; empty if it was not."""
        return ""

    def default_target(self) -> tuple[int, ...] | None:
        """Return the indices of the output that `plot` explains by default; None for the predicted label."""
        return None

    def target(self, given: str, config: Any) -> str | tuple[int, ...]:
        """Return the value of ``--target`` as `node_contributions` takes it: a label, or indices from "2,1"."""
        labels: Mapping[str, int] = config.label2id
        if given in labels:
            return given
        *places, last = (part.strip() for part in given.split(","))
        # If the text is neither a label nor indices, the caller raises an error.
        return indices([*places, str(labels.get(last, last))]) or given

    def target_name(self, index: Sequence[int], config: Any) -> str:
        """Return the name of an explained output for the title of a picture."""
        return str(config.id2label[index[-1]]) + (f" at node {index[0]}" if len(index) > 1 else "")


def indices(parts: Sequence[str]) -> tuple[int, ...] | None:
    """Return the indices that texts are; None if any of them is no index."""
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else None
