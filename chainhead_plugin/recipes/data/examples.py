"""Labelled examples, and data sets of a training part and a test part."""

import importlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...checks.packages import missing_package
from ...tables.schema import Schema
from ..errors import RecipeError
from .node_labels import sorted_names


@dataclass(frozen=True)
class Examples:
    """Labelled examples.

    Attributes
    ----------
    inputs : sequence
        Chains [L_i, m], frames of sounds among them, sounds [samples] for an encoder, images of uint8 [height, width]
        or [height, width, channels], videos of uint8 [frames, height, width, 3], or texts.
    labels : array of int64 [examples], or [examples, longest chain] for labels of nodes
        Indices into `names`; -100 behind a chain's end and for nodes that do not count.
    names : tuple of str
        The labels.
    groups : array [examples], optional
        The group of each example, such as the person of a recording. A group is never split between two parts.
    schema : Schema, optional
        The names of the columns of the table that they come from, which are saved with the model.
    sampling_rate : int, optional
        Samples a second of the sounds that frames were made from, or that the inputs are.
    """

    inputs: Sequence[Any]
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    groups: NDArray[Any] | None = field(default=None, kw_only=True)
    schema: Schema | None = field(default=None, kw_only=True)
    sampling_rate: int | None = field(default=None, kw_only=True)

    @property
    def of_nodes(self) -> bool:
        """Whether nodes have labels."""
        return self.labels.ndim == 2 and self.labels.dtype.kind == "i"

    @property
    def has_classes(self) -> bool:
        """Whether an example, or a node, has one of the labels, and not numbers or several labels at once."""
        return self.labels.dtype.kind == "i"

    @property
    def is_made_on_demand(self) -> bool:
        """Whether each input is a new copy, made from smaller data when it is asked for."""
        return False

    def targets(self) -> Sequence[Any]:
        """Return the target of each example; if nodes have labels, an array with a label for each of its nodes."""
        if not self.of_nodes:
            labels: Any = self.labels
            return labels
        return [labels[: len(chain)] for labels, chain in zip(self.labels, self.inputs, strict=True)]

    def take(self, indices: NDArray[np.intp]) -> "Examples":
        """Select examples by index."""
        groups = None if self.groups is None else self.groups[indices]
        inputs = [self.inputs[index] for index in indices]
        return Examples(
            inputs,
            self.labels[indices],
            self.names,
            groups=groups,
            schema=self.schema,
            sampling_rate=self.sampling_rate,
        )


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """The examples of a part as they were read, with labels as texts.

    Attributes
    ----------
    inputs : list
    labels : list
        For every example a text, or an object array [L] of texts for its nodes.
    places : list of str
        Words for the place of each example: file, rows, series.
    groups : list of str, optional
    schema : Schema, optional
        The names of the table's columns.
    sampling_rate : int, optional
        As of `Examples`.
    said : str
        A line about the reading.
    """

    inputs: list[Any]
    labels: list[Any]
    places: list[str]
    groups: list[str] | None = None
    schema: Schema | None = None
    sampling_rate: int | None = None
    said: str = ""


def numbered(
    inputs: Sequence[Any], raw: Sequence[Any] | NDArray[Any], names: Sequence[str] | None = None
) -> Examples:
    """Return examples whose labels, of any type, are replaced by numbers.

    Parameters
    ----------
    inputs : sequence
    raw : sequence or array [examples]
        The labels. Texts are numbered in the order of `sorted_names`, other types in the order of their values.
    names : sequence of str, optional
        Names of the labels, in that order; by default the labels as texts.
    """
    values: list[Any] = np.unique(np.asarray(raw)).tolist()
    if values and isinstance(values[0], str):
        values = list(sorted_names(values))
    numbers = {value: number for number, value in enumerate(values)}
    labels = np.array([numbers[value] for value in np.asarray(raw).tolist()], dtype=np.int64)
    return Examples(list(inputs), labels, tuple(names or map(str, values)))


@dataclass(frozen=True)
class Data:
    """The two parts of a data set. The test part is only for the final measurement.

    Attributes
    ----------
    train, test : Examples
    said : tuple of str
        Lines about the reading.
    """

    train: Examples
    test: Examples
    said: tuple[str, ...] = ()


def check_known(name: str, known: Iterable[str], task: str) -> None:
    """Check the name of a data set that ships in a package.

    Raises
    ------
    RecipeError
        If the task has no data set of this name.
    """
    if name not in known:
        raise RecipeError(
            f"there is no data set {name!r} for {task}: expected files, or one of {', '.join(known)}"
        )


def require(module: str, distribution: str) -> Any:
    """Import a module, or raise a RecipeError that says what to install."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise RecipeError(missing_package("this", distribution)) from error
