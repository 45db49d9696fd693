"""The code that a checkpoint carries, for machines where its plugin is not installed."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import PushError
from ..files.formats import read_json
from .flat_code import flat_code, flat_name
from .own_classes import PREPROCESSOR


def carried_code(
    folder: Path, classes: Mapping[str, type], architecture: type | None
) -> dict[str, Path | bytes]:
    """Return the modules that define a checkpoint's classes and pipelines, and the files that name them.

    transformers finds them through ``auto_map`` and ``custom_pipelines``, and runs them only for callers who pass
    ``trust_remote_code=True``.

    Parameters
    ----------
    folder : Path
        The checkpoint.
    classes : mapping of type
        As `own_classes` gives them.
    architecture : type or None
        The class that it was saved from.

    Returns
    -------
    dict
        By path in the repository: a local file, or content.

    Raises
    ------
    PushError
        If there is no code to carry, or a module needs more of its plugin than can be carried.
    """
    if not classes:
        raise PushError(f"{folder} needs no code: transformers has its classes itself")
    pipelines = _pipelines(classes, architecture)
    carried = [*classes.values(), *(pipeline["impl"] for pipeline in pipelines.values())]
    files: dict[str, Path | bytes] = {}
    files |= flat_code({cls.__module__ for cls in carried}, {_package(cls): _root(cls) for cls in carried})
    auto_map = {name: _reference(cls) for name, cls in classes.items()}
    config = read_json(folder / "config.json") | {"auto_map": auto_map}
    if pipelines:
        config["custom_pipelines"] = {
            task: pipeline | {"impl": _reference(pipeline["impl"])} for task, pipeline in pipelines.items()
        }
    files["config.json"] = _json(config)
    preprocessors = {
        name: path for name, path in auto_map.items() if not name.startswith(("AutoModel", "AutoConfig"))
    }
    if preprocessors:
        files[PREPROCESSOR] = _json(read_json(folder / PREPROCESSOR) | {"auto_map": preprocessors})
    return files


def _pipelines(classes: Mapping[str, type], architecture: type | None) -> dict[str, dict[str, Any]]:
    """Return the pipelines of the same plugin that run this checkpoint, as a config names them."""
    from transformers.pipelines import PIPELINE_REGISTRY

    package = _package(classes["AutoConfig"])
    found = {}
    for task, options in PIPELINE_REGISTRY.supported_tasks.items():
        impl = options["impl"]
        if not isinstance(impl, type) or impl.__module__.partition(".")[0] != package:
            continue
        # The model that `AutoModel` builds is a part of every checkpoint.
        names = [auto.__name__ for auto in options["pt"]]
        if any(name == "AutoModel" or classes.get(name) is architecture for name in names):
            found[task] = {"impl": impl, "pt": names, "type": options["type"]}
    return found


def _package(cls: type) -> str:
    return cls.__module__.partition(".")[0]


def _root(cls: type) -> Path:
    """Return the folder of a class's package, or the folder that its module is in if that is all of its plugin."""
    file = Path(inspect.getfile(cls))
    if file.name == "__init__.py":
        raise PushError(f"{file} cannot be carried: define {cls.__name__} in a module of its own")
    return file.parents[max(cls.__module__.count("."), 1) - 1]


def _reference(cls: type) -> str:
    return f"{flat_name(cls.__module__, _package(cls))}.{cls.__name__}"


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, sort_keys=True) + "\n").encode()
