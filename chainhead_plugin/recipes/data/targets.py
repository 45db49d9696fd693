"""Series with a number for each, or with several labels at once, from your own files."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...tables.errors import listed
from ...tables.schema import schema_of
from ...tables.series import SeriesSet
from ...tables.summarising import summary
from ..errors import RecipeError, said_of
from ..recipe import Recipe
from .examples import Data, Examples
from .file_options import file_options
from .files import OPTIONS, checked_chains, load_series_sets
from .splits import split_told

# Returns the targets of series that were read, an array [series] or [series, labels].
TargetsOf = Callable[[SeriesSet], NDArray[Any]]

_YES, _NO = ("1", "1.0", "true", "yes"), ("0", "0.0", "false", "no")


def load_targets(recipe: Recipe, targets_of: TargetsOf) -> Data:
    """Load the series that a recipe names, with their targets.

    Parameters
    ----------
    recipe : Recipe
    targets_of : callable
        Returns the targets of series.

    Raises
    ------
    RecipeError
        If a file or column is missing, or a cell is no target.
    """
    if isinstance(recipe.data, str):
        raise RecipeError(
            f"there is no data set {recipe.data!r} for {recipe.task.name}: name files with train and test"
        )
    options = file_options(recipe, OPTIONS["nodes"])
    with said_of("data"):
        found, other = load_series_sets(options, "series")
        train = series_examples(found, targets_of)
        _check_indicators(found, train)
        test = None if other is None else series_examples(other, targets_of)
    if test is not None:
        if train.groups is not None and test.groups is not None:
            shared = sorted({*train.groups.tolist()} & {*test.groups.tolist()})
            if shared:
                raise RecipeError(f"data: the group {shared[0]} is in the training and in the test part")
        assert other is not None
        return Data(train, test, said=(summary(found), summary(other)))
    assert options.test_share is not None
    with said_of("data: test_share"):
        kept, held_out, words = split_told(train, options.test_share, options.test_seed)
    return Data(kept, held_out, said=(summary(found), f"test: {words}, drawn with seed {options.test_seed}"))


def series_examples(found: SeriesSet, targets_of: TargetsOf) -> Examples:
    """Return series as examples, with the names of the columns of their targets."""
    spec = found.columns.spec
    if not spec.label or not found.is_labelled:
        columns = listed(found.features) if found.has_names else "none has a name"
        raise RecipeError(
            f"{found.files[0]} has no column of labels: name the column to predict as label (its other "
            f"columns: {columns})"
        )
    examples = Examples(checked_chains(found), targets_of(found), spec.label, schema=schema_of(found))
    if spec.group is None:
        return examples
    return replace(examples, groups=np.array([series.group for series in found]))


def numbers_of(found: SeriesSet) -> NDArray[np.float64]:
    """Return the number of every series, [series].

    Raises
    ------
    RecipeError
        If there are several columns of labels, or a cell is empty or no finite number.
    """
    names = found.columns.spec.label
    if len(names) > 1:
        raise RecipeError(f"label names {listed(names)}, expected a single column of numbers to predict")
    for series in found:
        if not series.labels[0].strip():
            raise RecipeError(f"{series.place} has no {names[0]}: fill it in, or leave the series out")
    numbers = found.label_numbers()
    if not np.isfinite(numbers).all():
        where = found[int((~np.isfinite(numbers)).argmax())].place
        raise RecipeError(f"{where}: {names[0]} is not finite, expected a number")
    return numbers


def _check_indicators(found: SeriesSet, train: Examples) -> None:
    """Raise if series have several labels at once, and all training series have a label, or none has it."""
    if np.ndim(train.labels) < 2:
        return
    for name, column in zip(found.columns.spec.label, np.transpose(train.labels), strict=True):
        if len(np.unique(column)) == 1:
            have = "every series has" if column[0] else "no series has"
            raise RecipeError(f"{have} the label {name}, so that it cannot be learned: leave {name} out")


def indicators_of(found: SeriesSet) -> NDArray[np.float32]:
    """Return 1 where a series has a label and else 0, [series, labels].

    Raises
    ------
    RecipeError
        If there is only one column of labels, or a cell means neither yes nor no.
    """
    names = found.columns.spec.label
    if len(names) < 2:
        raise RecipeError(
            f"label names {listed(names)}, expected several columns, each with 1 for series that have this label and 0 "
            "for those that have not"
        )
    rows = []
    for series in found:
        row = []
        for name, cell in zip(names, series.labels, strict=True):
            text = str(cell).strip().lower()
            if text not in (*_YES, *_NO):
                raise RecipeError(
                    f"{series.place}: {name} is {cell!r}, expected 1 or 0, for whether the series has this label"
                )
            row.append(float(text in _YES))
        rows.append(row)
    return np.array(rows, dtype=np.float32)
