"""What data are made of: labelled examples in two parts."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .recipe import RecipeError


@dataclass(frozen=True)
class Examples:
    """Labelled examples.

    Attributes
    ----------
    inputs : sequence
        Chains [L_i, m], images of uint8 [height, width] or [height, width, channels], or texts.
    labels : array of int64
        Indices into `names`.
    names : tuple of str
    """

    inputs: Sequence[Any]
    labels: NDArray[np.int64]
    names: tuple[str, ...]

    def take(self, indices: NDArray[np.intp]) -> "Examples":
        """Select examples by index."""
        return Examples([self.inputs[index] for index in indices], self.labels[indices], self.names)


@dataclass(frozen=True)
class Data:
    """The two parts of a data set. The test part is for measuring alone."""

    train: Examples
    test: Examples


def require(module: str, distribution: str) -> Any:
    """Import a module, or raise a RecipeError that says what to install."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise RecipeError(
            f'this needs {distribution}: pip install "chainhead-plugin[train]" or pip install {distribution}'
        ) from error
