"""Labelled examples, and the two parts that data sets have of them."""

import importlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...tables.schema import Schema
from ..errors import RecipeError


@dataclass(frozen=True)
class Examples:
    """Labelled examples.

    Attributes
    ----------
    inputs : sequence
        Chains [L_i, m], images of uint8 [height, width] or [height, width, channels], or texts.
    labels : array of int64 [examples], or [examples, longest chain] for labels of nodes
        Indices into `names`; -100 behind a chain's end and for nodes that do not count.
    names : tuple of str
    groups : array [examples], optional
        What belongs together, such as the recordings of a person, and is never split between two parts.
    schema : Schema, optional
        What the columns of the table were called that they come from; saved with the model.
    """

    inputs: Sequence[Any]
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    groups: NDArray[Any] | None = field(default=None, kw_only=True)
    schema: Schema | None = field(default=None, kw_only=True)

    @property
    def of_nodes(self) -> bool:
        """Whether nodes have labels."""
        return self.labels.ndim == 2 and self.labels.dtype.kind == "i"

    def targets(self) -> list[NDArray[Any]]:
        """Return what is to be predicted of each example; of nodes as many labels as a chain has nodes."""
        if not self.of_nodes:
            return list(self.labels)
        return [labels[: len(chain)] for labels, chain in zip(self.labels, self.inputs, strict=True)]

    def take(self, indices: NDArray[np.intp]) -> "Examples":
        """Select examples by index."""
        groups = None if self.groups is None else self.groups[indices]
        inputs = [self.inputs[index] for index in indices]
        return Examples(inputs, self.labels[indices], self.names, groups=groups, schema=self.schema)


def numbered(
    inputs: Sequence[Any], raw: Sequence[Any] | NDArray[Any], names: Sequence[str] | None = None
) -> Examples:
    """Return examples with raw labels, of any kind, numbered in the order of their sorted values.

    Parameters
    ----------
    inputs : sequence
    raw : sequence or array [examples]
    names : sequence of str, optional
        What to call the labels, in that order; by default what they are.
    """
    values, labels = np.unique(np.asarray(raw), return_inverse=True)
    return Examples(
        list(inputs), labels.astype(np.int64), tuple(names or (str(value) for value in values.tolist()))
    )


@dataclass(frozen=True)
class Data:
    """The two parts of a data set. The test part is for measuring alone."""

    train: Examples
    test: Examples


def check_known(name: str, known: Iterable[str], task: str) -> None:
    """Check the name of a data set that ships in a package.

    Raises
    ------
    RecipeError
        If it is not among those known for the task.
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
        raise RecipeError(
            f'this needs {distribution}: pip install "chainhead-plugin[train]" or pip install {distribution}'
        ) from error
