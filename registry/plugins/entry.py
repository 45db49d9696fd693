"""The values that a plugin hands to the host: a `Plugin` and its `ModelEntry`s."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_TEXT_FIELDS = ("name", "task", "summary", "data", "license")
_MAPPING_FIELDS = ("metrics", "config", "files")


@dataclass(frozen=True, kw_only=True)
class ModelEntry:
    """A model of the zoo, described without importing it.

    Attributes
    ----------
    name : str
        The model's name, unique among all plugins.
    task : str
        The pipeline task it is for, such as ``"time-series-classification"``.
    summary : str
        A line about the model.
    data : str
        The data set's name and source.
    license : str
        SPDX identifier of the weights' licence.
    metrics : Mapping[str, float]
        Measured values, such as ``{"test_accuracy": 0.981}``.
    parameters : int
        The number of weights.
    config : Mapping[str, object]
        Of a transformers model: fields of the configuration for untrained models, with ``"model_type"`` among them.
        Of another: the keyword arguments of `factory`.
    auto_class : str or None
        The attribute of `transformers` that builds it. The plugin's code chooses it, never a download.
    factory : function or None
        Builds a model that is no transformers model, untrained, as a `torch.nn.Module`. The host loads the weights of
        ``model.safetensors`` into it. Either `auto_class` or `factory` is given; it imports torch when it is called.
    path : Path or None
        Folder of the embedded checkpoint, `None` when it is not shipped.
    files : Mapping[str, str]
        For every file of the checkpoint, its name relative to `path` and its SHA-256 hex digest.
    repo_id : str or None
        The model's repository on the Hub.
    revision : str or None
        The commit that pins `repo_id`.
    card : Path or None
        The model card.

    Raises
    ------
    TypeError
        If a field the host relies on has another type.
    ValueError
        If both of `auto_class` and `factory` are given, or neither; if `config` of a transformers model names no
        ``"model_type"``; or if a checkpoint is embedded but none of its files is pinned.
    """

    name: str
    task: str
    summary: str
    data: str
    license: str
    metrics: Mapping[str, float]
    parameters: int
    config: Mapping[str, object]
    auto_class: str | None = None
    factory: Callable[..., torch.nn.Module] | None = None
    path: Path | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    repo_id: str | None = None
    revision: str | None = None
    card: Path | None = None

    def __post_init__(self) -> None:
        """Check the fields that the host relies on."""
        for name in _TEXT_FIELDS:
            _require(self, name, str)
        for name in _MAPPING_FIELDS:
            _require(self, name, Mapping)
        _require(self, "parameters", int)
        for name in ("auto_class", "repo_id", "revision"):
            if getattr(self, name) is not None:
                _require(self, name, str)
        for name, digest in self.files.items():
            if not isinstance(name, str) or not isinstance(digest, str):
                raise TypeError(f"ModelEntry.files is {shown(self.files)}, expected hashes by names of files")
        for name in ("path", "card"):
            if getattr(self, name) is not None:
                _require(self, name, Path)

        if not all(isinstance(value, (int, float)) for value in self.metrics.values()):
            raise TypeError(f"ModelEntry.metrics is {shown(self.metrics)}, expected numbers by name")

        if self.factory is not None and not isinstance(self.factory, FunctionType):
            raise TypeError(f"ModelEntry.factory is {shown(self.factory)}, not a function")

        if (self.auto_class is None) == (self.factory is None):
            raise ValueError(f"model {self.name!r} needs either an auto_class or a factory")
        if self.auto_class is not None and "model_type" not in self.config:
            raise ValueError(f"the config of model {self.name!r} has no 'model_type'")
        if self.path is not None and not self.files:
            raise ValueError(f"model {self.name!r} has a path but pins none of its files")


def _nothing() -> None:
    """Models of a factory have nothing to register."""


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """A distribution's models, and the function that registers their classes.

    Attributes
    ----------
    name : str
        The plugin's name, the same as its entry point's.
    models : tuple of ModelEntry
        The models it brings.
    register : callable
        Registers the models' classes with transformers (and timm), where they have any. Idempotent; may import torch.

    Raises
    ------
    TypeError
        If a field has another type.
    ValueError
        If two models have the same name.
    """

    name: str
    models: tuple[ModelEntry, ...] = ()
    register: Callable[[], None] = _nothing

    def __post_init__(self) -> None:
        """Check the fields that the host relies on."""
        _require(self, "name", str)
        _require(self, "models", tuple)
        if not callable(self.register):
            raise TypeError(f"Plugin.register is {shown(self.register)}, which is not callable")
        names = set()
        for model in self.models:
            if not isinstance(model, ModelEntry):
                raise TypeError(
                    f"plugin {self.name!r}: models holds a {type(model).__name__}, not a ModelEntry"
                )
            if model.name in names:
                raise ValueError(f"plugin {self.name!r} has two models named {model.name!r}")
            names.add(model.name)


def _require(owner: ModelEntry | Plugin, name: str, expected: type) -> None:
    value = getattr(owner, name)
    if not isinstance(value, expected):
        raise TypeError(f"{type(owner).__name__}.{name} is {shown(value)}, not a {expected.__name__}")


def shown(value: object) -> str:
    """Return a short `repr`, or the type's name where the object does not let itself be shown."""
    try:
        return f"{value!r:.200}"
    except Exception:
        return f"a {type(value).__name__} that cannot be shown"
