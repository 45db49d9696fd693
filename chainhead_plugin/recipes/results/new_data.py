"""Evaluate a model on new labelled files, whose columns and labels are matched with the model's by name."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...forecasts.whole_series import Layout, Series
from ...inputs.named_sequences import series_sequences
from ...tables.errors import TableError, counted
from ...tables.loading import load
from ...tables.matching import load_matched
from ...tables.read import Reading
from ...tables.schema import Schema
from ...tables.spec import TableSpec
from ...tables.summarising import summary
from ..data.in_time.windows import windows_from
from ..metrics.forecast_parts import by_series
from ..metrics.labels import confusion
from ..metrics.metric import Metric, json_number
from ..metrics.multilabel import by_label
from ..tasks.known import task_named, task_of_model
from ..training.fitting.predicting import predict
from .behind_gaps import with_gaps_forecast
from .known_origins import told_known_origins
from .new_examples import read_new_images, read_new_series, read_new_sounds, read_new_texts, read_new_videos

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
            "segmentation, regression or forecasts of series, or for classification of texts, images, sounds or videos"
        )

    inputs = task.load_inputs(folder)
    names = tuple(str(model.config.id2label[index]) for index in range(model.config.num_labels))
    if task.reads == "text":
        examples, said = read_new_texts(data, schema or spec, reading, names)
    elif task.reads == "pixels":
        examples, said = read_new_images(data, inputs, names)
    elif task.reads == "sound":
        examples, said = read_new_sounds(data, inputs, reading, names)
    elif task.reads == "video":
        examples, said = read_new_videos(data, inputs, model.config.num_frames, reading, names)
    else:
        # Of a model on an encoder, m is the width of the encoder, not that of the series.
        features = int(getattr(inputs.preprocessor, "feature_size", model.config.m))
        examples, said = read_new_series(
            data, task, inputs, names, features, schema, spec or TableSpec(), reading
        )

    predictions = predict(model.eval(), inputs, examples.inputs, task).numpy()
    targets = task.collate(examples.targets())

    told: dict[str, Any] = {}
    if examples.has_classes:
        told["confusion"] = confusion(predictions.argmax(-1), targets, names)
    elif targets.ndim == 2:
        told["by_label"] = by_label(predictions, targets, names)
    return NewEvaluation(said, task.metrics, task.measure(predictions, targets), len(examples.inputs), **told)


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
    sequences = series_sequences(found)
    chains = [sequence.nodes for sequence in sequences]
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
        + told_known_origins(model, folder, sequences, windows)
    )
    return NewEvaluation(
        said,
        task.metrics,
        task.measure_on(forecasts, windows),
        len(windows.labels),
        by_series=by_series(task.measure_on, forecasts, windows),
    )
