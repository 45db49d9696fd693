"""`chainhead predict`: predictions for tables, series, texts and images in files."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.screen import console, foreign_table

from ..checks.places import check_is_no_input
from .files.inputs import check_files, read_files, wanted_of
from .files.options import UNSAID, FileOptions, takes_file_options
from .on_ray import AddressOption, Engine, OnError, check_engine, check_folder, predict_on_ray
from .screen import say, say_json, wrong
from .support import NAME_HELP, complete_sources, reported_errors

if TYPE_CHECKING:
    from rich.table import Table

    from ..answering.answers import Answers
    from ..answering.wanted import Record

# The most records, and the most numbers in them, that are read before their predictions are written.
_MOST_RECORDS, _MOST_NUMBERS = 512, 1 << 17


@takes_file_options
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
        typer.Option("--json", help="Show a JSON object a line, with the other fields of the input."),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write a table (.csv, .tsv, .xlsx, .parquet) or JSON lines (.jsonl) instead of showing one.",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output.")] = False,
    top_k: Annotated[
        int | None, typer.Option(min=1, help="How many labels to show, best first; by default 1.")
    ] = None,
    horizon: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Steps to forecast; by default as many as the model's. For more, it goes on from its own forecasts.",
        ),
    ] = None,
    quantiles: Annotated[
        str | None, typer.Option(help="Which of a forecast's quantiles to show: 0.1,0.9; by default all.")
    ] = None,
    update_bands: Annotated[
        bool | None,
        typer.Option(
            "--update-bands/--no-update-bands",
            help="Adjust the quantiles of the default forecaster to its errors on steps after its training, matched by "
            "time; by default so.",
            show_default=False,
        ),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="How many inputs to predict at a time.")] = 16,
    device: Annotated[
        str | None, typer.Option(help="Device, such as cpu or cuda:0; by default the fastest.")
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit on the Hub.")] = None,
    engine: Annotated[
        Engine | None,
        typer.Option(
            help="Predict on Ray, with several workers and machines; the output is then a folder of parts."
        ),
    ] = None,
    address: AddressOption = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="How many copies of the model Ray runs; by default one a processor."),
    ] = None,
    on_error: Annotated[
        OnError | None,
        typer.Option(
            help="On Ray: keep the reason for an input without an answer in a column, or raise it; by default keep."
        ),
    ] = None,
    files_as: FileOptions = UNSAID,
) -> None:
    """Predict: labels of sequences, texts, images, tokens or segments, forecasts, or features of nodes.

    Each row of a table is a node of a sequence, and a column such as "id" tells sequences apart; or each row is a text.
    A model that was trained on a table finds its columns by name. In JSON lines, each line is a sequence or a text.

    Example: chainhead predict chainhead-japanese-vowels recordings.csv --top-k 3

    Example: chainhead predict chainhead-sentiment 'texts/*.csv' --engine ray --output answers.parquet
    """
    check_files(files)
    check_engine(engine, {"--address": address, "--workers": workers, "--on-error": on_error})
    if output is not None and as_json:
        raise wrong("has no effect with --output: name it .jsonl", "--json")
    if output is None and overwrite:
        raise wrong("has no effect without --output", "--overwrite")
    with reported_errors():
        from ..answering.find_model import find_model
        from ..answering.pipeline import answering, load_pipeline
        from ..answering.results import line_of
        from ..answering.rows_before import told_rows_before
        from ..answering.wanted import MEDIA
        from ..tables.write import check_target, to_plain, write_rows

        if engine is not None:
            folder = check_folder(output, files)
        elif output is not None:
            check_target(output, overwrite=overwrite)
        model = find_model(name, revision)
        answers = model.answers
        if engine is None and output is not None:
            # A table in a folder of images is none of its inputs.
            check_is_no_input(
                output, (one for one in files if answers.reads not in MEDIA or not one.is_dir())
            )
        given = _options(answers, top_k, horizon, quantiles, update_bands)
        pipe = load_pipeline(model, device)
        wanted = wanted_of(pipe, answers, files_as)
        if wanted.horizon is not None:
            wanted = replace(wanted, horizon=pipe.steps_of(given))
        follows = wanted.horizon is not None and pipe.follows(given)
        if engine is not None:
            from ..answering.jobs import AnsweringWork

            if follows:
                if update_bands:
                    raise wrong(
                        "has no effect on Ray, whose workers see parts of the input", "--update-bands"
                    )
                given["update_bands"] = False
            work = AnsweringWork.of_model(
                model,
                name,
                files,
                revision=revision,
                device=device,
                wanted=wanted,
                call=given,
                as_lines=folder.suffix.lower() == ".jsonl",
            )
            predict_on_ray(work, folder, batch_size, address, workers, on_error, overwrite=overwrite)
            return
        records = read_files(files, wanted)
        options = {"batch_size": batch_size} | answers.run_options(pipe) | given
        if output is None:
            found = list(records)
            with answering(model):
                results = list(pipe([record.data for record in found], **options))
            lines = [line_of(answers, record, result) for record, result in zip(found, results, strict=True)]
            if as_json:
                for line in lines:
                    say_json(to_plain(line))
            else:
                console().print(_table(found, answers, results))
                sentences = [
                    tell(result) for tell in (answers.left_out, answers.adjusted) for result in results
                ]
                sentences += map(told_rows_before, found, results)
                for sentence in dict.fromkeys(filter(None, sentences)):
                    say(sentence)
            return
        as_rows = output.suffix.lower() != ".jsonl"
        # Bands follow the errors within all series together, so that these are predicted at once.
        chunks = iter([list(records)]) if follows else _chunks(records)
        told: set[str] = set()
        rows = _written(pipe, answers, chunks, options, told, as_rows=as_rows)
        with answering(model):
            count = write_rows(output, rows, overwrite=overwrite)
        say(f"{output}: {count:,} rows")
        for sentence in filter(None, told):
            say(sentence)


def _options(
    answers: Answers,
    top_k: int | None,
    horizon: int | None,
    quantiles: str | None,
    update_bands: bool | None,
) -> dict[str, Any]:
    """Return the given options under the pipeline's names, after checking that they have an effect for the task."""
    given = {
        "--top-k": top_k,
        "--horizon": horizon,
        "--quantiles": quantiles,
        "--update-bands": update_bands,
    }
    for option, value in given.items():
        if value is not None and option not in answers.options:
            raise wrong(f"has no effect on {answers.task}", option)
    levels = None
    if quantiles is not None:
        try:
            levels = [float(level) for level in quantiles.split(",")]
        except ValueError:
            raise wrong(f"expected numbers such as 0.1,0.9, got {quantiles}", "--quantiles") from None
    options = {
        "top_k": top_k,
        "prediction_length": horizon,
        "quantiles": levels,
        "update_bands": update_bands,
    }
    return {name: value for name, value in options.items() if value is not None}


def _written(
    pipe: Any,
    answers: Answers,
    chunks: Iterator[list[Record]],
    options: dict[str, Any],
    told: set[str],
    *,
    as_rows: bool,
) -> Iterable[dict[str, Any]]:
    """Yield the objects or rows to write, while records are read; sentences about the results are added to a set."""
    from ..answering.results import line_of, rows_of
    from ..answering.rows_before import told_rows_before

    while (chunk := next(chunks, None)) is not None:
        results = pipe([record.data for record in chunk], **options)
        # Records are let go of one by one, so that memory does not hold them while the next are read.
        answered = deque(zip(chunk, results, strict=True))
        del chunk, results
        while answered:
            record, result = answered.popleft()
            told |= {answers.adjusted(result), told_rows_before(record, result)}
            if as_rows:
                yield from rows_of(answers, record, result)
            else:
                yield line_of(answers, record, result)
            del record, result


def _chunks(records: Iterator[Record]) -> Iterator[list[Record]]:
    """Yield lists of a few records, or of a single long sequence, so that memory does not grow with their number."""
    chunk: list[Record] = []
    numbers = 0
    while (record := next(records, None)) is not None:
        chunk.append(record)
        numbers += getattr(getattr(record.data, "nodes", None), "size", 0)
        del record
        if len(chunk) == _MOST_RECORDS or numbers > _MOST_NUMBERS:
            full, chunk, numbers = [chunk], [], 0
            yield full.pop()
    if chunk:
        yield chunk


def _table(records: Sequence[Record], answers: Answers, results: Sequence[Any]) -> Table:
    from rich.box import SIMPLE_HEAD

    rows = [answers.shown_cells(record, result) for record, result in zip(records, results, strict=True)]
    headings = list(dict.fromkeys(heading for cells in rows for row in cells for heading in row))
    table = foreign_table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("input", *headings):
        numeric = heading not in ("input", "label", "entity", "text", "time")
        table.add_column(heading, justify="right" if numeric else "left", overflow="fold")
    for number, (record, cells) in enumerate(zip(records, rows, strict=True), start=1):
        first = record.name or (f"{record.data:.60}" if isinstance(record.data, str) else str(number))
        for row in cells:
            shown = (_shown(heading, row.get(heading, "")) for heading in headings)
            table.add_row(first, *shown)
            first = ""
        if first:
            table.add_row(first)
    return table


def _shown(heading: str, value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.4g}" if heading == "score" else f"{value:.5g}"
