"""Tables that are no series: of paths of sounds, which a recipe is made for, and of images, videos or texts."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..tables.columns.usual_names import usual_column
from ..tables.errors import listed
from ..tables.formats.cells import number_of
from ..tables.formats.table import Table
from ..tables.read import Reading
from ..tables.spec import TableSpec
from .data.media.kinds import IMAGES, SOUNDS, VIDEOS
from .data.media.named_files import column_of_paths, small_table
from .errors import RecipeError
from .media_folders import is_other_sound
from .recipe import Recipe
from .sound_folders import recipe_of_sounds

_LABEL = "label"


def recipe_of_table(
    file: Path,
    spec: TableSpec,
    reading: Reading,
    test: Path | None,
    test_share: float | None,
    seed: int | None,
) -> Recipe | None:
    """Return the recipe of a table that names sounds; None if the table is none of files or texts.

    Parameters
    ----------
    file : Path
        A table that could not be read as series.
    spec : TableSpec
        The columns that the user names: only labels and groups have a meaning.
    reading : Reading
    test : Path, optional
        Another such table, to test on.
    test_share, seed
        As of `recipe_of_sounds`.

    Raises
    ------
    RecipeError
        If it names images, videos or other sounds, holds texts, or has no column of labels; the message says what
        trains on them.
    """
    table = small_table(file, reading)
    if table is None:
        return None
    path = column_of_paths(table, SOUNDS.includes)
    if path is None:
        _refuse_other_files(file, table)
        _refuse_texts(file, table, spec)
        return None
    label = spec.label[0] if spec.label else usual_column(_LABEL, table.columns)
    if label is None or label not in table.columns:
        others = listed(name for name in table.columns if name != path)
        raise RecipeError(
            f"{file}: column {path} names WAV files: name the column of their labels with --label, of {others}"
        )
    columns: dict[str, Any] = {"path": path, "label": label, **reading.options()}
    if spec.group is not None:
        columns["group"] = spec.group
    return recipe_of_sounds(file, test, test_share, seed, columns)


def _refuse_other_files(file: Path, table: Table) -> None:
    """Raise if a column names images, videos, or sounds that are not read."""
    if column := column_of_paths(table, is_other_sound):
        raise RecipeError(
            f"{file}: column {column} names sounds that are no WAV files: convert them, for example by ffmpeg -i FILE "
            "NEW.wav"
        )
    if column := column_of_paths(table, IMAGES.includes):
        raise RecipeError(
            f"{file}: column {column} names images: put them into a folder for each label, on which a recipe with "
            "task: image-classification trains a model"
        )
    if column := column_of_paths(table, VIDEOS.includes):
        raise RecipeError(
            f"{file}: column {column} names videos, on which a recipe with task: video-classification, path: {column} "
            "and a pretrained encoder trains a model"
        )


def _refuse_texts(file: Path, table: Table, spec: TableSpec) -> None:
    """Raise if nothing but texts could be learned from, and one of them is more than a name."""
    named = {*spec.label, *spec.series, *spec.drop, spec.group, spec.time}
    if not spec.label:
        named.add(usual_column(_LABEL, table.columns))
    rest = {name: cells for name, cells in table.columns.items() if name not in named}
    if not rest or not all(map(_are_texts, rest.values())):
        return
    blanks = {name: np.mean([len(cell.split()) > 1 for cell in cells]) for name, cells in rest.items()}
    column = max(blanks, key=lambda name: (blanks[name], sum(map(len, rest[name]))))
    if blanks[column] > 0.5:
        raise RecipeError(
            f"{file}: column {column} holds texts, and this command learns series of numbers: a recipe with task: "
            f"text-classification, text: {column} and label: {spec.label[0] if spec.label else _LABEL} trains a model "
            "on them"
        )


def _are_texts(cells: NDArray[Any]) -> bool:
    """Tell whether most cells that are not empty are no numbers."""
    filled = [cell for cell in cells if cell] if cells.dtype.kind == "O" else []
    return 2 * sum(number_of(cell, may_have_comma=True) is None for cell in filled) > len(filled)


__all__ = ["recipe_of_table"]
