"""What a pipeline's task reads, which options it takes, and how its results become JSON and rows: all that differs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from .files.records import Record

Cells = list[dict[str, Any]]

# Quantiles that a terminal has room for beside a forecast.
_MOST_QUANTILES_SHOWN = 5


class Answers(ABC):
    """What differs from task to task on the command line; everybody asks it, nobody compares tasks.

    Attributes
    ----------
    task : str
        The pipeline's.
    reads : {"sequence", "text", "image"}
    architecture : str
        How the names of the classes of models for it end.
    auto_class : str
        What transformers calls the class that loads them.
    preprocessor : str, optional
        What the pipeline has to be given beside the model, if anything.
    options : tuple of str
        Options of `predict` that have an effect.
    result : str
        What the result is called in JSON.
    """

    task: ClassVar[str]
    reads: ClassVar[Literal["sequence", "text", "image"]] = "sequence"
    architecture: ClassVar[str]
    auto_class: ClassVar[str]
    preprocessor: ClassVar[str | None] = "feature_extractor"
    options: ClassVar[tuple[str, ...]] = ()
    result: ClassVar[str]

    def run_options(self, pipe: Any) -> dict[str, Any]:
        """Return the options of the pipeline's call that the user has not to think of."""
        return {"batched": True} if self.reads == "sequence" else {}

    def fields(self, result: Any) -> dict[str, Any]:
        """Return a result as JSON has it."""
        return {self.result: result}

    @abstractmethod
    def cells(self, record: Record, result: Any) -> Cells:
        """Return the rows of a result by their headings: a row a label, segment, step or node."""

    def shown_cells(self, record: Record, result: Any) -> Cells:
        """Return the rows that a terminal has room for."""
        return self.cells(record, result)

    def left_out(self, result: Any) -> str:
        """Return a sentence on what `shown_cells` left out of a result; nothing where it is all there."""
        return ""

    def default_target(self) -> tuple[int, ...] | None:
        """Return the answer that `plot` explains where none is named; None for what the model predicts."""
        return None

    def target(self, given: str, config: Any) -> str | tuple[int, ...]:
        """Return what the user names, for `node_contributions`: a label, or indices with commas between them."""
        labels: Mapping[str, int] = config.label2id
        if given in labels:
            return given
        *places, last = (part.strip() for part in given.split(","))
        return _indices([*places, str(labels.get(last, last))]) or given  # no label, as the error will say

    def target_name(self, index: Sequence[int], config: Any) -> str:
        """Return what an explained answer is called in a picture."""
        return str(config.id2label[index[-1]]) + (f" at node {index[0]}" if len(index) > 1 else "")


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
    preprocessor = None  # the pipeline itself looks for names of columns
    options = ("--horizon", "--quantiles")
    result = "forecast"

    def fields(self, result: Any) -> dict[str, Any]:
        return dict(result)

    def cells(self, record: Record, result: Any) -> Cells:
        named = {self.result: result["forecast"]}
        named |= {f"quantile {level:g}": values for level, values in result.get("quantiles", {}).items()}
        rows: Cells = []
        for step, forecast in enumerate(result["forecast"]):
            row: dict[str, Any] = {"step": step + 1}
            if "times" in result:
                row["time"] = result["times"][step]
            if isinstance(forecast, list):
                for target in range(len(forecast)):
                    row |= {
                        f"{name}, target {target + 1}": values[step][target] for name, values in named.items()
                    }
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
        return f"shown are the outermost of {len(levels)} quantiles: --quantiles chooses, --json and --output have all"

    def default_target(self) -> tuple[int, ...]:
        return (0, 0)

    def target(self, given: str, config: Any) -> str | tuple[int, ...]:
        index = _indices([part.strip() for part in given.split(",")])
        if index is None:
            return given
        return (*index, 0) if len(index) == 1 and config.num_targets == 1 else index

    def target_name(self, index: Sequence[int], config: Any) -> str:
        return f"step {index[0]}" + (f", channel {index[1]}" if config.num_targets > 1 else "")


def _indices(parts: Sequence[str]) -> tuple[int, ...] | None:
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else None


ALL: tuple[Answers, ...] = (
    _SeriesLabels(),
    _Segments(),
    _Forecasts(),
    _Features(),
    _TextLabels(),
    _Tokens(),
    _ImageLabels(),
)


def answers_to(task: str, model: str) -> Answers:
    """Return what a task is like on the command line.

    Raises
    ------
    ValueError
        If this command knows nothing of it.
    """
    for answers in ALL:
        if answers.task == task:
            return answers
    raise ValueError(
        f"{model} is for {task}, which this command cannot show: it knows {', '.join(a.task for a in ALL)}"
    )


def task_of_class(name: str, *, takes_text: bool) -> str | None:
    """Return the task of a class of models by its name; None where there is none."""
    for answers in ALL:
        if name.endswith(answers.architecture) and takes_text == (answers.reads == "text"):
            return answers.task
    return None


def line_of(answers: Answers, record: Record, result: Any) -> dict[str, Any]:
    """Return a result as JSON has it, beside the record's own fields.

    Raises
    ------
    ValueError
        If the result has a field's name.
    """
    return _beside(record, answers.fields(result))


def rows_of(answers: Answers, record: Record, result: Any) -> Cells:
    """Return a result as rows of a table beside the record's own fields.

    Raises
    ------
    ValueError
        If the result has a field's name.
    """
    return [_beside(record, row) for row in answers.cells(record, result)]


def _beside(record: Record, shown: dict[str, Any]) -> dict[str, Any]:
    if clash := sorted(shown.keys() & record.fields.keys()):
        raise ValueError(
            f"the input has fields named {', '.join(clash)}, as the result has: rename them, or leave them out with "
            "--drop"
        )
    return record.fields | shown
