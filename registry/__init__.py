"""The host of a model zoo whose models come from plugins.

A distribution joins the zoo with one entry point of the group ``registry.plugins`` that names a
:class:`Plugin`. Finding and describing models imports no torch; creating one does.
A plugin that fails does not affect other plugins: :func:`load_plugins` tells which failed, and why. Where two
plugins claim the same name, it belongs to the plugin whose distribution comes first in the alphabet.

>>> import registry
>>> registry.list_models(task="time-series-classification")  # doctest: +SKIP
['chainhead-japanese-vowels']
>>> model = registry.create_model("chainhead-japanese-vowels", pretrained=True)  # doctest: +SKIP
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .creation import checkpoint_path as checkpoint_path, create_model as create_model
    from .errors import (
        CheckpointError as CheckpointError,
        ChecksumError as ChecksumError,
        DeviceError as DeviceError,
        NotEmbeddedError as NotEmbeddedError,
        PluginError as PluginError,
        PushError as PushError,
        RegistryError as RegistryError,
        RegistryWarning as RegistryWarning,
        TransferError as TransferError,
        UnknownModelError as UnknownModelError,
        UnsafeWeightsError as UnsafeWeightsError,
    )
    from .jobs.predicting import predict as predict
    from .jobs.predictions import Predictions as Predictions
    from .jobs.rows import RowError as RowError
    from .jobs.running import Progress as Progress
    from .plugins.catalogue import list_models as list_models, model_info as model_info
    from .plugins.entry import ModelEntry as ModelEntry, Plugin as Plugin
    from .plugins.load import load_plugins as load_plugins
    from .plugins.report import (
        FailedPlugin as FailedPlugin,
        LoadedPlugin as LoadedPlugin,
        LoadReport as LoadReport,
    )
    from .pulling import copy_checkpoint as copy_checkpoint, pull as pull
    from .pushing import Pushed as Pushed, push as push

# By public name, the module that is imported when the name is asked for: `registry.screen` alone costs little.
_MODULES = {
    "checkpoint_path": "creation",
    "create_model": "creation",
    "CheckpointError": "errors",
    "ChecksumError": "errors",
    "DeviceError": "errors",
    "NotEmbeddedError": "errors",
    "PluginError": "errors",
    "PushError": "errors",
    "RegistryError": "errors",
    "RegistryWarning": "errors",
    "TransferError": "errors",
    "UnknownModelError": "errors",
    "UnsafeWeightsError": "errors",
    "predict": "jobs.predicting",
    "Predictions": "jobs.predictions",
    "RowError": "jobs.rows",
    "Progress": "jobs.running",
    "list_models": "plugins.catalogue",
    "model_info": "plugins.catalogue",
    "ModelEntry": "plugins.entry",
    "Plugin": "plugins.entry",
    "load_plugins": "plugins.load",
    "FailedPlugin": "plugins.report",
    "LoadedPlugin": "plugins.report",
    "LoadReport": "plugins.report",
    "copy_checkpoint": "pulling",
    "pull": "pulling",
    "Pushed": "pushing",
    "push": "pushing",
}

__all__ = [
    "CheckpointError",
    "ChecksumError",
    "DeviceError",
    "FailedPlugin",
    "LoadReport",
    "LoadedPlugin",
    "ModelEntry",
    "NotEmbeddedError",
    "Plugin",
    "PluginError",
    "Predictions",
    "Progress",
    "PushError",
    "Pushed",
    "RegistryError",
    "RegistryWarning",
    "RowError",
    "TransferError",
    "UnknownModelError",
    "UnsafeWeightsError",
    "checkpoint_path",
    "copy_checkpoint",
    "create_model",
    "list_models",
    "load_plugins",
    "model_info",
    "predict",
    "pull",
    "push",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)
    return found


def __dir__() -> list[str]:
    return __all__
