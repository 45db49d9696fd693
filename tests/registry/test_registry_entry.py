"""Values that an entry and a plugin refuse."""

from dataclasses import replace
from pathlib import Path

import pytest

from registry import ModelEntry, Plugin

ENTRY = ModelEntry(
    name="tiny",
    task="text-classification",
    auto_class="AutoModel",
    summary="A model",
    data="none",
    license="MIT",
    metrics={"accuracy": 0.5},
    parameters=10,
    config={"model_type": "bert"},
)


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"name": 1}, TypeError, "ModelEntry.name is 1, not a str"),
        ({"parameters": 1.5}, TypeError, "ModelEntry.parameters"),
        ({"metrics": {"accuracy": "high"}}, TypeError, "expected numbers by name"),
        ({"files": ["a"]}, TypeError, "ModelEntry.files"),
        ({"path": "/tmp"}, TypeError, "ModelEntry.path"),
        ({"config": {}}, ValueError, "no 'model_type'"),
        ({"auto_class": None}, ValueError, "needs either an auto_class or a factory"),
        ({"factory": lambda: None}, ValueError, "needs either an auto_class or a factory"),
        ({"auto_class": None, "factory": dict}, TypeError, "ModelEntry.factory is .*, not a function"),
        ({"path": Path("/tmp")}, ValueError, "pins none of its files"),
    ],
)
def test_entry_is_checked(fields, error, message):
    with pytest.raises(error, match=message):
        replace(ENTRY, **fields)


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"models": [ENTRY]}, TypeError, "Plugin.models"),
        ({"models": ("tiny",)}, TypeError, "holds a str, not a ModelEntry"),
        ({"models": (ENTRY, ENTRY)}, ValueError, "two models named 'tiny'"),
        ({"register": None}, TypeError, "not callable"),
    ],
)
def test_plugin_is_checked(fields, error, message):
    with pytest.raises(error, match=message):
        Plugin(**{"name": "p", "register": print, **fields})
