"""Recipes as YAML: users' files, and those of the zoo, which ship with the package."""

import difflib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import yaml  # type: ignore[import-untyped]

from ..checks.yaml_files import read_yaml
from .errors import RecipeError
from .fields.random_chains import default_peers
from .recipe import Recipe
from .tasks.known import task_named

RECIPES = Path(__file__).parent / "zoo"

_REQUIRED = ("name", "task", "data", "model", "training")


def load_recipe(source: str | Path) -> Recipe:
    """Read a recipe.

    Parameters
    ----------
    source : str or Path
        A YAML file, or the name of a model of the zoo, whose recipe ships with the package.

    Returns
    -------
    Recipe

    Raises
    ------
    RecipeError
        If there is no such recipe, or it is not valid.
    """
    file = Path(source)
    if not file.is_file():
        file = RECIPES / f"{source}.yaml"
    if not file.is_file():
        if Path(source).suffix in (".yaml", ".yml"):
            raise RecipeError(f"there is no recipe {source}: expected the path of a YAML file that exists")
        known = shipped_recipes()
        close = difflib.get_close_matches(str(source), known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"expected a YAML file, or one of {', '.join(known)}"
        there = "" if Path(source).exists() else ", and no file or folder here"
        raise RecipeError(f"{str(source)!r} is no recipe{there}: {hint}")

    try:
        content = read_yaml(file)
    except ValueError as error:
        raise RecipeError(str(error)) from error
    if not isinstance(content, Mapping):
        raise RecipeError(f"{file} must hold a mapping with {', '.join(_REQUIRED)}")

    known_fields = [entry.name for entry in fields(Recipe) if entry.name != "folder"]
    for name in content:
        if name not in known_fields:
            close = difflib.get_close_matches(str(name), known_fields, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"expected {', '.join(known_fields)}"
            raise RecipeError(f"{file}: a recipe has no {name!r}: {hint}")
    if missing := [name for name in _REQUIRED if name not in content]:
        raise RecipeError(f"{file}: a recipe needs {' and '.join(missing)}")

    try:
        task = task_named(content["task"])
        peers = default_peers(task, content["model"], content.get("encoder"))
        return Recipe(**{"peers": peers, **content, "task": task}, folder=file.resolve().parent)
    except RecipeError as error:
        raise RecipeError(f"{file}: {error}") from error


def shipped_recipes() -> list[str]:
    """Return the names of the models whose recipes ship with the package."""
    return sorted(file.stem for file in RECIPES.glob("*.yaml"))


def recipe_text(recipe: Recipe, *, full_paths: bool) -> str:
    """Return a recipe as YAML, with the full paths of its files, or only their names, which reveal no machine."""
    content = {
        name: value for name, value in vars(recipe).items() if name != "folder" and value not in (None, {})
    }
    content["task"] = recipe.task.name
    if isinstance(recipe.data, Mapping):
        content["data"] = dict(recipe.data)
        for part in content["data"].keys() & {"train", "test"}:
            named = recipe.data[part]
            files = [recipe.folder / path for path in (named if isinstance(named, list) else [named])]
            shown = [str(file) if full_paths else file.name for file in files]
            content["data"][part] = shown if isinstance(named, list) else shown[0]
    if "folder" in recipe.encoder:
        folder = recipe.folder / recipe.encoder["folder"]
        content["encoder"] = {**recipe.encoder, "folder": str(folder) if full_paths else folder.name}
    text: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
    return text
