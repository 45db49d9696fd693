"""Evaluate a model on new labelled files, whose columns and labels are matched with the model's by name."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...forecasts.whole_series import Layout, Series
from ...inputs.named_sequences import series_sequences
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
from ..data.examples import Examples
from ..data.files import checked_chains
from ..data.image_files import read_image_files
from ..data.in_time.windows import windows_from
from ..data.node_labels import IGNORED, is_label, pad_labels
from ..metrics.forecast_parts import by_series
from ..metrics.labels import confusion
from ..metrics.metric import Metric, json_number
from ..metrics.multilabel import by_label
from ..task import Task
from ..tasks.known import task_named, task_of_model
from ..tasks.series_targets import SeriesTargets
from ..training.fitting.predicting import predict
from .behind_gaps import with_gaps_forecast

# About the most origins that forecasts start from: if files have more, only every second, third, … is taken.
_MOST_ORIGINS = 5_000


@dataclass(frozen=True)
class NewEvaluation:
    """The results of a model on new files.

    Attributes
    ----------
    said : str
        A line about the reading.
    metrics : tuple of Metric
    values : dict of float
        By the metrics' names; NaN if not defined.
    examples : int
        The number of examples, or of windows.
    confusion : dict, optional
        As returned by `metrics.labels.confusion`, if an example or a node has a single label.
    by_label : list of dict, optional
        As returned by `metrics.multilabel.by_label`, if an example has several labels.
    by_series : list of dict, optional
        As returned by `metrics.forecast_parts.by_series`, for forecasts.
    """

    said: str
    metrics: tuple[Metric, ...]
    values: dict[str, float]
    examples: int
    confusion: dict[str, Any] | None = None
    by_label: list[dict[str, Any]] | None = None
    by_series: list[dict[str, Any]] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the results for JSON, with None for metrics that are not defined."""
        values = {name: json_number(value) for name, value in self.values.items()}
        told: dict[str, Any] = {"read": self.said, "examples": self.examples, "metrics": values}
        if self.confusion is not None:
            told |= {"labels": self.confusion["labels"], "confusion": self.confusion["counts"]}
        if self.by_label is not None:
            told["labels"] = self.by_label
        if self.by_series:
            told["series"] = self.by_series
        return told


def evaluate_on(
    data: Any,
    model: Any,
    folder: Path,
    pipeline_task: str,
    *,
    schema: Schema | None = None,
    spec: TableSpec | None = None,
    reading: Reading | None = None,
) -> NewEvaluation:
    """Evaluate a model on labelled files.

    Parameters
    ----------
    data : str, Path or list of them
        A file, a folder, a pattern, or several of them, as `chainhead_plugin.tables.load` takes them.
    model : PreTrainedModel
        On the CPU.
    folder : Path
        The model's checkpoint, with its preprocessing.
    pipeline_task : str
        The task of the model's pipeline.
    schema : Schema, optional
        The names of the columns that the model was trained on.
    spec : TableSpec, optional
        The meanings of the columns, for a model without a schema.
    reading : Reading, optional
        How files are written.

    Returns
    -------
    NewEvaluation

    Raises
    ------
    TableError
        If there is no column of labels, columns are not those of the model, or a label is unknown to it.
    ValueError
        If models for the task cannot be evaluated on files.
    """
    if pipeline_task == "time-series-forecasting":
        return evaluate_forecasts(data, model, folder, schema, spec, reading)
    task = task_of_model(pipeline_task, model.config)
    if task is None:
        raise ValueError(
            f"models for {pipeline_task} cannot be evaluated with --data: expected a model for classification, "
            "segmentation, regression or forecasts of series, or for classification of texts or images"
        )

    inputs = task.load_inputs(folder)
    names = tuple(str(model.config.id2label[index]) for index in range(model.config.num_labels))
    if task.reads == "text":
        examples, said = _texts(data, schema or spec, reading, names)
    elif task.reads == "pixels":
        examples, said = _images(data, inputs, names)
    else:
        found = _series(data, task, names, int(model.config.m), schema, spec or TableSpec(), reading)
        takes_missing = bool(getattr(inputs.preprocessor, "interpolate_missing", False))
        chains = checked_chains(found, interpolate_missing=takes_missing)
        examples, said = _examples(found, chains, task, names), summary(found)

    predictions = predict(model.eval(), inputs, examples.inputs, task).numpy()
    targets = task.collate(examples.targets())

    told: dict[str, Any] = {}
    if examples.has_classes:
        told["confusion"] = confusion(predictions.argmax(-1), targets, names)
    elif targets.ndim == 2:
        told["by_label"] = by_label(predictions, targets, names)
    return NewEvaluation(said, task.metrics, task.measure(predictions, targets), len(examples.inputs), **told)


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
        texts = [str(series.labels[0]) for series in found]
        _check_known(texts, places, names)
        return Examples(chains, np.array([number[text] for text in texts], dtype=np.int64), names)
    rows = []
    for series in found:
        counted = [str(text) for text in series.labels[0] if is_label(str(text))]
        _check_known(counted, [series.place] * len(counted), names)
        rows.append(np.array([number.get(str(text), IGNORED) for text in series.labels[0]], dtype=np.int64))
    return Examples(chains, pad_labels(rows), names)


def _texts(
    data: Any, stated: TableSpec | Schema | None, reading: Reading | None, names: tuple[str, ...]
) -> tuple[Examples, str]:
    texts, spec = load_texts(data, stated, reading, labelled=True)
    if not spec.label:
        raise TableError(
            f"{texts[0].file}: there is no column of labels to evaluate by: name it with --label"
        )
    _check_known([text.label for text in texts], [place(text.file, row=text.row) for text in texts], names)
    numbers = np.array([names.index(text.label) for text in texts], dtype=np.int64)
    return Examples([text.text for text in texts], numbers, names), f"{texts[0].file}: {len(texts)} texts"


def _images(data: Any, inputs: Inputs, names: tuple[str, ...]) -> tuple[Examples, str]:
    processor = inputs.preprocessor
    channels = 1 if getattr(processor, "do_grayscale", False) else 3
    # Processors of other families may state other things than height and width.
    stated = dict(processor.size)
    size = [stated["height"], stated["width"]] if stated.get("width") else None
    found = read_image_files(data, channels=channels, size=size)
    _check_known(found.labels, found.places, names)
    numbers = np.array([names.index(label) for label in found.labels], dtype=np.int64)
    return Examples(found.inputs, numbers, names), found.said


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


def evaluate_forecasts(
    data: Any,
    model: Any,
    folder: Path,
    schema: Schema | None,
    spec: TableSpec | None,
    reading: Reading | None,
) -> NewEvaluation:
    """Evaluate a forecaster at rolling origins of new files. Arguments and errors are those of `evaluate_on`.

    For MASE, errors are scaled by the errors of a naive forecast before a series' first origin.
    """
    config = model.config
    past, future = config.chain_length, config.prediction_length
    if past is None:
        raise ValueError("the model does not say how long its past is: set chain_length in its configuration")
    found = load(data, spec, reading) if schema is None else load_matched(data, schema, reading)
    chains = [sequence.nodes for sequence in series_sequences(found)]
    channels, targets = config.num_input_channels, config.num_targets
    width = channels + config.num_time_features
    if chains[0].shape[1] != width:
        raise TableError(
            f"{found.files[0]}: it has {counted(chains[0].shape[1], 'column')} to forecast from, expected the "
            f"model's {width}: choose them with --columns, and name the column that tells series apart with --series"
        )
    names = [*found.features, *(f"known {number}" for number in range(width))]
    layout = Layout(tuple(names[:targets]), tuple(names[targets:channels]), tuple(names[channels:width]))
    series = [Series(chain, name=one.id) for chain, one in zip(chains, found, strict=True)]
    origins = sum(max(0, len(chain) - past - future + 1) for chain in chains)
    windows = windows_from(
        series, layout, past, future, [past] * len(series), stride=1 + origins // _MOST_ORIGINS
    )
    task = task_named("time-series-forecasting").of_model({"quantiles": list(config.quantiles)})
    forecasts = predict(model.eval(), task.load_inputs(folder), windows.inputs, task).numpy()
    forecasts = with_gaps_forecast(forecasts, model, windows)
    said = (
        f"{summary(found)}; forecasts from {len(windows.labels):,} origins, each {future} steps from {past}"
    )
    return NewEvaluation(
        said,
        task.metrics,
        task.measure_on(forecasts, windows),
        len(windows.labels),
        by_series=by_series(task.measure_on, forecasts, windows),
    )
