"""`chainhead evaluate`: a model's scores on labelled files, or on the test part of its recipe."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.screen import console, foreign_table, printable

from ..checks.places import check_file_place, check_is_no_input
from .files.inputs import check_files, wanted_of
from .files.options import UNSAID, FileOptions, takes_file_options
from .screen import say, say_json, wrong
from .support import NAME_HELP, complete_sources, reported_errors

if TYPE_CHECKING:
    from rich.table import Table

    from ..recipes.metrics.metric import Metric

# Confusion matrices with more labels than this are only shown in pictures and JSON.
_SHOWN = 20
_PICTURES = (".png", ".svg", ".pdf")


@takes_file_options
def evaluate(
    name: Annotated[str, typer.Argument(help=NAME_HELP, autocompletion=complete_sources)],
    data: Annotated[
        list[Path] | None,
        typer.Option(
            "--data",
            metavar="FILE",
            help="New labelled files, a folder or a pattern of them; by default the test part of the model's recipe.",
        ),
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="Recipe whose test part to take; by default the model's own.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON object.")] = False,
    picture: Annotated[
        Path | None,
        typer.Option(help="Draw the confusion matrix into this file: .png, .svg or .pdf. Needs matplotlib."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the picture.")] = False,
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit on the Hub.")] = None,
    files_as: FileOptions = UNSAID,
) -> None:
    """Evaluate a model on new labelled files, or on the test part of its recipe next to what its card states.

    Columns are found by the names that they had in training. For labels it shows accuracy, balanced accuracy, macro F1,
    log loss and AUC, a table of true and predicted labels, and the number of examples of each label; for regressions
    RMSE, MAE and R²; for forecasts errors, MASE and the coverage of quantiles, from every step with enough values
    before and after it. Needs the extra "train".

    Example: chainhead evaluate ./my-model --data new.csv --picture confusion.png
    """
    if picture is None and overwrite:
        raise wrong("has no effect without --picture", "--overwrite")
    if picture is not None and picture.suffix.lower() not in _PICTURES:
        raise wrong(f"expected a name that ends in {', '.join(_PICTURES)}, got {picture}", "--picture")
    if data:
        if recipe is not None:
            raise wrong("and --data contradict each other: give one of them", "--recipe")
        check_files(data)
    elif unused := [*files_as.given(), *(["--revision"] if revision is not None else [])]:
        raise wrong("has no effect without --data", unused[0])
    with reported_errors("a confusion matrix"):
        if picture is not None:
            check_is_no_input(picture, data or [])
            _check_picture(picture, overwrite)
        if data:
            _on_files(name, data, revision, files_as, as_json, picture)
        else:
            _on_recipe(name, recipe, as_json, picture)


def _check_picture(picture: Path, overwrite: bool) -> None:
    """Check, before anything is computed, that the picture can be drawn into this file."""
    import matplotlib.figure  # noqa: F401

    check_file_place(picture)
    if picture.exists() and not overwrite:
        raise ValueError(f"{picture} is there already: choose another name, or replace it with --overwrite")


def _on_files(
    name: str,
    data: Sequence[Path],
    revision: str | None,
    files_as: FileOptions,
    as_json: bool,
    picture: Path | None,
) -> None:
    from ..answering.find_model import find_model
    from ..answering.pipeline import load_pipeline

    model = find_model(name, revision)
    pipe = load_pipeline(model, "cpu")
    wanted = wanted_of(pipe, model.answers, files_as)
    with console(stderr=True).status(f"Evaluating {model.name}"):
        from ..recipes.results.new_data import evaluate_on

        found = evaluate_on(
            [str(file) for file in data],
            pipe.model,
            model.folder,
            model.task,
            schema=wanted.schema,
            spec=wanted.spec,
            reading=wanted.reading,
        )
    told = found.to_dict()
    if picture is not None:
        _draw(found.confusion, picture, model.name)
    if as_json:
        say_json({"model": name, **told})
        return
    say(found.said)
    rows = [[metric.title, _shown(metric, found.values)] for metric in found.metrics]
    say(f"{model.name} on {found.examples:,} example{'s' if found.examples > 1 else ''}:")
    console().print(_table(["", ""], rows))
    _show_labels(told)
    if "series" in told:
        body = []
        for part in told["series"]:
            title = ", ".join(filter(None, (part["series"], part["target"])))
            body.append([title, *(_shown(metric, part) for metric in found.metrics)])
        console().print(_table(["series", *(metric.title for metric in found.metrics)], body))
    _say_undefined(found.metrics, found.values, told.get("labels", []))
    if picture is not None:
        say(f"confusion matrix: {picture}")


def _on_recipe(name: str, recipe: str | None, as_json: bool, picture: Path | None) -> None:
    from ..estimators.tables.output import PLAN, RESULTS
    from ..recipes.recipe_files import load_recipe

    given = None if recipe is None else load_recipe(recipe)
    if not Path(name).is_dir():
        from ..answering.find_model import zoo_model

        if "/" in name:
            raise ValueError(
                f"there is no folder {name}: give a model of the zoo or a folder that chainhead train wrote; a model "
                f"on the Hub comes without its data: chainhead evaluate {name} --data FILE"
            )
        zoo_model(name)
    elif (Path(name) / PLAN).is_file():
        raise ValueError(
            f"{name} was trained on a table, without a recipe: its scores are in {Path(name) / RESULTS}; for scores on "
            f"other labelled series: chainhead evaluate {name} --data FILE"
        )
    with console(stderr=True).status(f"Evaluating {name}"):
        from transformers.utils import logging

        from ..recipes.results.evaluation import evaluate as run

        logging.disable_progress_bar()
        found = run(name, given, with_confusion=as_json or picture is not None)
    if picture is not None:
        _draw(found.confusion, picture, name)
    if as_json:
        say_json({"model": name, **found.to_dict()})
        return
    told_line = ", ".join(
        f"{metric.title} {_shown(metric, found.values, percent='%')}" for metric in found.metrics
    )
    stated = ", ".join(
        _shown(metric, found.stated, percent="%") for metric in found.metrics if metric.name in found.stated
    )
    stated = f"; stated: {stated}" if stated else ""
    say(f"{name}: {told_line} on {found.examples:,} test examples{stated}")


def _shown(metric: Metric, values: Mapping[str, float | None], *, percent: str = " %") -> str:
    value = values[metric.name]
    text = metric.text(value, finer=True)
    is_defined = value is not None and not math.isnan(value)
    return text + percent if metric.percent and is_defined else text


def _draw(confusion: Mapping[str, Any] | None, picture: Path, name: str) -> None:
    if confusion is None:
        raise ValueError(
            f"a confusion matrix needs a single label for each example, which {name} does not give: leave --picture out"
        )
    from ..recipes.results.confusion_picture import draw_confusion

    draw_confusion(confusion["counts"], [label["name"] for label in confusion["labels"]], picture)


def _show_labels(told: Mapping[str, Any]) -> None:
    labels: Sequence[Mapping[str, Any]] = told.get("labels", [])
    if not labels:
        return
    shares = [share for share in ("precision", "recall", "f1", "auc") if share in labels[0]]
    rows = [
        [label["name"], f"{label['count']:,}", *(_share(label[share]) for share in shares)]
        for label in labels
    ]
    console().print(_table(["label", "count", *shares], rows))
    counts = told.get("confusion", [])
    if counts and len(labels) <= _SHOWN:
        names = [label["name"] for label in labels]
        rows = [[name, *(f"{count:,}" for count in row)] for name, row in zip(names, counts, strict=True)]
        say("Rows are true labels, columns predicted labels:")
        console().print(_table(["", *names], rows))


def _share(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.4f}"


def _say_undefined(
    metrics: Sequence[Metric], values: Mapping[str, float], labels: Sequence[Mapping[str, Any]]
) -> None:
    undefined = [metric.title for metric in metrics if math.isnan(values[metric.name])]
    missing = [label["name"] for label in labels if label["count"] == 0]
    if undefined and missing:
        labels_told = printable(", ".join(missing), one_line=True)
        say(f"{', '.join(undefined)} not defined: no example has the label {labels_told}")


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    from rich.box import SIMPLE_HEAD

    table = foreign_table(box=SIMPLE_HEAD, pad_edge=False, show_header=any(headings))
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table
