"""`chainhead predict`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .inputs import COLUMNS_HELP, FORMAT_HELP, TEXT, FileFormat, check_files, read_files
from .pipeline import load_pipeline
from .support import NAME_HELP, complete_sources, console, reported_errors

if TYPE_CHECKING:
    from rich.table import Table

    from .records import Record

CLASSIFICATION = ("time-series-classification", "text-classification", "image-classification")
# What the result of a task is called in JSON, where it is not an object of its own.
_RESULTS = dict.fromkeys(CLASSIFICATION, "predictions") | {
    "token-classification": "entities",
    "time-series-segmentation": "segments",
    "chain-feature-extraction": "features",
}


def predict(
    name: Annotated[str, typer.Argument(help=NAME_HELP, autocompletion=complete_sources)],
    files: Annotated[
        list[Path],
        typer.Argument(
            help="CSV, JSON, JSON lines, Parquet, NumPy .npy, text or images; - for standard input.",
            metavar="FILE|-",
        ),
    ],
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="A JSON object a line, with the fields that the input had beside its data."
        ),
    ] = False,
    top_k: Annotated[
        int | None, typer.Option(min=1, help="How many labels to show, best first; by default one.")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="How many to predict at a time.")] = 16,
    device: Annotated[str | None, typer.Option(help="Such as cpu or cuda:0; by default the best.")] = None,
    file_format: Annotated[FileFormat | None, typer.Option("--format", help=FORMAT_HELP)] = None,
    columns: Annotated[str | None, typer.Option(help=COLUMNS_HELP)] = None,
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit on the Hub.")] = None,
) -> None:
    """Predict: labels of sequences, texts, images, tokens or segments, forecasts, or features of nodes.

    A table holds a node of a sequence a row, and a column "id" tells sequences apart; or a text a row. JSON lines
    hold a sequence or a text each.

    Example: chainhead predict chainhead-japanese-vowels recordings.csv --top-k 3
    """
    check_files(files)
    with reported_errors():
        from .find_model import find_model

        model = find_model(name, revision)
        if top_k is not None and model.task not in CLASSIFICATION:
            raise typer.BadParameter(f"has no effect on {model.task}", param_hint="--top-k")
        pipe = load_pipeline(model, device)
        records = read_files(pipe, model.task, files, file_format, columns, model.folder)
        results = _run(pipe, model.task, [record.data for record in records], top_k, batch_size)
        lines = [_line(record, model.task, result) for record, result in zip(records, results, strict=True)]
        if as_json:
            for line in lines:
                typer.echo(json.dumps(line, default=float, ensure_ascii=False, allow_nan=False))
        else:
            console().print(_table(records, model.task, results))


def _run(pipe: Any, task: str, data: list[Any], top_k: int | None, batch_size: int) -> list[Any]:
    options: dict[str, Any] = {"batch_size": batch_size}
    if task in CLASSIFICATION:
        config = pipe.model.config
        regression = config.problem_type == "regression" or config.num_labels == 1
        options["top_k"] = top_k or (config.num_labels if regression else 1)
    if task == "time-series-segmentation":
        options["aggregation_strategy"] = "simple"
    if task not in (*TEXT, "image-classification"):
        options["batched"] = True
    return list(pipe(data, **options))


def _line(record: Record, task: str, result: Any) -> dict[str, Any]:
    """Return a result as JSON has it, beside the record's own fields."""
    if task == "time-series-forecasting":
        shown = dict(result)
    else:
        shown = {_RESULTS[task]: result}
    if clash := sorted(shown.keys() & record.fields.keys()):
        raise ValueError(f"the input has fields named {', '.join(clash)}, as the result has: rename them")
    return record.fields | shown


def _table(records: Sequence[Record], task: str, results: Sequence[Any]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("input", *_headings(task, results)):
        numeric = heading not in ("input", "label", "entity", "text")
        table.add_column(heading, justify="right" if numeric else "left", overflow="fold")
    for number, (record, result) in enumerate(zip(records, results, strict=True), start=1):
        named = [str(record.fields[key]) for key in ("file", "id") if key in record.fields]
        first = " ".join(named) or (f"{record.data:.60}" if isinstance(record.data, str) else str(number))
        for row in _rows(task, record, result):
            table.add_row(first, *row)
            first = ""
        if first:
            table.add_row(first)
    return table


def _headings(task: str, results: Sequence[Any]) -> list[str]:
    if task in CLASSIFICATION:
        return ["label", "score"]
    if task == "token-classification":
        return ["text", "entity", "score", "from", "to"]
    if task == "time-series-segmentation":
        return ["label", "score", "from", "to"]
    if task == "chain-feature-extraction":
        return ["nodes", "features"]
    levels = [f"{level:g}" for level in results[0].get("quantiles", {})]
    targets = len(results[0]["forecast"][0]) if isinstance(results[0]["forecast"][0], list) else 1
    names = ["forecast", *(f"quantile {level}" for level in levels)]
    if targets == 1:
        return ["step", *names]
    return ["step", *(f"{name}, target {target}" for target in range(1, targets + 1) for name in names)]


def _rows(task: str, record: Record, result: Any) -> Iterable[list[str]]:
    if task in CLASSIFICATION:
        return [[answer["label"], f"{answer['score']:.4g}"] for answer in result]
    if task == "token-classification":
        return [
            [
                record.data[entity["start"] : entity["end"]],
                entity.get("entity", entity.get("entity_group")),
                f"{entity['score']:.4g}",
                str(entity["start"]),
                str(entity["end"]),
            ]
            for entity in result
        ]
    if task == "time-series-segmentation":
        return [
            [segment["label"], f"{segment['score']:.4g}", str(segment["start"]), str(segment["end"])]
            for segment in result
        ]
    if task == "chain-feature-extraction":
        return [[str(len(result)), f"{len(result[0])}, with --json"]]
    # A column of numbers each, for every step; [targets] of them where there are several.
    columns = [result["forecast"], *result.get("quantiles", {}).values()]
    rows = []
    for step, values in enumerate(zip(*columns, strict=True), start=1):
        several = zip(*values, strict=True) if isinstance(values[0], list) else [values]
        rows.append([str(step), *(f"{value:.5g}" for target in several for value in target)])
    return rows
