"""Results of pipelines as lines of JSON and as rows of a table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .records import Record

CLASSIFICATION = ("time-series-classification", "text-classification", "image-classification")
# What the result of a task is called in JSON, where it is not an object of its own.
_RESULTS = dict.fromkeys(CLASSIFICATION, "predictions") | {
    "token-classification": "entities",
    "time-series-segmentation": "segments",
    "chain-feature-extraction": "features",
}


def line_of(record: Record, task: str, result: Any) -> dict[str, Any]:
    """Return a result as JSON has it, beside the record's own fields.

    Raises
    ------
    ValueError
        If the result has a field's name.
    """
    shown = dict(result) if task == "time-series-forecasting" else {_RESULTS[task]: result}
    return _beside(record, shown)


def rows_of(record: Record, task: str, result: Any) -> Iterable[dict[str, Any]]:
    """Return a result as rows of a table beside the record's own fields: a row a label, segment, step or node.

    Raises
    ------
    ValueError
        If the result has a field's name.
    """
    return [_beside(record, row) for row in cells_of(record, task, result)]


def _beside(record: Record, shown: dict[str, Any]) -> dict[str, Any]:
    if clash := sorted(shown.keys() & record.fields.keys()):
        raise ValueError(f"the input has fields named {', '.join(clash)}, as the result has: rename them")
    return record.fields | shown


def cells_of(record: Record, task: str, result: Any) -> list[dict[str, Any]]:
    """Return the rows of a result by their headings."""
    if task in CLASSIFICATION:
        return [{"label": answer["label"], "score": answer["score"]} for answer in result]
    if task == "token-classification":
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
    if task == "time-series-segmentation":
        return [
            {"label": part["label"], "score": part["score"], "from": part["start"], "to": part["end"]}
            for part in result
        ]
    if task == "chain-feature-extraction":
        return [
            {"node": number, **{f"feature {i}": value for i, value in enumerate(node, start=1)}}
            for number, node in enumerate(result, start=1)
        ]
    return _forecast_cells(result)


def _forecast_cells(result: dict[str, Any]) -> list[dict[str, Any]]:
    named = {"forecast": result["forecast"]}
    named |= {f"quantile {level:g}": values for level, values in result.get("quantiles", {}).items()}
    rows: list[dict[str, Any]] = []
    for step in range(len(result["forecast"])):
        row: dict[str, Any] = {"step": step + 1}
        if "times" in result:
            row["time"] = result["times"][step]
        if isinstance(result["forecast"][step], list):
            for target in range(len(result["forecast"][step])):
                row |= {
                    f"{name}, target {target + 1}": values[step][target] for name, values in named.items()
                }
        else:
            row |= {name: values[step] for name, values in named.items()}
        rows.append(row)
    return rows
