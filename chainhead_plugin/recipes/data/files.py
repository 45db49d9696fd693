"""Labelled examples from your own files: series and texts of any format, images, sounds and videos in folders."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...inputs.named_sequences import series_sequences
from ...tables.columns.numerals.spelling import spelled_as
from ...tables.errors import listed, place
from ...tables.loading import load
from ...tables.matching import load_matched
from ...tables.schema import schema_of
from ...tables.series import SeriesSet
from ...tables.spec import TableSpec
from ...tables.summarising import summary
from ...tables.texts import load_texts, schema_of_texts
from ..errors import RecipeError, said_of
from ..recipe import Recipe
from .arrays import is_array_file, read_arrays
from .examples import Data, Examples, Labelled, numbered
from .file_options import FileOptions, file_options
from .media.clips import read_videos
from .media.image_files import channels_of, read_image_files
from .node_labels import is_label, number_labels, sorted_names
from .sounds.reading import read_sounds
from .splits import split_told

OPTIONS = {
    "nodes": (
        *("test_seed", "label", "group", "features", "drop", "static", "series", "time", "time_format"),
        *("time_zone", "day_first", "step", "gaps", "missing", "rows", "calendar"),
    ),
    "text": ("test_seed", "label", "group", "drop", "text"),
    "pixels": ("test_seed", "group", "size"),
    "sound": ("test_seed", "label", "group", "drop", "path", "sampling_rate"),
    "video": ("test_seed", "label", "group", "drop", "path", "frame_sampling_rate"),
}


def load_files(recipe: Recipe) -> Data:
    """Load the examples in the files that a recipe names; `load_data` describes these files.

    Raises
    ------
    RecipeError
        If a file, column or array is missing or of the wrong kind, or the test part has a label that training lacks.
    """
    options = file_options(recipe, OPTIONS[recipe.task.reads])
    with said_of("data"):
        train, test = _parts(recipe, options)
        if test is not None:
            test = _spelled_alike(train, test, of_nodes=recipe.task.of_nodes)
        _check(train, test, of_nodes=recipe.task.of_nodes)
    parts = [train] if test is None else [train, test]
    joined = _join(parts, of_nodes=recipe.task.of_nodes)
    indices, count = np.arange(len(joined.labels)), len(train.labels)
    kept = joined.take(indices[:count])
    said = tuple(part.said for part in parts)
    if test is not None:
        return Data(kept, joined.take(indices[count:]), said=said)
    assert options.test_share is not None
    with said_of("data: test_share"):
        kept, held_out, words = split_told(kept, options.test_share, options.test_seed)
    return Data(kept, held_out, said=(*said, f"test: {words}, drawn with seed {options.test_seed}"))


def _parts(recipe: Recipe, options: FileOptions) -> tuple[Labelled, Labelled | None]:
    reads = recipe.task.reads
    if reads == "sound":
        return read_sounds(recipe, options)
    if reads == "video":
        return read_videos(recipe, options)
    if reads != "nodes" and is_array_file(options.train):
        group = options.spec.group
        train = read_arrays(recipe, options.train, group)
        return train, None if options.test is None else read_arrays(recipe, options.test, group)
    if reads == "pixels":
        return _images(recipe, options)
    if reads == "text":
        spec = options.spec
        train, spec = _texts(options.train, spec, options)
        return train, None if options.test is None else _texts(options.test, spec, options)[0]
    of_nodes = recipe.task.of_nodes
    found, other = load_series_sets(options, "node" if of_nodes else "series")
    of_train = _of_series(found, of_nodes=of_nodes)
    return of_train, None if other is None else _of_series(other, of_nodes=of_nodes)


def load_series_sets(
    options: FileOptions, label_of: Literal["series", "node"]
) -> tuple[SeriesSet, SeriesSet | None]:
    """Read the series of both parts; columns of the test part are matched by name.

    Parameters
    ----------
    options : FileOptions
    label_of : {"series", "node"}
        Whether a series has a label, or each of its nodes.

    Returns
    -------
    training : SeriesSet
    test : SeriesSet or None
        None if the test part is to be drawn from the training series.

    Raises
    ------
    RecipeError, TableError
        If files cannot be read, or their columns do not agree.
    """
    spec = replace(options.spec, label_of=label_of)
    found = load(options.train, spec, options.reading)
    if options.test is None:
        return found, None
    schema = schema_of(found)
    if schema is not None:
        other = load_matched(options.test, schema, options.reading, labelled=True)
    else:
        other = load(options.test, replace(found.columns.spec, features=spec.features), options.reading)
        if len(other.features) != len(found.features):
            raise RecipeError(
                f"{other.files[0]} has {len(other.features)} features a node, but {found.files[0]} has "
                f"{len(found.features)}"
            )
    if spec.group is not None and other.columns.spec.group is None:
        raise RecipeError(
            f"{other.files[0]} has no column {spec.group}, which tells whether a group is in both parts"
        )
    return found, other


def _of_series(found: SeriesSet, *, of_nodes: bool) -> Labelled:
    """Return series as labelled examples; each needs a label."""
    spec, first = found.columns.spec, found.files[0]
    if spec.label and not found.is_labelled:
        raise RecipeError(f"{place(first, column=spec.label[0])} is empty in every row, expected labels")
    if not spec.label:
        columns = listed(found.features) if found.has_names else "none has a name"
        raise RecipeError(f"{first} has no column of labels: name it as label (its other columns: {columns})")
    if len(spec.label) > 1:
        raise RecipeError(f"label names {listed(spec.label)}, expected a single column of labels")
    for series in found:
        if not of_nodes and not series.labels[0].strip():
            raise RecipeError(f"{series.place} has no label: fill it in, or leave the series out")
    return Labelled(
        inputs=checked_chains(found),
        labels=[series.labels[0] for series in found],
        places=[series.place for series in found],
        groups=None if spec.group is None else [series.group for series in found],
        schema=schema_of(found),
        said=summary(found),
    )


def checked_chains(found: SeriesSet, *, interpolate_missing: bool = True) -> list[NDArray[np.float64]]:
    """Return the nodes [L, m] of series; raise a TableError if the model cannot take them.

    Parameters
    ----------
    found : SeriesSet
    interpolate_missing : bool
        Whether the model's feature extractor interpolates missing values, so that each series needs a single value.
        Otherwise a missing value is an error.
    """
    if interpolate_missing:
        found.check_observed()
    else:
        found.check_complete()
    return [sequence.nodes for sequence in series_sequences(found)]


def _images(recipe: Recipe, options: FileOptions) -> tuple[Labelled, Labelled | None]:
    if options.spec.group is not None:
        raise RecipeError("group has no effect on folders of images: it names an array of an .npz file")
    size = options.size
    by_encoder = bool(recipe.encoder)
    train = read_image_files(options.train, recipe.folder, size=size, resized=by_encoder)
    if options.test is None:
        return train, None
    channels = channels_of(train.inputs[0])
    return train, read_image_files(options.test, recipe.folder, channels, size, resized=by_encoder)


def _texts(locations: Any, spec: TableSpec, options: FileOptions) -> tuple[Labelled, TableSpec]:
    texts, spec = load_texts(locations, spec, options.reading)
    for text in texts:
        if not text.label.strip():
            raise RecipeError(
                f"{place(text.file, row=text.row)} has no label: name the column of labels as label, and fill it in"
            )
    labels = [text.label for text in texts]
    counts = Counter(labels)
    shown = listed(f"{name} {count}" for name, count in sorted(counts.items()))
    part = Labelled(
        inputs=[text.text for text in texts],
        labels=labels,
        places=[place(text.file, row=text.row) for text in texts],
        groups=None if spec.group is None else [text.group for text in texts],
        schema=schema_of_texts(texts, spec),
        said=f"{texts[0].file}: {len(texts)} texts; label {listed(spec.label)} ({shown})",
    )
    return part, spec


def _spelled_alike(train: Labelled, test: Labelled, *, of_nodes: bool) -> Labelled:
    """Return the test part with its labels spelled as in the training part."""
    names = {label for labels in train.labels for label in _all_labels(labels, of_nodes)}
    if not of_nodes:
        return replace(test, labels=spelled_as(names, test.labels))
    return replace(test, labels=[np.array(spelled_as(names, one), dtype=object) for one in test.labels])


def _check(train: Labelled, test: Labelled | None, *, of_nodes: bool) -> None:
    """Check that training has several labels and all labels of the test part, and that no group is in both parts."""
    known = {label for labels in train.labels for label in _all_labels(labels, of_nodes)}
    if len(known) < 2:
        only = next(iter(known), "")
        count = len(train.labels)
        raise RecipeError(
            f"{train.places[0]}: all {count} examples to train on have the label {only!r}, "
            "expected at least two labels to tell apart: is their column named as label?"
            if count > 1
            else f"{train.places[0]} is the only example: name the column that tells examples apart as series"
        )
    if test is None:
        return
    for where, labels in zip(test.places, test.labels, strict=True):
        if foreign := [label for label in _all_labels(labels, of_nodes) if label not in known]:
            raise RecipeError(
                f"{where} has the label {foreign[0]!r}, but no training example has it: the labels of training are "
                f"{listed(sorted(known))}"
            )
    trained = set(train.groups or ())
    for where, group in zip(test.places, test.groups or (), strict=False):
        if group in trained:
            raise RecipeError(
                f"{where}: the group {group} is in both parts, but the test part has to be of other groups"
            )


def _all_labels(labels: Any, of_nodes: bool) -> list[str]:
    return [label for label in labels if is_label(label)] if of_nodes else [labels]


def _join(parts: Sequence[Labelled], *, of_nodes: bool) -> Examples:
    """Join the parts, so that labels and groups have the same numbers in both."""
    inputs = [one for part in parts for one in part.inputs]
    labels = [one for part in parts for one in part.labels]
    groups = [group for part in parts for group in part.groups or ()]
    order = sorted_names(groups)
    examples = Examples(inputs, *number_labels(labels)) if of_nodes else numbered(inputs, labels)
    place_of = {group: number for number, group in enumerate(order)}
    numbers = np.array([place_of[group] for group in groups])
    return replace(
        examples,
        groups=numbers if groups else None,
        schema=parts[0].schema,
        sampling_rate=parts[0].sampling_rate,
    )
