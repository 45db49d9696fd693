"""`chainhead predict`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .answers import CLASSIFICATION, cells_of, line_of, rows_of
from .inputs import (
    TEXT,
    ColumnsOption,
    DayFirstOption,
    EncodingOption,
    FormatOption,
    GapsOption,
    HeaderOption,
    SeparatorOption,
    SeriesOption,
    TimeOption,
    check_files,
    read_files,
    wanted_of,
)
from .pipeline import load_pipeline
from .support import NAME_HELP, complete_sources, console, reported_errors

if TYPE_CHECKING:
    from rich.table import Table

    from .records import Record

# Records that are read and predicted before their answers are written.
_CHUNK = 512


def predict(
    name: Annotated[str, typer.Argument(help=NAME_HELP, autocompletion=complete_sources)],
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Tables, series files, texts or images, folders of them, or patterns; - for standard input.",
            metavar="FILE|-",
        ),
    ],
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="A JSON object a line, with the fields that the input had beside its data."
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write a table (.csv, .parquet) or JSON lines (.jsonl) instead."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output.")] = False,
    top_k: Annotated[
        int | None, typer.Option(min=1, help="How many labels to show, best first; by default one.")
    ] = None,
    horizon: Annotated[
        int | None, typer.Option(min=1, help="How many of a forecast's steps to show; by default all.")
    ] = None,
    quantiles: Annotated[
        str | None, typer.Option(help="Which of a forecast's quantiles to show: 0.1,0.9; by default all.")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="How many to predict at a time.")] = 16,
    device: Annotated[str | None, typer.Option(help="Such as cpu or cuda:0; by default the best.")] = None,
    file_format: FormatOption = None,
    header: HeaderOption = None,
    separator: SeparatorOption = None,
    encoding: EncodingOption = None,
    columns: ColumnsOption = None,
    series: SeriesOption = None,
    time: TimeOption = None,
    day_first: DayFirstOption = None,
    gaps: GapsOption = None,
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit on the Hub.")] = None,
) -> None:
    """Predict: labels of sequences, texts, images, tokens or segments, forecasts, or features of nodes.

    A table holds a node of a sequence a row, and a column such as "id" tells sequences apart; or a text a row. A model
    that was trained on a table finds its columns by name. JSON lines hold a sequence or a text each.

    Example: chainhead predict chainhead-japanese-vowels recordings.csv --top-k 3
    """
    check_files(files)
    if output is not None and as_json:
        raise typer.BadParameter("has no effect with --output: name it .jsonl", param_hint="--json")
    if output is None and overwrite:
        raise typer.BadParameter("has no effect without --output", param_hint="--overwrite")
    with reported_errors():
        from ..tables.write import check_target, to_plain, write_rows
        from .find_model import find_model

        if output is not None:
            check_target(output, overwrite=overwrite)
        model = find_model(name, revision)
        given = _options(model.task, top_k, horizon, quantiles)
        pipe = load_pipeline(model, device)
        wanted = wanted_of(
            pipe,
            model.task,
            file_format=file_format,
            header=header,
            separator=separator,
            encoding=encoding,
            columns=columns,
            series=series,
            time=time,
            day_first=day_first,
            gaps=gaps,
        )
        records = read_files(files, wanted)
        options = _run_options(pipe, model.task, batch_size) | given
        if output is None:
            found = list(records)
            results = list(pipe([record.data for record in found], **options))
            answers = [
                line_of(record, model.task, result) for record, result in zip(found, results, strict=True)
            ]
            if as_json:
                for answer in answers:
                    typer.echo(json.dumps(to_plain(answer), ensure_ascii=False, allow_nan=False))
            else:
                console().print(_table(found, model.task, results))
            return
        as_rows = output.suffix.lower() != ".jsonl"
        count = write_rows(
            output, _written(pipe, model.task, records, options, as_rows=as_rows), overwrite=overwrite
        )
        typer.echo(f"{output}: {count:,} rows")


def _options(task: str, top_k: int | None, horizon: int | None, quantiles: str | None) -> dict[str, Any]:
    """Return the options that were given, where they have an effect."""
    given: dict[str, Any] = {}
    if top_k is not None:
        if task not in CLASSIFICATION:
            raise typer.BadParameter(f"has no effect on {task}", param_hint="--top-k")
        given["top_k"] = top_k
    of_forecasts = {"--horizon": horizon, "--quantiles": quantiles}
    if task != "time-series-forecasting":
        for option, value in of_forecasts.items():
            if value is not None:
                raise typer.BadParameter(f"has no effect on {task}", param_hint=option)
    if horizon is not None:
        given["prediction_length"] = horizon
    if quantiles is not None:
        try:
            given["quantiles"] = [float(level) for level in quantiles.split(",")]
        except ValueError:
            raise typer.BadParameter(
                f"expected numbers such as 0.1,0.9, got {quantiles}", param_hint="--quantiles"
            ) from None
    return given


def _run_options(pipe: Any, task: str, batch_size: int) -> dict[str, Any]:
    options: dict[str, Any] = {"batch_size": batch_size}
    if task in CLASSIFICATION:
        config = pipe.model.config
        regression = config.problem_type == "regression" or config.num_labels == 1
        options["top_k"] = config.num_labels if regression else 1
    if task == "time-series-segmentation":
        options["aggregation_strategy"] = "simple"
    if task not in (*TEXT, "image-classification"):
        options["batched"] = True
    return options


def _written(
    pipe: Any, task: str, records: Iterator[Record], options: dict[str, Any], *, as_rows: bool
) -> Iterable[dict[str, Any]]:
    """Yield what is written for all records, as they are read."""
    while chunk := list(islice(records, _CHUNK)):
        results = pipe([record.data for record in chunk], **options)
        for record, result in zip(chunk, results, strict=True):
            if as_rows:
                yield from rows_of(record, task, result)
            else:
                yield line_of(record, task, result)


def _table(records: Sequence[Record], task: str, results: Sequence[Any]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    if task == "chain-feature-extraction":
        rows = [[{"nodes": len(result), "features": f"{len(result[0])}, with --json"}] for result in results]
    else:
        rows = [cells_of(record, task, result) for record, result in zip(records, results, strict=True)]
    headings = list(dict.fromkeys(heading for cells in rows for row in cells for heading in row))
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("input", *headings):
        numeric = heading not in ("input", "label", "entity", "text", "time")
        table.add_column(heading, justify="right" if numeric else "left", overflow="fold")
    for number, (record, cells) in enumerate(zip(records, rows, strict=True), start=1):
        first = record.name or (f"{record.data:.60}" if isinstance(record.data, str) else str(number))
        for row in cells:
            table.add_row(first, *(_shown(heading, row.get(heading, "")) for heading in headings))
            first = ""
        if first:
            table.add_row(first)
    return table


def _shown(heading: str, value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.4g}" if heading == "score" else f"{value:.5g}"
