"""The entry point: what this distribution brings to the zoo, without importing torch."""

import json
from pathlib import Path
from typing import Any

from registry import ModelEntry, Plugin

from .registration import register

CHECKPOINTS = Path(__file__).parent / "checkpoints"


def _entry(record: dict[str, Any]) -> ModelEntry:
    return ModelEntry(**record, path=CHECKPOINTS / record["name"])


plugin = Plugin(
    name="chainhead",
    models=tuple(
        _entry(record) for record in json.loads((CHECKPOINTS / "catalogue.json").read_text("utf-8"))
    ),
    register=register,
)
