"""`chainhead train` of a table: no recipe, no option that has to be given."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..tables.formats.files import FORMATS
from .screen import console, say, wrong

if TYPE_CHECKING:
    from ..estimators.table_training import TrainedOnTable
    from .files.options import FileOptions


# What series have beside their features.
_WITHOUT_EFFECT = {"--known", "--static", "--calendar"}


def is_table(source: str) -> bool:
    """Tell a table, a folder or pattern of tables, and a plan for one from a recipe."""
    path = Path(source)
    name = path.name.lower()
    if any(sign in name for sign in "*?[") or path.is_dir():
        return True
    if name.endswith((".yaml", ".yml")):
        from ..estimators.table_plan import is_plan

        return is_plan(path)
    # Of a file with another ending the reader of tables says which it knows.
    return (path.is_file() and bool(path.suffix)) or any(ending in FORMATS for ending in path.suffixes[-2:])


def train_table(source: str, output: Path | None, files_as: FileOptions, options: Mapping[str, Any]) -> None:
    """Train the default on a table, say what was guessed and chosen, and write the folder."""
    given = {name: value for name, value in options.items() if value is not None}
    with console(stderr=True).status("Importing torch and transformers"):
        from transformers.utils import logging

        from ..estimators.table_output import PLAN, check_folder, write_folder
        from ..estimators.table_plan import TablePlan, is_plan, load_plan
        from ..estimators.table_training import train_on_table
    logging.disable_progress_bar()
    path = Path(source)
    if is_plan(path):
        if files_as.given() or given:
            raise wrong(f"options have no effect on {source}: change the file instead")
        plan = load_plan(path)
        folder = output or (path.parent if path.name == PLAN else Path(path.stem))
    else:
        for option in files_as.given().keys() & _WITHOUT_EFFECT:
            raise wrong("has no effect on the default model, which takes features alone", option)
        minutes = given.pop("minutes", None)
        chosen = {} if minutes is None else {"seconds": 60 * minutes}
        plan = TablePlan(
            data=path, table=files_as.spec(), reading=files_as.reading(), options=chosen, **given
        )
        folder = output or Path(path.name.partition(".")[0] or "model")
    if path.is_dir() and (path / PLAN).is_file():
        raise ValueError(
            f"{path} is a model that this command wrote, not a table: to train it again, chainhead train {path / PLAN}"
        )
    check_folder(folder)
    with console(stderr=True).status("Training"):
        trained = train_on_table(plan)
    write_folder(trained, folder)
    _tell(trained, folder)


def _tell(trained: TrainedOnTable, folder: Path) -> None:
    from ..estimators.table_output import PLAN, score_name

    for line in trained.said:
        say(line)
    name = score_name(trained)
    say(
        f"model: {trained.estimator.chosen_}, {trained.seconds:.1f} s; {name} of training series that it was not "
        f"fitted to: {trained.left_out:.4f}"
    )
    if trained.plan.task == "classification":
        say(f"why: {trained.estimator.reason_}")
    if trained.scores:
        told = ", ".join(f"{key.replace('_', ' ')} {value:.4f}" for key, value in trained.scores.items())
        say(f"test: {told} on {trained.test} series")
    else:
        say(
            "test: none; give --test FILE or --test-share 0.2 for scores on series that nothing was chosen by"
        )
    say(f"{folder}: predict with chainhead predict {folder} FILE; to change what was chosen: {folder / PLAN}")
