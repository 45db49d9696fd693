"""`chainhead train` for a table, which needs neither a recipe nor an option."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, cast

from registry.screen import console

from .files.options import listed_names
from .screen import say, wrong

if TYPE_CHECKING:
    from ..estimators.ahead.training import TrainedForecaster
    from ..estimators.tables.training import TrainedOnTable
    from .files.options import FileOptions


# Options that have no effect here: only recipes for forecasts use static features and features of the calendar.
_WITHOUT_EFFECT = {"--static", "--calendar"}


def is_table(source: str) -> bool:
    """Return whether a source is a table, a folder or pattern of tables, or a plan for a table, and not a recipe."""
    path = Path(source)
    name = path.name.lower()
    if any(sign in name for sign in "*?[") or path.is_dir():
        return True
    if name.endswith((".yaml", ".yml")):
        from ..estimators.tables.plan import is_plan

        return is_plan(path)
    from ..tables.formats.names import FORMATS

    # For a file with an unknown ending, the reader of tables raises an error that lists the known endings.
    return (path.is_file() and bool(path.suffix)) or any(ending in FORMATS for ending in path.suffixes[-2:])


def train_table(source: str, output: Path | None, files_as: FileOptions, options: Mapping[str, Any]) -> None:
    """Train the default model on a table, print what was guessed and chosen, and write the model's folder.

    Parameters
    ----------
    source : str
        A table, a folder or a pattern of tables, or a plan.
    output : Path, optional
        The folder to write.
    files_as : FileOptions
        How the table is written, and what its columns mean.
    options : mapping
        Fields of a `TablePlan`; for forecasts also "target" and "horizon".
    """
    target, horizon = options.get("target"), options.get("horizon")
    given = {name: value for name, value in options.items() if value is not None}
    with console(stderr=True).status("Importing torch and transformers"):
        from transformers.utils import logging

        from ..estimators.tables.output import LOCK, PLAN, check_folder, write_folder
        from ..estimators.tables.plan import TablePlan, is_plan, load_plan
        from ..estimators.tables.training import train_on_table
        from ..storage.reserved_folder import FolderInUseError, reserved
    logging.disable_progress_bar()
    path = Path(source)
    if is_plan(path):
        if files_as.given() or given:
            raise wrong(f"options have no effect on {source}: change the file instead")
        plan = load_plan(path)
        folder = output or (path.parent if path.name == PLAN else Path(path.stem))
    else:
        if files_as.known is not None and files_as.label is not None:
            raise wrong("has no effect on series with labels, which take features alone", "--known")
        for option in files_as.given().keys() & _WITHOUT_EFFECT:
            raise wrong("has no effect on the default model, which takes features alone", option)
        minutes = given.pop("minutes", None)
        given = {name: value for name, value in given.items() if name not in ("target", "horizon")}
        chosen = {} if minutes is None else {"seconds": 60 * minutes}
        table = files_as.spec()
        if target is not None:
            table = replace(table, target=listed_names(target))
        if horizon is not None:
            chosen["horizon"] = horizon
        of_forecasts = {"--target": target, "--horizon": horizon, "--known": files_as.given().get("--known")}
        for option in (name for name, value in of_forecasts.items() if value is not None):
            if given.setdefault("task", "forecasting") != "forecasting":
                raise wrong(f"has no effect on {given['task']}", option)
        plan = TablePlan(data=path, table=table, reading=files_as.reading(), options=chosen, **given)
        folder = output or Path(path.name.partition(".")[0] or "model")
    if path.is_dir() and (path / PLAN).is_file():
        raise ValueError(
            f"{path} is a model that this command wrote, not a table: to train it again, chainhead train {path / PLAN}"
        )
    check_folder(folder)
    try:
        with reserved(folder, LOCK):
            with console(stderr=True).status("Training"):
                trained = train_on_table(plan)
            write_folder(trained, folder)
    except FolderInUseError as error:
        raise ValueError(
            f"another process is training in {folder}: wait until it has finished, or choose another --output"
        ) from error
    for line in trained.said:
        say(line)
    if trained.plan.task == "forecasting":
        _tell_forecaster(cast("TrainedForecaster", trained))
    else:
        _tell(cast("TrainedOnTable", trained))
    name = quote(str(folder))
    say(f"{folder}: predict with chainhead predict {name} FILE; to choose otherwise, edit {folder / PLAN}")


def _tell_forecaster(trained: TrainedForecaster) -> None:
    from ..estimators.ahead.output import chosen_text, score_text
    from ..forecasts.metrics import TITLES

    say(f"model: one linear map of the past, {trained.seconds:.1f} s: {chosen_text(trained)}")
    if trained.scores:
        told = ", ".join(
            f"{TITLES[name]} {score_text(name, value)}" for name, value in trained.scores.items()
        )
        say(f"test: {told} (forecasts: {trained.origins:,})")
    else:
        say(
            "test: none; give --test-share 0.2 for scores on the last fifth of the time, or --test with a later file"
        )


def _tell(trained: TrainedOnTable) -> None:
    from ..estimators.tables.output import score_name, told_scores

    name = score_name(trained)
    say(
        f"model: {trained.estimator.chosen_}, {trained.seconds:.1f} s; {name} of training series that it was not "
        f"fitted to: {trained.left_out:.4f}"
    )
    if trained.plan.task == "classification":
        say(f"why: {trained.estimator.reason_}")
    if trained.scores:
        told = ", ".join(f"{name} {value}" for name, value in told_scores(trained.scores).items())
        say(f"test: {told} on {trained.test} series")
    else:
        say(
            "test: none; give --test FILE or --test-share 0.2 for scores on series that no choice was made by"
        )
