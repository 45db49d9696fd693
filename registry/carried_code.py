"""The code that a checkpoint carries, for machines where its plugin is not installed."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ._errors import PushError
from .formats import read_json
from .own_classes import PREPROCESSOR


def carried_code(
    folder: Path, classes: Mapping[str, type], architecture: type | None
) -> dict[str, Path | bytes]:
    """Return the modules that define a checkpoint's classes and pipelines, and the files that name them.

    transformers finds them through ``auto_map`` and ``custom_pipelines``, and runs them only for who passes
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
    for module in {Path(inspect.getfile(cls)) for cls in carried}:
        files |= _with_imports(module, carried[0].__module__.partition(".")[0])
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

    package = classes["AutoConfig"].__module__.partition(".")[0]
    found = {}
    for task, options in PIPELINE_REGISTRY.supported_tasks.items():
        impl = options["impl"]
        if not isinstance(impl, type) or impl.__module__.partition(".")[0] != package:
            continue
        # What `AutoModel` builds is a part of every checkpoint.
        names = [auto.__name__ for auto in options["pt"]]
        if any(name == "AutoModel" or classes.get(name) is architecture for name in names):
            found[task] = {"impl": impl, "pt": names, "type": options["type"]}
    return found


def _with_imports(module: Path, package: str) -> dict[str, Path | bytes]:
    from transformers.dynamic_module_utils import get_imports, get_relative_import_files

    try:
        files = {module, *map(Path, get_relative_import_files(module))}
    except FileNotFoundError as error:
        raise PushError(
            f"{module} cannot be carried: there is no {error.filename}, as imports must be flat"
        ) from error
    for file in sorted(files):
        if own := {package, __name__.partition(".")[0]} & set(get_imports(file)):
            raise PushError(f"{file} cannot be carried: it imports {', '.join(sorted(own))}, which is not")
    return {file.name: file for file in files}


def _reference(cls: type) -> str:
    return f"{cls.__module__.rpartition('.')[2]}.{cls.__name__}"


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, sort_keys=True) + "\n").encode()
