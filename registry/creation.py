"""Build the models of the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .building import of_factory, of_transformers
from .errors import DeviceError
from .files.checkpoint import unchanged
from .plugins.catalogue import installed_catalogue
from .pulling import pulled_entry

if TYPE_CHECKING:
    import torch

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
) -> torch.nn.Module:
    """Create a model, in evaluation mode: a `PreTrainedModel` of transformers, or what its plugin's factory builds.

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
        Passed to ``from_pretrained``; without `pretrained`, and for models with a factory, fields of the
        configuration. `token` and `cache_dir` say where pretrained weights are.

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
        If the plugin cannot register its classes or build the model, or names an `auto_class` that transformers lacks.
    TypeError
        If a keyword argument that should be a field of the configuration is none.
    ValueError
        If `device_map` is given with `device`, without `pretrained`, or for a model with a factory.
    """
    if "device_map" in kwargs and device is not None:
        raise ValueError("give either device or device_map, not both")
    if "device_map" in kwargs and not pretrained:
        raise ValueError("device_map needs pretrained=True: use device for a model without weights")

    catalogue = installed_catalogue()
    entry = catalogue.model(name)
    owner = catalogue.owners[name]
    if "device_map" in kwargs and entry.factory is not None:
        raise ValueError(f"device_map is for models of transformers, and {name!r} is none: use device")

    if pretrained:
        where = {key: kwargs[key] for key in ("token", "cache_dir") if key in kwargs}
        with unchanged(entry):
            path = pulled_entry(entry, owner.source.distribution, **where)
            _make_ready(owner, device)
            if entry.factory is None:
                model = of_transformers(entry, owner.source.label, path, dtype, kwargs)
            else:
                overrides = {key: value for key, value in kwargs.items() if key not in where}
                model = of_factory(entry, owner.source.label, path, dtype, overrides)
    else:
        _make_ready(owner, device)
        build = of_transformers if entry.factory is None else of_factory
        model = build(entry, owner.source.label, None, dtype, kwargs)

    model.eval()
    return model if device is None else model.to(device)


def _make_ready(owner: InstalledPlugin, device: str | torch.device | None) -> None:
    if device is not None:
        _require_device(device)
    owner.register()


def _require_device(device: str | torch.device) -> None:
    import torch

    try:
        torch.empty(0, device=device)
    except (AssertionError, RuntimeError) as error:  # torch asserts where it was built without CUDA
        raise DeviceError(f"device {str(device)!r} cannot be used here: {error}") from error
