"""Build the models of the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import DeviceError, PluginError
from .files.checkpoint import unchanged
from .plugins.catalogue import installed_catalogue
from .plugins.entry import ModelEntry
from .pulling import pulled_entry

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedConfig, PreTrainedModel

    from .plugins.installed import InstalledPlugin


def checkpoint_path(name: str) -> Path:
    """Return the local folder of a model's checkpoint, as for ``pipeline(model=...)``.

    It is the embedded checkpoint, or else the pinned checkpoint in the client's cache, or else downloaded from the Hub.
    Every file is verified first. A pipeline needs the plugin's classes too: call `load_plugins`.

    Parameters
    ----------
    name : str
        A name that `list_models` gives.

    Raises
    ------
    UnknownModelError
        If no plugin brings the model.
    NotEmbeddedError
        If its weights are neither shipped nor on the Hub.
    CheckpointError
        If a file is missing, unexpected, or (`ChecksumError`) has other content than its plugin says.
    OSError
        If they have to be downloaded and cannot be; `pull` tells the types.
    """
    catalogue = installed_catalogue()
    entry = catalogue.model(name)
    return pulled_entry(entry, catalogue.owners[name].source.distribution)


def create_model(
    name: str,
    *,
    pretrained: bool = False,
    device: str | torch.device | None = None,
    dtype: str | torch.dtype | None = None,
    **kwargs: Any,
) -> PreTrainedModel:
    """Create a model, in evaluation mode.

    Only the plugin that brings the model is registered.

    Parameters
    ----------
    name : str
        A name that `list_models` gives.
    pretrained : bool
        With trained weights, embedded or from the Hub, whose files are all verified before anything is built;
        else initialised at random.
    device : str or torch.device, optional
        Where to put the model.
    dtype : str or torch.dtype, optional
        The weights' type, by default the checkpoint's or the configuration's.
    **kwargs
        Passed to ``from_pretrained``; without `pretrained`, fields of the configuration.

    Raises
    ------
    UnknownModelError
        If no plugin brings the model.
    NotEmbeddedError
        If `pretrained` and its weights are neither shipped nor on the Hub.
    CheckpointError
        If a file is missing, unexpected, or (`ChecksumError`) has other content than its plugin says, or is replaced
        while it is loaded.
    OSError
        If they have to be downloaded and cannot be; `pull` tells the types.
    DeviceError
        If this machine has no such device.
    PluginError
        If the plugin cannot register its classes, or names an `auto_class` that transformers lacks.
    TypeError
        If, without `pretrained`, a keyword argument is no field of the configuration.
    ValueError
        If `device_map` is given with `device`, or without `pretrained`.
    """
    if "device_map" in kwargs and device is not None:
        raise ValueError("give either device or device_map, not both")
    if "device_map" in kwargs and not pretrained:
        raise ValueError("device_map needs pretrained=True: use device for a model without weights")
    catalogue = installed_catalogue()
    entry = catalogue.model(name)
    owner = catalogue.owners[name]
    options = {} if dtype is None else {"dtype": dtype}
    if pretrained:
        where = {key: kwargs[key] for key in ("token", "cache_dir") if key in kwargs}
        # Code that a checkpoint carries is run only for callers who ask for it: without an answer, transformers would
        # ask on the terminal.
        kwargs.setdefault("trust_remote_code", False)
        with unchanged(entry):
            path = pulled_entry(entry, owner.source.distribution, **where)
            auto_class = _registered(entry, owner, device)
            model = auto_class.from_pretrained(
                path, local_files_only=True, use_safetensors=True, **options, **kwargs
            )
    else:
        auto_class = _registered(entry, owner, device)
        model = auto_class.from_config(_configuration(entry, owner, kwargs), **options)
    model.eval()
    return model if device is None else model.to(device)


def _registered(entry: ModelEntry, owner: InstalledPlugin, device: str | torch.device | None) -> Any:
    """Register an entry's plugin; return the class that builds the entry."""
    if device is not None:
        _require_device(device)
    owner.register()

    import transformers

    found = getattr(transformers, entry.auto_class, None)
    if found is None:
        raise PluginError(
            f"{owner.source.label} builds {entry.name!r} with {entry.auto_class}, which transformers lacks"
        )
    return found


def _configuration(entry: ModelEntry, owner: InstalledPlugin, overrides: dict[str, Any]) -> PreTrainedConfig:
    from transformers import CONFIG_MAPPING, AutoConfig

    if entry.config["model_type"] not in CONFIG_MAPPING:
        raise PluginError(
            f"{owner.source.label} registers no model type {entry.config['model_type']!r} for {entry.name!r}"
        )
    fields: dict[str, Any] = {**entry.config}
    known = AutoConfig.for_model(**fields)
    # transformers would keep an unknown field as an attribute that nothing reads: a misspelt field would do
    # nothing. It keeps the keyword `attn_implementation` as `_attn_implementation`.
    if unknown := [key for key in overrides if not (hasattr(known, key) or hasattr(known, f"_{key}"))]:
        raise TypeError(f"{type(known).__name__} has no field {', '.join(map(repr, unknown))}")
    return AutoConfig.for_model(**{**fields, **overrides})


def _require_device(device: str | torch.device) -> None:
    import torch

    try:
        torch.empty(0, device=device)
    except (AssertionError, RuntimeError) as error:  # torch asserts where it was built without CUDA
        raise DeviceError(f"device {str(device)!r} cannot be used here: {error}") from error
