"""Taking a plugin's values apart into plain values, so that no code of the plugin runs afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path, PurePath
from typing import Any

from .entry import ModelEntry, shown

_MOST = 10_000
_DEEPEST = 16


def plain_entry(model: ModelEntry) -> ModelEntry:
    """Return a model's entry whose fields are plain texts, numbers, paths, lists and dicts.

    Subclasses, proxies and mappings of a plugin's own may misbehave whenever they are copied, compared or shown: they
    are read once, here, where a failure is the plugin's.

    Raises
    ------
    TypeError
        If a field holds anything else.
    ValueError
        If a value is nested deeper than 16 levels, or holds more than 10,000 values.
    """
    return ModelEntry(
        name=plain_text(model.name),
        task=plain_text(model.task),
        summary=plain_text(model.summary),
        data=plain_text(model.data),
        license=plain_text(model.license),
        metrics=_plain(model.metrics, "metrics"),
        parameters=_plain(model.parameters, "parameters"),
        config=_plain(model.config, "config"),
        auto_class=_plain(model.auto_class, "auto_class"),
        factory=model.factory,  # a function, which the entry has checked
        path=_path(model.path),
        files=_plain(model.files, "files"),
        repo_id=_plain(model.repo_id, "repo_id"),
        revision=_plain(model.revision, "revision"),
        card=_path(model.card),
    )


def plain_text(value: str) -> str:
    """Return a text as `str` itself, whatever its own class says."""
    if not isinstance(value, str):
        raise TypeError(f"expected a text, got a {type(value).__name__}")
    return str.__str__(value)


def _path(value: Path | None) -> Path | None:
    return None if value is None else Path(str.__str__(PurePath.__str__(value)))


def _plain(value: Any, where: str, level: int = 0) -> Any:
    if level > _DEEPEST:
        raise ValueError(f"{where[:80]} is nested deeper than {_DEEPEST} levels")
    if value is None or type(value) is bool:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__add__(value, 0)
    if isinstance(value, float):
        return float.__add__(value, 0.0)
    if isinstance(value, Mapping):
        items = list(islice(iter(value.items()), _MOST + 1))
        _require_few(items, where)
        return {_key(key, where): _plain(held, f"{where}[{key!r:.40}]", level + 1) for key, held in items}
    if isinstance(value, list | tuple):
        held = list(islice(iter(value), _MOST + 1))
        _require_few(held, where)
        return [_plain(each, f"{where}[{number}]", level + 1) for number, each in enumerate(held)]
    raise TypeError(f"ModelEntry.{where} is {shown(value)}, no text, number, list or mapping")


def _key(key: Any, where: str) -> Any:
    if isinstance(key, str | int):
        return _plain(key, where)
    raise TypeError(f"ModelEntry.{where} has the key {shown(key)}, no text or whole number")


def _require_few(values: list[Any], where: str) -> None:
    if len(values) > _MOST:
        raise ValueError(f"ModelEntry.{where} has more than {_MOST:,} values")
