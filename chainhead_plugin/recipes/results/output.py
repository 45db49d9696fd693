"""Write the results of a recipe into a folder: a checkpoint that `from_pretrained` loads, with its card."""

import json
import logging
from pathlib import Path
from typing import Any

from transformers import PreTrainedConfig

from ...checks.places import check_folder_place
from ...head.chain_head import ChainInterdependenceHead
from ...storage.hashing import sha256
from ...storage.quiet import quiet_transformers
from ...storage.whole_files import whole_file
from ..errors import RecipeError
from ..recipe import Recipe
from ..recipe_files import recipe_text
from ..training.measuring import Measured
from ..training.records import read_record, write_record
from .card import render_card
from .figures import draw_chain_matrix, draw_comparison, draw_learning_curve
from .stream_picture import draw_stream

RESULTS, RECIPE, RUNS = "results.json", "recipe.yaml", ".runs"
CARD, NEW_CARD = "README.md", "README.new.md"

_LOG = logging.getLogger(__name__)


def check_output(folder: Path) -> None:
    """Check, before anything is read or trained, that a recipe's output can be written into a folder.

    Whether the folder holds runs of another recipe or of other data is checked by `Runs`, with the data.

    Raises
    ------
    RecipeError
        If the folder is a file or below a file, holds files that were not written for a recipe, or is not writable.
    """
    try:
        check_folder_place(folder)
    except ValueError as error:
        raise RecipeError(str(error)) from error
    if folder.is_dir() and any(folder.iterdir()) and not (folder / RUNS).is_dir():
        raise RecipeError(
            f"{folder} is not empty, and was not written by this command: choose another --output"
        )


def write_output(recipe: Recipe, measured: Measured, folder: Path) -> None:
    """Write model, preprocessing, results, pictures, card and recipe. The folder can be pushed as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    config = save_checkpoint(recipe, measured, folder)
    write_json(folder / RESULTS, measured.results)
    draw_model(recipe, measured, f"{folder}/")
    recipe.task.draw(recipe, measured, f"{folder}/")
    if len(measured.report.models) > 1:
        draw_comparison(measured.report, folder / "comparison.png", recipe.card.get("unit"))
    _write_card(folder, render_card(recipe, measured.report, config.to_dict()))
    _write_text(folder / RECIPE, recipe_text(recipe, full_paths=False))
    # Hidden files stay where they are when a folder is pushed.
    _write_text(folder / RUNS / RECIPE, recipe_text(recipe, full_paths=True))


def _write_card(folder: Path, card: str) -> None:
    """Write the card; beside a card that somebody has edited, it gets another name, and a warning is logged."""
    place, mark = folder / CARD, folder / RUNS / "cards.json"
    ours = (read_record(mark, {"sha256": list}) or {"sha256": []})["sha256"]
    if place.is_file() and sha256(place) not in ours:
        place = folder / NEW_CARD
        _LOG.warning("%s was edited, and stays; the new card is %s", folder / CARD, place)
    # Written before the card, so that after an interruption the old card is still known as unedited.
    write_record(mark, {"sha256": [*ours, sha256(card.encode())]})
    _write_text(place, card)


def _write_text(file: Path, text: str) -> None:
    with whole_file(file) as new:
        new.write_text(text, encoding="utf-8", newline="")


def save_checkpoint(recipe: Recipe, measured: Measured, folder: Path) -> PreTrainedConfig:
    """Save the model and its preprocessing, as `from_pretrained` reads them; return the configuration."""
    model: Any = measured.model
    if not recipe.is_random_chain:
        # The Trainer leaves `use_cache` in the configuration, which means nothing here.
        config = measured.inputs.config(recipe, measured.data.train.names)
        # Calibration comes after training, so its offsets are not in the configuration of the recipe.
        config.quantile_offsets = list(model.config.quantile_offsets)
        model.config = config
    with quiet_transformers():
        model.save_pretrained(folder)
    if measured.inputs.preprocessor is not None:
        measured.inputs.preprocessor.save_pretrained(folder)
    return model.config


def draw_model(recipe: Recipe, measured: Measured, prefix: str) -> None:
    """Draw the learning curve and the chain matrix of the model, into files whose paths begin with a prefix.

    Random chain heads have no epochs and many matrices: the picture shows how their answers change along a series.
    """
    if recipe.is_random_chain:
        draw_stream(measured.model, measured.inputs, measured.data.test, Path(f"{prefix}stream.png"))
        return
    draw_learning_curve(measured.report.history, recipe.task, Path(f"{prefix}learning-curve.png"))
    draw_chain_matrix(_first_head(measured), Path(f"{prefix}chain-matrix.png"))


def _first_head(measured: Measured) -> ChainInterdependenceHead:
    """Return the chain head of the model's first layer."""
    model: Any = measured.model
    head: ChainInterdependenceHead = model.chainhead.layers[0].head
    return head


def write_json(file: Path, content: Any) -> None:
    """Write JSON for people to read."""
    _write_text(file, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
