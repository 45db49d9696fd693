"""The data that a recipe names: sets that ship inside packages, and files of one's own."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .recipe import Recipe, RecipeError
from .recipe_examples import Data, Examples, require
from .recipe_series import SERIES, load_series
from .recipe_windows import Windows, cut, hold_out_last


def load_data(recipe: Recipe) -> Data:
    """Load a recipe's data, without network.

    A mapping names files, relative to the recipe: `train`, and `test` or else `test_share` with `test_seed`.

    - .npz: arrays `x` and `y`. Chains are [examples, L] or [examples, L, m], images [examples, height, width] or
      [examples, height, width, channels] of uint8.
    - .csv and .parquet: a column of labels, `label`. Texts stand in the column `text`. Of chains, a row is one
      series, its other columns the steps; or, where `series` names a column of identifiers, a row is one node, nodes in
      order, its other columns the features.
    - Series to forecast: see `load_series`.

    Raises
    ------
    RecipeError
        If the data cannot be read as the recipe says, or a package is missing; the message names it.
    """
    if isinstance(recipe.data, str):
        sets: Mapping[str, Any] = SERIES if recipe.task == "time-series-forecasting" else _SETS
        if recipe.data not in sets:
            raise RecipeError(
                f"there is no data set {recipe.data!r} for {recipe.task}: expected files, or one of {', '.join(sets)}"
            )
        return cut(recipe, *SERIES[recipe.data]()) if sets is SERIES else _SETS[recipe.data]()
    if recipe.task == "time-series-forecasting":
        return load_series(recipe)
    return _load_files(recipe, dict(recipe.data))


def split(examples: Examples, share: float, seed: int) -> tuple[Examples, Examples]:
    """Hold out a share of the examples; returns kept and held out.

    As much of every label as can be, or of windows of series the last ones.
    """
    if isinstance(examples, Windows):
        return hold_out_last(examples, share)
    selection = require("sklearn.model_selection", "scikit-learn")
    indices = np.arange(len(examples.labels))
    try:
        kept, held_out = selection.train_test_split(
            indices, test_size=share, random_state=seed, stratify=examples.labels
        )
    except ValueError as error:
        raise RecipeError(f"cannot hold out {share:.0%} of {len(indices)} examples: {error}") from error
    return examples.take(np.sort(kept)), examples.take(np.sort(held_out))


def folds(examples: Examples, count: int) -> list[tuple[Examples, Examples]]:
    """Split examples into kept and held-out ones, `count` times, with as many of every label in each."""
    selection = require("sklearn.model_selection", "scikit-learn")
    rarest = int(np.bincount(examples.labels).min())
    if rarest < count:
        raise RecipeError(f"validation_folds={count}, but one label has only {rarest} examples: use fewer")
    splitter = selection.StratifiedKFold(count, shuffle=True, random_state=0)
    return [
        (examples.take(kept), examples.take(held_out))
        for kept, held_out in splitter.split(np.zeros(len(examples.labels)), examples.labels)
    ]


def _named(inputs: Sequence[Any], raw: Sequence[Any], names: Sequence[str] | None = None) -> Examples:
    """Number raw labels in the order of their sorted values."""
    values, labels = np.unique(np.asarray(raw), return_inverse=True)
    return Examples(
        list(inputs), labels.astype(np.int64), tuple(names or (str(value) for value in values.tolist()))
    )


def _aeon(function: str, names: Sequence[str]) -> Data:
    load = getattr(require("aeon.datasets", "aeon"), function)
    train, test = (
        _named([np.ascontiguousarray(one.T) for one in series], classes, names)
        for series, classes in (load("TRAIN"), load("TEST"))
    )
    return Data(train, test)


def _digits() -> Data:
    digits = require("sklearn.datasets", "scikit-learn").load_digits()
    # Counts of 0 to 16 black pixels in blocks of 4 × 4, as shades of grey.
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    train, test = split(_named(list(images), digits.target), 0.2, seed=0)
    return Data(train, test)


_SETS: dict[str, Callable[[], Data]] = {
    "japanese-vowels": lambda: _aeon("load_japanese_vowels", [f"speaker {n}" for n in range(1, 10)]),
    "gunpoint": lambda: _aeon("load_gunpoint", ["gun", "point"]),
    "italy-power": lambda: _aeon("load_italy_power_demand", ["October to March", "April to September"]),
    "digits": _digits,
}
_FILE_OPTIONS = ("train", "test", "test_share", "test_seed", "label", "text", "series")


def _load_files(recipe: Recipe, options: dict[str, Any]) -> Data:
    if unknown := sorted(options.keys() - {*_FILE_OPTIONS}):
        raise RecipeError(f"data has no {unknown[0]!r}: expected {', '.join(_FILE_OPTIONS)}")
    if "train" not in options or ("test" in options) == ("test_share" in options):
        raise RecipeError("data needs train, and one of test and test_share")
    parts = []
    for part in ("train", "test"):
        if part in options:
            file = recipe.folder / options[part]
            if not file.is_file():
                raise RecipeError(f"data: there is no file {file}")
            parts.append(_read(file, recipe.task, options))
    # Numbered together, so that a label means the same in both parts.
    joined = _named(
        [one for inputs, _ in parts for one in inputs], np.concatenate([labels for _, labels in parts])
    )
    count = len(parts[0][1])
    indices = np.arange(len(joined.labels))
    train = joined.take(indices[:count])
    if missing := set(range(len(joined.names))) - set(train.labels.tolist()):
        raise RecipeError(f"data: no training example has the label {joined.names[missing.pop()]!r}")
    if len(joined.names) < 2:
        raise RecipeError(f"data: there is one label alone, {joined.names[0]!r}")
    if "test" in options:
        return Data(train, joined.take(indices[count:]))
    return Data(*split(train, options["test_share"], options.get("test_seed", 0)))


def _read(file: Path, task: str, options: Mapping[str, Any]) -> tuple[list[Any], NDArray[Any]]:
    if file.suffix == ".npz":
        inputs, labels = _read_npz(file, task)
    elif file.suffix in (".csv", ".parquet"):
        inputs, labels = _read_table(file, task, options)
    else:
        raise RecipeError(f"data: {file.name} is of an unknown kind, expected .npz, .csv or .parquet")
    if not len(labels):
        raise RecipeError(f"data: {file} holds no examples")
    return inputs, labels


def _read_npz(file: Path, task: str) -> tuple[list[Any], NDArray[Any]]:
    with np.load(file, allow_pickle=False) as arrays:
        if missing := {"x", "y"} - set(arrays.files):
            raise RecipeError(f"data: {file} has no array {sorted(missing)[0]!r}, expected x and y")
        x, y = arrays["x"], arrays["y"]
    axes = {"time-series-classification": (2, 3), "image-classification": (3, 4), "text-classification": (1,)}
    if x.ndim not in axes[task] or y.shape != x.shape[:1]:
        raise RecipeError(
            f"data: {file} has x {list(x.shape)} and y {list(y.shape)}, expected {' or '.join(map(str, axes[task]))} "
            f"axes for {task} and one label an example"
        )
    if task == "image-classification" and x.dtype != np.uint8:
        raise RecipeError(f"data: images must be uint8, got {x.dtype} in {file}")
    if task == "text-classification":
        return [str(text) for text in x], y
    if task == "time-series-classification" and x.ndim == 2:
        x = x[:, :, np.newaxis]
    return list(x), y


def _read_table(file: Path, task: str, options: Mapping[str, Any]) -> tuple[list[Any], NDArray[Any]]:
    pandas = require("pandas", "pandas")
    table = pandas.read_csv(file) if file.suffix == ".csv" else pandas.read_parquet(file)
    label = options.get("label", "label")
    wanted = [label, *([options.get("text", "text")] if task == "text-classification" else [])]
    wanted += [options["series"]] if "series" in options else []
    for column in wanted:
        if column not in table:
            raise RecipeError(f"data: {file} has no column {column!r}, but {', '.join(map(str, table))}")
        if table[column].isna().any():
            row = int(table[column].isna().to_numpy().argmax())
            raise RecipeError(f"data: {file}: {column} of row {row} is missing")
    if task == "text-classification":
        return table[options.get("text", "text")].astype(str).tolist(), table[label].to_numpy()
    if task == "image-classification":
        raise RecipeError("data: images come as .npz")
    values = table.drop(columns=wanted)
    if text := [column for column in values if not pandas.api.types.is_numeric_dtype(values[column])]:
        raise RecipeError(f"data: {file}: column {text[0]!r} holds no numbers")
    if "series" not in options:
        # Shorter series end in empty cells.
        rows = [row[: np.flatnonzero(~np.isnan(row)).max(initial=-1) + 1] for row in values.to_numpy(float)]
        return [row[:, np.newaxis] for row in rows], table[label].to_numpy()
    groups = [index for _, index in table.groupby(options["series"], sort=False).indices.items()]
    for index in groups:
        if table[label].iloc[index].nunique() != 1:
            raise RecipeError(
                f"data: {file}: series {table[options['series']].iloc[index[0]]!r} has several labels"
            )
    return [values.iloc[index].to_numpy(float) for index in groups], np.array(
        [table[label].iloc[index[0]] for index in groups]
    )
