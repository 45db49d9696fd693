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

from .creation import checkpoint_path, create_model
from .errors import (
    CheckpointError,
    ChecksumError,
    DeviceError,
    NotEmbeddedError,
    PluginError,
    PushError,
    RegistryError,
    RegistryWarning,
    TransferError,
    UnknownModelError,
    UnsafeWeightsError,
)
from .plugins.catalogue import list_models, model_info
from .plugins.entry import ModelEntry, Plugin
from .plugins.load import load_plugins
from .plugins.report import FailedPlugin, LoadedPlugin, LoadReport
from .pulling import copy_checkpoint, pull
from .pushing import Pushed, push

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
    "PushError",
    "Pushed",
    "RegistryError",
    "RegistryWarning",
    "TransferError",
    "UnknownModelError",
    "UnsafeWeightsError",
    "checkpoint_path",
    "copy_checkpoint",
    "create_model",
    "list_models",
    "load_plugins",
    "model_info",
    "pull",
    "push",
]
