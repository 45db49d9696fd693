"""Build a model from its entry and the folder of its weights: by transformers, or by its plugin's own factory."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import CheckpointError, PluginError
from .plugins.entry import ModelEntry
from .plugins.report import describe

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedConfig


def of_transformers(
    entry: ModelEntry, label: str, path: Path | None, dtype: str | torch.dtype | None, options: dict[str, Any]
) -> torch.nn.Module:
    """Build a model with the class of transformers that its entry names.

    Parameters
    ----------
    entry : ModelEntry
        The model, whose plugin is registered.
    label : str
        The plugin, for errors.
    path : Path or None
        The verified folder of the weights; None for a model that is initialised at random.
    dtype : str or torch.dtype, optional
        The weights' type.
    options : dict
        Passed to `from_pretrained`; without weights, fields of the configuration.

    Raises
    ------
    PluginError
        If transformers has no such class, or the plugin has not registered its model type.
    TypeError
        If an option is no field of the configuration.
    """
    import transformers

    auto_class = getattr(transformers, str(entry.auto_class), None)
    if auto_class is None:
        raise PluginError(f"{label} builds {entry.name!r} with {entry.auto_class}, which transformers lacks")
    typed = {} if dtype is None else {"dtype": dtype}
    if path is not None:
        # Code that a checkpoint carries is run only for callers who ask for it: without an answer, transformers would
        # ask on the terminal.
        options = {"trust_remote_code": False, **options}
        trained: torch.nn.Module = auto_class.from_pretrained(
            path, local_files_only=True, use_safetensors=True, **typed, **options
        )
        return trained
    model_type = entry.config["model_type"]
    if model_type not in transformers.CONFIG_MAPPING:
        raise PluginError(f"{label} registers no model type {model_type!r} for {entry.name!r}")
    untrained: torch.nn.Module = auto_class.from_config(_configuration(entry, options), **typed)
    return untrained


def _configuration(entry: ModelEntry, overrides: dict[str, Any]) -> PreTrainedConfig:
    from transformers import AutoConfig

    fields: dict[str, Any] = {**entry.config}
    known = AutoConfig.for_model(**fields)
    # transformers would keep an unknown field as an attribute that nothing reads: a misspelt field would do
    # nothing. It keeps the keyword `attn_implementation` as `_attn_implementation`.
    if unknown := [key for key in overrides if not (hasattr(known, key) or hasattr(known, f"_{key}"))]:
        names = [*vars(known), "pretrained", "device", "dtype", "device_map"]
        close = get_close_matches(unknown[0], names, n=1)
        hint = f": did you mean {close[0]!r}?" if close else ""
        raise TypeError(f"{type(known).__name__} has no field {', '.join(map(repr, unknown))}{hint}")
    return AutoConfig.for_model(**{**fields, **overrides})


def of_factory(
    entry: ModelEntry,
    label: str,
    path: Path | None,
    dtype: str | torch.dtype | None,
    overrides: dict[str, Any],
) -> torch.nn.Module:
    """Build a model with its plugin's factory, and load its weights.

    Parameters
    ----------
    entry : ModelEntry
        The model.
    label : str
        The plugin, for errors.
    path : Path or None
        The verified folder of the weights, with ``model.safetensors``; None for a model as the factory builds it.
    dtype : str or torch.dtype, optional
        The weights' type.
    overrides : dict
        In the place of fields of the entry's configuration; none where there are weights.

    Raises
    ------
    PluginError
        If the factory raises anything, or builds something else than a module.
    CheckpointError
        If the weights are not those of the module.
    TypeError
        If an override is no field of the configuration, or is given with weights.
    """
    import torch

    assert entry.factory is not None
    if unknown := overrides.keys() - entry.config.keys():
        known = ", ".join(entry.config) or "no field"
        raise TypeError(
            f"{entry.name!r} has no field {', '.join(map(repr, sorted(unknown)))}; it has {known}"
        )
    if path is not None and overrides:
        raise TypeError(f"the weights of {entry.name!r} fit only its own configuration, {dict(entry.config)}")
    dtype = _as_dtype(dtype)
    try:
        model = entry.factory(**{**entry.config, **overrides})
    except Exception as error:
        raise PluginError(f"{label} cannot build {entry.name!r}: {describe(error)}") from error
    if not isinstance(model, torch.nn.Module):
        raise PluginError(f"{label} builds {entry.name!r} as a {type(model).__name__}, not a torch.nn.Module")
    if path is not None:
        _load_weights(model, path / "model.safetensors", entry.name)
    return model if dtype is None else model.to(dtype=dtype)


def _load_weights(model: torch.nn.Module, file: Path, name: str) -> None:
    from safetensors.torch import load_model

    if not file.is_file():
        raise CheckpointError(f"the checkpoint of {name!r} has no {file.name}")
    try:
        load_model(model, file)
    except RuntimeError as error:  # torch names all that are missing, unexpected or of another shape
        raise CheckpointError(f"{file} does not hold the weights of {name!r}: {error}") from error


def _as_dtype(dtype: str | torch.dtype | None) -> torch.dtype | None:
    import torch

    found = getattr(torch, dtype.removeprefix("torch."), None) if isinstance(dtype, str) else dtype
    if dtype is not None and not isinstance(found, torch.dtype):
        raise TypeError(f"dtype is {dtype!r}, expected a torch.dtype or its name, such as 'float16'")
    return found
