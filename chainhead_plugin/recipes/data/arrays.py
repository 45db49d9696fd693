"""Images and texts in .npz files, each with a label."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from ...tables.errors import listed
from ...tables.formats.cells import to_texts
from ..errors import RecipeError
from ..recipe import Recipe
from .examples import Labelled


def is_array_file(locations: Any) -> bool:
    """Tell whether a recipe names a single .npz file."""
    return isinstance(locations, str | Path) and Path(locations).suffix.lower() == ".npz"


def read_arrays(recipe: Recipe, location: Any, group: str | None) -> Labelled:
    """Read the arrays `x` and `y`, and the array of groups, of an .npz file.

    Parameters
    ----------
    recipe : Recipe
        For its task, and the folder that the location is relative to.
    location : str or Path
        An .npz file.
    group : str, optional
        The name of the array of groups.

    Raises
    ------
    RecipeError
        If there is no such file or array, or the shape or type of an array does not fit the recipe's task.
    """
    task = recipe.task
    if not is_array_file(location):
        raise RecipeError(f"examples of {task.name} come as .npz with x and y, got {location}")
    file = recipe.folder / location
    if not file.is_file():
        raise RecipeError(f"there is no file {file}")
    try:
        with np.load(file, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise RecipeError(f"{file.name} cannot be read, or is damaged: {error}") from error
    if missing := [name for name in ("x", "y", *([group] if group else [])) if name not in found]:
        raise RecipeError(f"{file.name} has no array {missing[0]}, expected x and y; it has {listed(found)}")

    x, y = found["x"], found["y"]
    if x.ndim not in task.axes or y.shape != x.shape[:1]:
        raise RecipeError(
            f"{file.name} has x {list(x.shape)} and y {list(y.shape)}, expected "
            f"{' or '.join(map(str, task.axes))} axes for {task.name} and a label for each example"
        )
    if not len(x):
        raise RecipeError(f"{file.name} holds no examples")
    if task.reads == "pixels" and x.dtype != np.uint8:
        raise RecipeError(f"images must be uint8, got {x.dtype} in {file.name}")
    groups = None if group is None else found[group]
    if groups is not None and groups.shape != x.shape[:1]:
        raise RecipeError(f"{file.name} has {group} {list(groups.shape)}, expected one an example, {len(x)}")
    inputs: Sequence[Any] = [str(text) for text in x] if task.reads == "text" else list(x)
    labels = to_texts(y).tolist()
    return Labelled(
        inputs=list(inputs),
        labels=[str(label) for label in labels],
        places=[f"{file.name}, example {number}" for number in range(1, len(x) + 1)],
        groups=None if groups is None else [str(one) for one in to_texts(groups)],
        said=f"{file.name}: {len(x)} examples",
    )
