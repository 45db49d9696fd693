"""A model's answer to a record, as the page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..answering.pipeline import answering
from ..answering.results import rows_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..answering.wanted import Record
    from .opened import OpenModel

_MOST_LABELS = 10
_BATCH = 16


@dataclass(frozen=True)
class Answer:
    """An answer in a sentence, with whatever else there is to show.

    Attributes
    ----------
    sentence : str
    probabilities : dict of float by str
        The best labels; empty if the answer is no label.
    rows : list of dict
        The whole answer as a table.
    figure : matplotlib.figure.Figure, optional
        A forecast or segments beside the series; else the series itself.
    """

    sentence: str
    probabilities: dict[str, float] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    figure: Figure | None = None


def ask(model: OpenModel, records: Sequence[Record]) -> list[Any]:
    """Return the results of a model's pipeline for records, labels with their whole distribution.

    Raises
    ------
    ValueError
        If a record is not what the model takes.
    """
    options = {"batch_size": _BATCH} | model.answers.run_options(model.pipe)
    if "--top-k" in model.answers.options:
        options["top_k"] = model.pipe.model.config.num_labels
    with answering(model.found):
        return list(model.pipe([record.data for record in records], **options))


def answer(model: OpenModel, record: Record) -> Answer:
    """Return a model's answer to a record.

    Raises
    ------
    ValueError
        If the record is not what the model takes.
    """
    from ..explain.forecast_pictures import draw_forecast
    from .pictures import draw_segments, draw_series

    [result] = ask(model, [record])
    rows = rows_of(model.answers, record._replace(fields={}), result)
    kind = model.answers.result
    if kind == "predictions":
        figure = None
        if model.answers.reads == "sequence":
            figure = draw_series(record.data.nodes)
        elif model.answers.reads == "sound":
            figure = draw_series(record.data[:, np.newaxis], "sample")
        if is_measured(model):
            told = "; ".join(f"{row['label']}: {row['score']:.5g}" for row in rows)
            return Answer(told, {}, rows, figure)
        best = rows[0]
        probabilities = {row["label"]: row["score"] for row in rows[:_MOST_LABELS]}
        return Answer(
            f"**{best['label']}**, with a probability of {best['score']:.1%}", probabilities, rows, figure
        )
    if kind == "segments":
        order = model.pipe.model.config.id2label.values()
        count = f"{len(rows)} segment{'s' if len(rows) != 1 else ''}"
        told = ", ".join(f"{row['label']} from {row['from']} to {row['to']}" for row in rows[:6])
        more = " …" if len(rows) > 6 else ""
        return Answer(f"{count}: {told}{more}", {}, rows, draw_segments(record.data.nodes, rows, list(order)))
    if kind == "forecast":
        first = result["forecast"][0]
        when = f" for {result['times'][0]}" if "times" in result else ""
        told = f"{len(result['forecast'])} step{'s' if len(result['forecast']) > 1 else ''} ahead; the first{when}: "
        told += ", ".join(f"{value:.4g}" for value in (first if isinstance(first, list) else [first])[:5])
        more = " …" if isinstance(first, list) and len(first) > 5 else ""
        return Answer(told + more, {}, rows, draw_forecast(model.pipe.described, record.data.nodes, result))
    return Answer(f"{len(rows)} row{'s' if len(rows) != 1 else ''}", {}, rows)


def is_measured(model: OpenModel) -> bool:
    """Return whether a model's scores are values of a regression, and no probabilities."""
    config = model.pipe.model.config
    return config.problem_type == "regression" or (config.problem_type is None and config.num_labels == 1)


def comparison(names: Sequence[str], answers: Sequence[Answer]) -> str:
    """Return a sentence on whether two models agree; empty if their answers are no labels."""
    best = [next(iter(answer.probabilities), None) for answer in answers]
    if len(best) != 2 or None in best:
        return ""
    if best[0] == best[1]:
        return f"Both models say **{best[0]}**."
    return f"The models differ: {names[0]} says **{best[0]}**, and {names[1]} **{best[1]}**."
