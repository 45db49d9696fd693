"""Labelled examples from files of one's own: arrays in .npz, tables in .csv and .parquet."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...tables.schema import Schema
from ..errors import RecipeError
from ..recipe import Recipe
from ..task import Task
from .examples import Data, Examples, numbered, require
from .node_labels import number_labels
from .splits import split
from .tables import check_file, check_file_options, read_table

_OPTIONS = ("train", "test", "test_share", "test_seed", "label", "text", "series", "group")


def load_files(recipe: Recipe) -> Data:
    """Load the examples in the files that a recipe names; `load_data` says what they hold.

    Raises
    ------
    RecipeError
        If a file, column or array is missing or of the wrong kind, or a label is never trained.
    """
    assert isinstance(recipe.data, Mapping)
    options = recipe.data
    check_file_options(options, _OPTIONS)
    parts: list[_Part] = []
    for name in ("train", "test"):
        if name in options:
            columns = parts[0].columns if parts else None
            parts.append(_read(recipe.folder / options[name], recipe.task, options, columns))
    joined = replace(_join(parts, recipe.task), schema=_schema(parts[0], options, recipe.task))
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
    """Examples of a file, their raw labels, of nodes a list of arrays [L_i], what tells groups apart, and names."""

    inputs: list[Any]
    labels: Any
    groups: NDArray[Any] | None
    columns: tuple[str, ...] | None = None


def _schema(part: _Part, options: Mapping[str, Any], task: Task) -> Schema | None:
    """Return what the columns of a table of series are called; arrays and texts have no names."""
    if part.columns is None:
        return None
    series = (options["series"],) if "series" in options else ()
    return Schema(
        features=tuple(map(str, part.columns)) if series else (),
        label=(options.get("label", "label"),),
        series=series,
        group=options.get("group"),
        rows="nodes" if series else "series",
        label_of="node" if task.of_nodes else "series",
    )


def _join(parts: Sequence[_Part], task: Task) -> Examples:
    """Number labels together, so that one means the same in both parts."""
    inputs = [one for part in parts for one in part.inputs]
    groups = [part.groups for part in parts if part.groups is not None]
    if task.of_nodes:
        examples = Examples(inputs, *number_labels([one for part in parts for one in part.labels]))
    else:
        examples = numbered(inputs, np.concatenate([part.labels for part in parts]))
    return replace(examples, groups=np.concatenate(groups) if groups else None)


def _read(
    file: Path, task: Task, options: Mapping[str, Any], columns: tuple[str, ...] | None = None
) -> _Part:
    check_file(file)
    if file.suffix == ".npz":
        part = _read_npz(file, task, options)
    else:
        part = _read_rows(file, task, options, columns)
    if not len(part.labels):
        raise RecipeError(f"data: {file} holds no examples")
    return part


def _read_npz(file: Path, task: Task, options: Mapping[str, Any]) -> _Part:
    group = options.get("group")
    with np.load(file, allow_pickle=False) as arrays:
        if missing := {"x", "y", *([group] if group else [])} - set(arrays.files):
            raise RecipeError(f"data: {file} has no array {min(missing)!r}, expected x and y")
        x, y, groups = arrays["x"], arrays["y"], arrays[group] if group else None
    labelled, what = (x.shape[:2], "a node") if task.of_nodes else (x.shape[:1], "an example")
    if x.ndim not in task.axes or y.shape != labelled:
        raise RecipeError(
            f"data: {file} has x {list(x.shape)} and y {list(y.shape)}, expected "
            f"{' or '.join(map(str, task.axes))} axes for {task.name} and one label {what}"
        )
    if groups is not None and groups.shape != x.shape[:1]:
        raise RecipeError(f"data: {file} has {group} {list(groups.shape)}, expected one an example, {len(x)}")
    if task.reads == "pixels" and x.dtype != np.uint8:
        raise RecipeError(f"data: images must be uint8, got {x.dtype} in {file}")
    if task.reads == "text":
        return _Part([str(text) for text in x], y, groups)
    if task.reads == "nodes" and x.ndim == 2:
        x = x[:, :, np.newaxis]
    return _Part(list(x), y, groups)


def _read_rows(file: Path, task: Task, options: Mapping[str, Any], columns: tuple[str, ...] | None) -> _Part:
    label, group = options.get("label", "label"), options.get("group")
    texts = [label, *(options[name] for name in ("series", "group") if name in options)]
    pandas, table = require("pandas", "pandas"), read_table(file, texts)
    wanted = [label, *([options.get("text", "text")] if task.reads == "text" else [])]
    wanted += [options[name] for name in ("series", "group") if name in options]
    for column in wanted:
        if column not in table:
            raise RecipeError(f"data: {file} has no column {column!r}, but {', '.join(map(str, table))}")
        if table[column].isna().any():
            row = int(table[column].isna().to_numpy().argmax())
            raise RecipeError(f"data: {file}: {column} of row {row} is missing")
    groups = table[group].to_numpy() if group else None
    if task.reads == "text":
        texts = table[options.get("text", "text")].astype(str).tolist()
        return _Part(texts, table[label].to_numpy(), groups)
    if task.reads == "pixels":
        raise RecipeError("data: images come as .npz")
    if task.of_nodes and "series" not in options:
        raise RecipeError("data: labels of nodes need series, the column that tells chains apart")
    values = table.drop(columns=wanted)
    if columns is not None:
        if missing := [column for column in columns if column not in values]:
            raise RecipeError(f"data: {file} has no column {missing[0]!r}, which the training has")
        if unknown := [column for column in values if column not in columns]:
            raise RecipeError(f"data: {file} has a column {unknown[0]!r}, which the training has not")
        values = values[list(columns)]
    if text := [column for column in values if not pandas.api.types.is_numeric_dtype(values[column])]:
        raise RecipeError(f"data: {file}: column {text[0]!r} holds no numbers")
    if "series" not in options:
        # Shorter series end in empty cells.
        rows = [row[: np.flatnonzero(~np.isnan(row)).max(initial=-1) + 1] for row in values.to_numpy(float)]
        return _Part([row[:, np.newaxis] for row in rows], table[label].to_numpy(), groups, tuple(values))
    chains = [index for _, index in table.groupby(options["series"], sort=False).indices.items()]
    of_chains = [*([label] if not task.of_nodes else []), *([group] if group else [])]
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
        [labels[index] for index in chains] if task.of_nodes else labels[firsts],
        None if groups is None else groups[firsts],
        tuple(values),
    )
