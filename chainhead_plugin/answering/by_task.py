"""The behaviour of the command line for each task, and the task of a model's class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..inputs.video_files import Frames
from .answers import Answers, Cells, indices

if TYPE_CHECKING:
    from .wanted import Record

# The most quantiles that a terminal shows beside a forecast.
_MOST_QUANTILES_SHOWN = 5


class _Labels(Answers):
    options = ("--top-k",)
    result = "predictions"
    architecture = "ForSequenceClassification"
    auto_class = "AutoModelForSequenceClassification"

    def run_options(self, pipe: Any) -> dict[str, Any]:
        config = pipe.model.config
        regression = config.problem_type == "regression" or config.num_labels == 1
        return super().run_options(pipe) | {"top_k": config.num_labels if regression else 1}

    def cells(self, record: Record, result: Any) -> Cells:
        return [{"label": answer["label"], "score": answer["score"]} for answer in result]


class _SeriesLabels(_Labels):
    task = "time-series-classification"


class _TextLabels(_Labels):
    task = "text-classification"
    reads = "text"
    preprocessor = "tokenizer"


class _ImageLabels(_Labels):
    task = "image-classification"
    reads = "image"
    architecture = "ForImageClassification"
    auto_class = "AutoModelForImageClassification"
    preprocessor = "image_processor"


class _SoundLabels(_Labels):
    task = "audio-classification"
    reads = "sound"
    architecture = "ForAudioClassification"
    auto_class = "AutoModelForAudioClassification"


class _VideoLabels(_Labels):
    task = "video-classification"
    reads = "video"
    architecture = "ForVideoClassification"
    auto_class = "AutoModelForVideoClassification"
    preprocessor = "image_processor"

    def run_options(self, pipe: Any) -> dict[str, Any]:
        return super().run_options(pipe) | {"frame_sampling_rate": self.frames(pipe).sampling_rate}

    def frames(self, pipe: Any) -> Frames:
        # Recipes leave the rate that they were trained at beside the model.
        return Frames(pipe.model.config.num_frames, getattr(pipe.image_processor, "frame_sampling_rate", 1))


class _Tokens(Answers):
    task = "token-classification"
    reads = "text"
    architecture = "ForTokenClassification"
    auto_class = "AutoModelForTokenClassification"
    preprocessor = "tokenizer"
    result = "entities"

    def cells(self, record: Record, result: Any) -> Cells:
        return [
            {
                "text": record.data[entity["start"] : entity["end"]],
                "entity": entity.get("entity", entity.get("entity_group")),
                "score": entity["score"],
                "from": entity["start"],
                "to": entity["end"],
            }
            for entity in result
        ]


class _Segments(Answers):
    task = "time-series-segmentation"
    architecture = "ForTokenClassification"
    auto_class = "AutoModelForTokenClassification"
    result = "segments"

    def run_options(self, pipe: Any) -> dict[str, Any]:
        return super().run_options(pipe) | {"aggregation_strategy": "simple"}

    def cells(self, record: Record, result: Any) -> Cells:
        return [
            {"label": part["label"], "score": part["score"], "from": part["start"], "to": part["end"]}
            for part in result
        ]


class _Features(Answers):
    task = "chain-feature-extraction"
    architecture = "ChainHeadModel"
    auto_class = "AutoModel"
    result = "features"

    def cells(self, record: Record, result: Any) -> Cells:
        return [
            {"node": number, **{f"feature {i}": value for i, value in enumerate(node, start=1)}}
            for number, node in enumerate(result, start=1)
        ]

    def shown_cells(self, record: Record, result: Any) -> Cells:
        return [{"nodes": len(result), "features": f"{len(result[0])}, with --json"}]


class _Forecasts(Answers):
    task = "time-series-forecasting"
    architecture = "ForTimeSeriesPrediction"
    auto_class = "AutoModelForTimeSeriesPrediction"
    preprocessor = None  # The pipeline itself loads the names of columns.
    options = ("--horizon", "--quantiles", "--update-bands")
    result = "forecast"

    def fields(self, record: Record, result: Any) -> dict[str, Any]:
        targets = getattr(record.data, "targets", ())
        return ({"targets": list(targets)} if len(targets) > 1 else {}) | dict(result)

    def cells(self, record: Record, result: Any) -> Cells:
        named = {self.result: result["forecast"]}
        named |= {f"quantile {level:g}": values for level, values in result.get("quantiles", {}).items()}
        rows: Cells = []
        for step, forecast in enumerate(result["forecast"]):
            row: dict[str, Any] = {"step": step + 1}
            if "times" in result:
                row["time"] = result["times"][step]
            if isinstance(forecast, list):
                for target, title in enumerate(_target_titles(record, len(forecast))):
                    row |= {f"{name}, {title}": values[step][target] for name, values in named.items()}
            else:
                row |= {name: values[step] for name, values in named.items()}
            rows.append(row)
        return rows

    def shown_cells(self, record: Record, result: Any) -> Cells:
        levels = result.get("quantiles", {})
        if len(levels) <= _MOST_QUANTILES_SHOWN:
            return self.cells(record, result)
        lowest, highest = min(levels), max(levels)
        outer = {lowest: levels[lowest], highest: levels[highest]}
        return self.cells(record, result | {"quantiles": outer})

    def left_out(self, result: Any) -> str:
        levels = result.get("quantiles", {})
        if len(levels) <= _MOST_QUANTILES_SHOWN:
            return ""
        return (
            f"only the outermost of {len(levels)} quantiles are shown: choose with --quantiles; --json and --output "
            "have all"
        )

    def adjusted(self, result: Any) -> str:
        origins = result.get("new_origins", 0)
        if not origins or not result.get("quantiles"):
            return ""
        return (
            f"quantiles are adjusted to the errors of forecasts from {origins:,} steps after the training "
            "(otherwise: --no-update-bands)"
        )

    def default_target(self) -> tuple[int, ...]:
        return (0, 0)

    def target(self, given: str, config: Any) -> str | tuple[int, ...]:
        index = indices([part.strip() for part in given.split(",")])
        if index is None:
            return given
        return (*index, 0) if len(index) == 1 and config.num_targets == 1 else index

    def target_name(self, index: Sequence[int], config: Any) -> str:
        return f"step {index[0]}" + (f", channel {index[1]}" if config.num_targets > 1 else "")


def _target_titles(record: Record, count: int) -> Sequence[str]:
    """Return the names of a forecast's targets, or "target 1" and so on if they have no names."""
    names: Sequence[str] = getattr(record.data, "targets", ())
    return names if len(names) == count else [f"target {number}" for number in range(1, count + 1)]


ALL: tuple[Answers, ...] = (
    _SeriesLabels(),
    _Segments(),
    _Forecasts(),
    _Features(),
    _TextLabels(),
    _Tokens(),
    _ImageLabels(),
    _SoundLabels(),
    _VideoLabels(),
)


def answers_to(task: str, model: str) -> Answers:
    """Return the behaviour of the command line for a task.

    Parameters
    ----------
    task : str
        The task of a pipeline.
    model : str
        The model's name, for the message of the error.

    Raises
    ------
    ValueError
        If the command line does not support the task.
    """
    for answers in ALL:
        if answers.task == task:
            return answers
    raise ValueError(
        f"{model} is for {task}, which this command cannot show: it knows {', '.join(a.task for a in ALL)}"
    )


def task_of_class(name: str, *, takes_text: bool) -> str | None:
    """Return the task of a model class, found by the class's name; None if no task fits."""
    for answers in ALL:
        if name.endswith(answers.architecture) and takes_text == (answers.reads == "text"):
            return answers.task
    return None
