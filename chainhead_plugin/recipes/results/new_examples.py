"""Read new labelled files as examples of a trained model; columns and labels are matched with its own by name."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...inputs.named_sequences import series_sequences
from ...inputs.video_files import Frames
from ...tables.columns.numerals.spelling import spelled_as
from ...tables.errors import TableError, counted, listed, place
from ...tables.loading import load
from ...tables.matching import load_matched
from ...tables.read import Reading
from ...tables.schema import Schema
from ...tables.series import SeriesSet
from ...tables.spec import TableSpec
from ...tables.summarising import summary
from ...tables.texts import load_texts
from ..candidates.inputs.inputs import Inputs
from ..data.examples import Examples, Labelled
from ..data.files import checked_chains
from ..data.media.clips import read_found_videos
from ..data.media.finding import find_media
from ..data.media.image_files import read_image_files
from ..data.media.kinds import SOUNDS, VIDEOS
from ..data.node_labels import IGNORED, is_label, pad_labels
from ..data.sounds.forms import form_of
from ..data.sounds.reading import read_found
from ..task import Task
from ..tasks.series_targets import SeriesTargets


def read_new_series(
    data: Any,
    task: Task,
    inputs: Inputs,
    names: tuple[str, ...],
    features: int,
    schema: Schema | None,
    spec: TableSpec,
    reading: Reading | None,
) -> tuple[Examples, str]:
    """Read series with their targets, whose nodes have so many features."""
    found = _series(data, task, names, features, schema, spec, reading)
    takes_missing = bool(getattr(inputs.preprocessor, "interpolate_missing", False))
    chains = checked_chains(found, interpolate_missing=takes_missing)
    return _examples(found, chains, task, names), summary(found)


def _series(
    data: Any,
    task: Task,
    names: Sequence[str],
    features: int,
    schema: Schema | None,
    spec: TableSpec,
    reading: Reading | None,
) -> SeriesSet:
    label_of = "node" if task.of_nodes else "series"
    if schema is not None:
        if not schema.label:
            raise TableError(
                "the model does not know the name of its column of labels: state it with --label"
            )
        return load_matched(data, replace(schema, label_of=label_of), reading, labelled=True)
    spec = replace(spec, label_of=label_of)  # type: ignore[arg-type]  # one of the two
    if spec.rows is None and (features > 1 or task.of_nodes):
        spec = replace(spec, rows="nodes")
    found = load(data, spec, reading)
    width = len(series_sequences(found)[0].nodes[0])
    if width != features:
        raise TableError(
            f"{found.files[0]}: it has {counted(width, 'column')} of features ({listed(found.features)}), expected the "
            f"model's {features} features of a node: choose them with --columns, and name the column that tells series "
            "apart with --series, or that a row is a whole series with --rows series"
        )
    return found


def _examples(
    found: SeriesSet, chains: list[NDArray[np.float64]], task: Task, names: tuple[str, ...]
) -> Examples:
    spec, first = found.columns.spec, found.files[0]
    if not spec.label or not found.is_labelled:
        held = f"column {spec.label[0]} holds no" if spec.label else "there is no column of"
        raise TableError(f"{first}: {held} labels to evaluate by: name the column with --label")
    if isinstance(task, SeriesTargets):
        if spec.label != names and len(names) > 1:
            raise TableError(
                f"{first}: the labels are {listed(spec.label)}; the model predicts {listed(names)}, in this order"
            )
        return Examples(chains, task.targets_of(found), names)
    if len(spec.label) > 1:
        raise TableError(f"--label names {listed(spec.label)}, expected a single column of labels")
    number = {name: index for index, name in enumerate(names)}
    places = [series.place for series in found]
    if not task.of_nodes:
        texts = spelled_as(names, (str(series.labels[0]) for series in found))
        _check_known(texts, places, names)
        return Examples(chains, np.array([number[text] for text in texts], dtype=np.int64), names)
    rows = []
    for series in found:
        texts = spelled_as(names, map(str, series.labels[0]))
        counted = list(filter(is_label, texts))
        _check_known(counted, [series.place] * len(counted), names)
        rows.append(np.array([number.get(text, IGNORED) for text in texts], dtype=np.int64))
    return Examples(chains, pad_labels(rows), names)


def read_new_texts(
    data: Any, stated: TableSpec | Schema | None, reading: Reading | None, names: tuple[str, ...]
) -> tuple[Examples, str]:
    """Read texts with their labels."""
    texts, spec = load_texts(data, stated, reading, labelled=True)
    if not spec.label:
        raise TableError(
            f"{texts[0].file}: there is no column of labels to evaluate by: name it with --label"
        )
    labels = spelled_as(names, (text.label for text in texts))
    _check_known(labels, [place(text.file, row=text.row) for text in texts], names)
    numbers = np.array([names.index(label) for label in labels], dtype=np.int64)
    return Examples([text.text for text in texts], numbers, names), f"{texts[0].file}: {len(texts)} texts"


def read_new_images(data: Any, inputs: Inputs, names: tuple[str, ...]) -> tuple[Examples, str]:
    """Read images in folders of their labels, with the size and the channels that the model takes."""
    processor = inputs.preprocessor
    channels = 1 if getattr(processor, "do_grayscale", False) else 3
    # Processors of other families may state other things than height and width.
    stated = dict(processor.size)
    size = [stated["height"], stated["width"]] if stated.get("width") else None
    found = read_image_files(data, channels=channels, size=size, resized=size is None)
    return _numbered(found, names), found.said


def read_new_sounds(
    data: Any, inputs: Inputs, reading: Reading | None, names: tuple[str, ...]
) -> tuple[Examples, str]:
    """Read sounds with their labels, in folders or named by a table, at the rate of the model."""
    extractor = inputs.preprocessor
    found = find_media(SOUNDS, data, None, _columns_of(extractor), reading)
    found = read_found(found, form_of(extractor), resampled=True)
    return _numbered(found, names), found.said


def read_new_videos(
    data: Any, inputs: Inputs, count: int, reading: Reading | None, names: tuple[str, ...]
) -> tuple[Examples, str]:
    """Read videos with their labels, in folders or named by a table: of each as many frames as the model takes."""
    processor = inputs.preprocessor
    found = find_media(VIDEOS, data, None, _columns_of(processor), reading)
    found = read_found_videos(found, Frames(count, getattr(processor, "frame_sampling_rate", 1)))
    return _numbered(found, names), found.said


def _columns_of(preprocessor: Any) -> Schema | None:
    """Return the columns of the table that named a model's sounds or videos; None if they were in folders."""
    stated = getattr(preprocessor, "schema", None)
    return None if stated is None else Schema.from_dict(stated)


def _numbered(found: Labelled, names: tuple[str, ...]) -> Examples:
    """Return read examples with the numbers that the model has for their labels."""
    labels = spelled_as(names, found.labels)
    _check_known(labels, found.places, names)
    numbers = np.array([names.index(label) for label in labels], dtype=np.int64)
    return Examples(found.inputs, numbers, names)


def _check_known(labels: Sequence[str], places: Sequence[str], names: Sequence[str]) -> None:
    """Raise a TableError if a label is missing or unknown to the model; the message lists the labels of both."""
    for label, where in zip(labels, places, strict=True):
        if not label.strip():
            raise TableError(f"{where} has no label: fill it in, or leave it out")
        if label not in names:
            unknown = sorted({*labels} - {*names})
            raise TableError(
                f"{where} has the label {label!r}, which the model does not know: it knows {listed(names)}, and not "
                f"{listed(unknown)}"
            )
