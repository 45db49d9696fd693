"""Names of the zoo where transformers takes the name of a repository: in pipelines and in `from_pretrained`.

Files on this machine come first: a folder of that name, then a repository in the client's cache, then the zoo. All
other names go to the Hub, as ever.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from .errors import RegistryError, UnknownModelError
from .hooks.when_imported import when_imported
from .hooks.wrapping import wrap_function
from .plugins.catalogue import Catalogue, installed_catalogue
from .pulling import is_of_plugin, pulled_entry
from .trust import refuse_unasked_code

_AUTO = "transformers.models.auto"
_MODULES = (
    f"{_AUTO}.configuration_auto",
    f"{_AUTO}.feature_extraction_auto",
    f"{_AUTO}.image_processing_auto",
    f"{_AUTO}.modeling_auto",
    f"{_AUTO}.processing_auto",
    f"{_AUTO}.tokenization_auto",
)
_CLOSE = 0.85
ReadFolder = Callable[[Path, Callable[[], Any]], Any]
_done: set[str] = set()


class UnknownNameError(UnknownModelError, OSError):
    """No folder, no cached repository and no model of the zoo has the name. An `OSError`, as transformers raises."""


def folder_of(
    name: Any,
    *,
    revision: str | None = None,
    token: str | bool | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    only_plugins: bool = False,
) -> Any:
    """Return the verified folder of a model that the zoo alone has; everything else as it is.

    Parameters
    ----------
    name : object
        The user's value in the place of a repository's name.
    revision, token, cache_dir
        As of `registry.pull`.
    only_plugins : bool
        Whether it can be nothing that the Hub has without an owner's name, as the classes come from a plugin.

    Raises
    ------
    UnknownNameError
        If the name looks like a misspelt name of the zoo, with `only_plugins` is not in it, or belongs to a model
        that transformers cannot build.
    RegistryError, OSError
        As of `registry.pull`.
    """
    if not isinstance(name, str) or not re.fullmatch(r"\w[\w.-]*(/[\w.-]+)?", name) or os.path.exists(name):
        return name

    if "/" in name and not is_of_plugin(name):
        return name
    if _is_cached(name, cache_dir):
        return name

    try:
        catalogue = installed_catalogue()
    except RegistryError:
        return name  # a plugin is just being imported
    if name not in catalogue.models:
        close = get_close_matches(name, catalogue.models, cutoff=_CLOSE)
        if close or only_plugins:
            raise UnknownNameError(_nowhere(name, catalogue, close))
        return name

    entry, owner = catalogue.models[name], catalogue.owners[name]
    if entry.factory is not None:
        raise UnknownNameError(
            f"{name} is no model of transformers: registry.create_model({name!r}, pretrained=True) builds it"
        )

    if revision == "main" and entry.path is not None:
        revision = None  # pipelines say so of every default
    folder = pulled_entry(
        entry,
        owner.source.distribution,
        revision=revision,
        token=token,
        cache_dir=None if cache_dir is None else Path(cache_dir),
    )
    owner.register()
    return str(folder)


def resolve_names(read_folder: ReadFolder | None = None) -> None:
    """Have transformers' pipelines and Auto classes take the names of the zoo, as soon as they are imported.

    They then run no code that a plugin's model carries, unless they are told to, and write no file to a place outside
    the client's cache that a server names.

    Parameters
    ----------
    read_folder : callable, optional
        Gets a folder, and a function that makes a pipeline of it and may be called several times; returns the pipeline
        once all of it comes from the same save.
    """
    refuse_unasked_code()
    when_imported("transformers.utils.hub", _once(_wrap_downloads))
    for module in _MODULES:
        when_imported(module, _once(_wrap_classes))
    when_imported("transformers.modeling_utils", _once(_wrap_models))
    when_imported("transformers.pipelines", _once(partial(_wrap_pipeline, read_folder or _read_once)))


def _once(wrap: Callable[[ModuleType], None]) -> Callable[[ModuleType], None]:
    def run(module: ModuleType) -> None:
        if module.__name__ not in _done:
            _done.add(module.__name__)
            wrap(module)

    return run


def _wrap_downloads(module: ModuleType) -> None:
    # All files of all models, tokenizers and preprocessors that transformers fetches pass here.
    wrap_function(module, "cached_files", _checked)


def _checked(
    wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    from .hub.cache_names import checked_names

    with checked_names():
        return wrapped(*args, **kwargs)


def _wrap_classes(module: ModuleType) -> None:
    # Every Auto class of a model has a copy of the method of its own, for its documentation.
    for name, cls in list(vars(module).items()):
        if (
            isinstance(cls, type)
            and cls.__module__ == module.__name__
            and "from_pretrained" in vars(cls)
            and name.startswith("Auto")
        ):
            wrap_function(cls, "from_pretrained", _from_pretrained)


def _wrap_models(module: ModuleType) -> None:
    wrap_function(module.PreTrainedModel, "from_pretrained", _from_pretrained)


def _read_once(folder: Path, read: Callable[[], Any]) -> Any:
    return read()


def _wrap_pipeline(read_folder: ReadFolder, module: ModuleType) -> None:
    # Modules that imported `pipeline` before have the original, so the functions that it calls are wrapped too.
    for called in ("find_adapter_config_file", "resolve_revision"):
        if hasattr(module, called):
            wrap_function(module, called, _with_folder)
    wrap_function(module.FeatureExtractionMixin, "get_feature_extractor_dict", _with_folder)
    wrap_function(module, "pipeline", partial(_pipeline, read_folder))


def _with_folder(
    wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    if not args:
        return wrapped(**kwargs)
    return wrapped(folder_of(args[0], **_where(kwargs)), *args[1:], **kwargs)


def _from_pretrained(
    wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    name = args[0] if args else kwargs.get("pretrained_model_name_or_path")
    folder = folder_of(name, **_where(kwargs), only_plugins=_is_of_plugin(instance))
    if folder is name:
        return wrapped(*args, **kwargs)
    if args:
        args = (folder, *args[1:])
    else:
        kwargs["pretrained_model_name_or_path"] = folder
    return wrapped(*args, **_of_folder(kwargs))


def _pipeline(
    read_folder: ReadFolder,
    wrapped: Callable[..., Any],
    instance: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    given = dict(zip(("task", "model"), args, strict=False)) | kwargs
    task, model = given.get("task"), given.get("model")
    tasks = _supported_tasks()
    details = tasks.get(task) if isinstance(task, str) else None
    if model is None and "tokenizer" not in given and "feature_extractor" not in given:
        model = _default_of(details)
    of_plugin = details is not None and _is_of_plugin(details.get("impl"))
    folder = folder_of(model, **_where(kwargs), only_plugins=of_plugin)
    if folder is not model or model is not given.get("model"):
        given["model"] = folder
        args, kwargs = args[2:], _of_folder(given)

    def read() -> Any:
        options = dict(kwargs)
        if options.get("model_kwargs"):
            options["model_kwargs"] = dict(options["model_kwargs"])  # transformers adds to it
        return wrapped(*args, **options)

    if isinstance(folder, str | os.PathLike) and os.path.isdir(folder):
        return read_folder(Path(folder), read)
    return read()


def _supported_tasks() -> Mapping[str, Any]:
    from transformers.pipelines import PIPELINE_REGISTRY

    found: Mapping[str, Any] = PIPELINE_REGISTRY.supported_tasks
    return found


def _default_of(details: Mapping[str, Any] | None) -> str | None:
    """Return the model of the zoo that a task's pipeline takes where none is named, and say so."""
    default = (details or {}).get("default", {}).get("model")
    name = default[0] if isinstance(default, tuple) and default else None
    try:
        if name not in installed_catalogue().models:
            return None
    except RegistryError:
        return None
    from transformers.utils import logging

    logging.get_logger(__name__).warning(
        f"No model was named: {name} of the zoo is used. For other data, name a model that was trained on such data."
    )
    return str(name)


def _is_of_plugin(cls: Any) -> bool:
    """Tell whether a class comes from a package that brings a plugin."""
    package = getattr(cls, "__module__", "").partition(".")[0]
    if package in ("", "transformers", "builtins"):
        return False
    try:
        owners = installed_catalogue().plugins.values()
    except RegistryError:
        return False
    return any(owner.source.spec.partition(":")[0].partition(".")[0] == package for owner in owners)


def _where(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in ("revision", "token", "cache_dir") if name in options}


def _of_folder(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a call without those that only say where on the Hub, which have been followed."""
    return {name: value for name, value in options.items() if name not in ("revision", "cache_dir")}


def _is_cached(name: str, cache_dir: Any) -> bool:
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(name, "config.json", cache_dir=cache_dir), str)


def _nowhere(name: str, catalogue: Catalogue, close: list[str]) -> str:
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    return (
        f"{name} is no folder here, no cached repository and no model of the zoo ({len(catalogue.models)} models, "
        f"registry.list_models() lists them); repositories on the Hub are named owner/name.{hint}"
    )
