"""Finds the model that a command names: in the zoo, in a folder or on the Hub."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from huggingface_hub.errors import LocalEntryNotFoundError, RepositoryNotFoundError

import registry
from registry import ModelEntry

from ..recipes.recipe_files import shipped_recipes
from ..tables.errors import closest
from .answers import Answers
from .by_task import answers_to, task_of_class

# Ends of the names of classes that pipelines run and commands do not, and the tasks of these pipelines.
_IN_PYTHON = {
    "ForAudioFrameClassification": "time-series-segmentation",
    "ForPrediction": "time-series-forecasting",
    "PatchTSTForClassification": "time-series-classification",
    "ForTimeSeriesClassification": "time-series-classification",
    "ForRegression": "time-series-classification",
}


class FoundModel(NamedTuple):
    """A model's name and folder. If it comes from the zoo or the Hub, all its files have been verified."""

    name: str
    folder: Path
    zoo_task: str | None = None

    @property
    def task(self) -> str:
        """The task of its pipeline; raises a ValueError if there is none."""
        return self.zoo_task or task_of(self.folder)

    @property
    def answers(self) -> Answers:
        """The behaviour of the command line for its task; raises a ValueError if there is none."""
        return answers_to(self.task, self.name)


def zoo_model(name: str) -> ModelEntry:
    """Return the zoo's entry of a model.

    Raises
    ------
    ValueError
        If there is no such model; the message suggests similar names. Also if only the model's recipe is part of the
        package, so that it has to be trained first.
    """
    if name in shipped_recipes() and name not in registry.list_models():
        raise ValueError(
            f"{name} is not shipped, as it is as large as its encoder: run `chainhead train {name}` and name the "
            f"folder that it writes (its card: chainhead card {name})"
        )
    if name not in registry.list_models():
        names = registry.list_models()
        raise ValueError(
            f"no model of the zoo and no folder here is named {name}{closest(name, names)}: chainhead list shows the "
            f"{len(names)} models of the zoo, and models on the Hub are named owner/name"
        )
    return registry.model_info(name)


def find_model(name: str, revision: str | None = None) -> FoundModel:
    """Find a model, and download it if it is on the Hub and not cached.

    Parameters
    ----------
    name : str
        A model of the zoo, a checkpoint's folder, or a repository on the Hub as ``"owner/name"``. They are tried in
        this order.
    revision : str, optional
        Branch, tag or commit on the Hub.

    Raises
    ------
    ValueError
        If there is no such folder or repository, the Hub cannot be reached, `revision` is given for a folder, or the
        model has to be trained first.
    registry.RegistryError, OSError
        As `registry.pull` raises them.
    """
    if name in registry.list_models():
        return FoundModel(name, registry.pull(name, revision), registry.model_info(name).task)
    if Path(name).is_dir():
        if revision is not None:
            raise ValueError(f"--revision has no effect on the folder {name}")
        return FoundModel(Path(name).resolve().name, Path(name))
    if "/" not in name:
        zoo_model(name)  # Raises an error that suggests similar names.
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*/[\w.-]+", name):
        raise ValueError(
            f"there is no folder {name}: give a model of the zoo (chainhead list), a checkpoint's folder, or a "
            "repository on the Hub as owner/name"
        )
    try:
        return FoundModel(name, registry.pull(name, revision))
    except (registry.TransferError, LocalEntryNotFoundError, RepositoryNotFoundError) as error:
        raise ValueError(
            f"there is no folder {name} here, and it cannot be loaded from the Hub: {error}"
        ) from error


def task_of(folder: Path) -> str:
    """Return the pipeline task of a checkpoint, found from its configuration.

    Raises
    ------
    ValueError
        If the configuration is missing or damaged, or no task fits its model class.
    """
    file = folder / "config.json"
    if not file.is_file():
        raise ValueError(
            f"{folder} is no checkpoint, as it has no config.json: give a folder that save_pretrained or chainhead "
            "train wrote"
        )
    architectures = read_object(file).get("architectures")
    named = str(architectures[0]) if isinstance(architectures, list) and architectures else "no class"
    takes_text = (folder / "tokenizer_config.json").is_file()
    if task := task_of_class(named, takes_text=takes_text):
        return task
    if elsewhere := next((task for end, task in _IN_PYTHON.items() if named.endswith(end)), None):
        raise ValueError(
            f"{file} names {named}, which this command does not run: in Python, "
            f"transformers.pipeline({elsewhere!r}, model={str(folder)!r}) does"
        )
    raise ValueError(
        f"{file} names {named}, for which there is no pipeline"
        + ("" if takes_text else ", and the folder has no tokenizer_config.json, as models of texts have")
    )


def read_object(file: Path) -> dict[str, Any]:
    """Return the object that a JSON file holds.

    Raises
    ------
    ValueError
        If the file holds anything else; the message names the file.
    """
    try:
        value = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is damaged: {error}") from error
    if not isinstance(value, dict):
        raise ValueError(f"{file} is damaged: it holds {value!r:.40}, expected an object")
    return value
