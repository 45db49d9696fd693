"""Write what a recipe gives into one folder: a checkpoint that `from_pretrained` loads, with its card."""

import json
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from ...config.configuration_chainhead import ChainHeadConfig
from ...head.chain_head import ChainInterdependenceHead
from ..errors import RecipeError
from ..recipe import Recipe, recipe_text
from ..training.measuring import Measured
from .card import render_card
from .figures import draw_chain_matrix, draw_comparison, draw_learning_curve

RESULTS, RECIPE, RUNS = "results.json", "recipe.yaml", ".runs"


def check_output(folder: Path) -> None:
    """Find out, before anything is read or trained, whether a recipe's output can go into a folder.

    That runs which it holds are of the same recipe and data, `Runs` finds out when it has read the data.

    Raises
    ------
    RecipeError
        If it is a file or below one, if it holds something that was not written for a recipe, or if no file can be
        made there.
    """
    place = folder
    while not place.exists():
        place = place.parent
    if not place.is_dir():
        raise RecipeError(f"cannot write {folder}: {'it' if place == folder else place} is a file")
    try:
        with TemporaryFile(dir=place):
            pass
    except OSError as error:
        raise RecipeError(f"cannot write {folder}: {place} takes no files: {error.strerror}") from error
    if place == folder and any(folder.iterdir()) and not (folder / RUNS).is_dir():
        raise RecipeError(f"{folder} is not empty and not written by this command: choose another --output")


def write_output(recipe: Recipe, measured: Measured, folder: Path) -> None:
    """Write model, preprocessing, results, pictures, card and recipe. The folder can be pushed as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    config = save_checkpoint(recipe, measured, folder)
    write_json(folder / RESULTS, measured.results)
    draw_learning_curve(measured.results["history"], recipe.task, folder / "learning-curve.png")
    draw_chain_matrix(first_head(measured), folder / "chain-matrix.png")
    recipe.task.draw(recipe, measured, f"{folder}/")
    if len(measured.results["models"]) > 1:
        draw_comparison(
            measured.results["models"], recipe.task, folder / "comparison.png", recipe.card.get("unit")
        )
    card = render_card(recipe, measured.results, config.to_dict())
    (folder / "README.md").write_text(card, encoding="utf-8")
    (folder / RECIPE).write_text(recipe_text(recipe, full_paths=False), encoding="utf-8")
    # Hidden files stay where they are when a folder is pushed.
    (folder / RUNS / RECIPE).write_text(recipe_text(recipe, full_paths=True), encoding="utf-8")


def save_checkpoint(recipe: Recipe, measured: Measured, folder: Path) -> ChainHeadConfig:
    """Save the model and its preprocessing, as `from_pretrained` reads them; return the configuration."""
    # The Trainer leaves `use_cache` in the configuration, which means nothing here.
    config = measured.inputs.config(recipe, measured.data.train.names)
    model: Any = measured.model
    model.config = config
    model.save_pretrained(folder)
    if measured.inputs.preprocessor is not None:
        measured.inputs.preprocessor.save_pretrained(folder)
    return config


def first_head(measured: Measured) -> ChainInterdependenceHead:
    """Return the chain head of the model's first layer."""
    model: Any = measured.model
    head: ChainInterdependenceHead = model.chainhead.layers[0].head
    return head


def write_json(file: Path, content: Any) -> None:
    """Write JSON for people to read."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    file.write_text(text + "\n", encoding="utf-8")
