"""The entry point: the models that this distribution brings to the zoo, found without importing torch."""

import json
from pathlib import Path
from typing import Any

from registry import ModelEntry, Plugin

from .registration import register

_PACKAGE = Path(__file__).parent
CHECKPOINTS = _PACKAGE / "checkpoints"
# A wheel carries the cards inside the package; in a checkout they stand beside it.
_CARDS = (_PACKAGE / "model_cards", _PACKAGE.parent / "model_cards")


def card_of(name: str) -> Path | None:
    """Return the card of a model, also of a model whose recipe alone ships; None if it has no card here."""
    return next((folder / f"{name}.md" for folder in _CARDS if (folder / f"{name}.md").is_file()), None)


def _entry(record: dict[str, Any]) -> ModelEntry:
    name = record["name"]
    return ModelEntry(**record, path=CHECKPOINTS / name, card=card_of(name))


if not CHECKPOINTS.is_dir():
    raise ImportError(
        f"chainhead-plugin is imported from an archive, {_PACKAGE.parent}: its checkpoints are files that other "
        "libraries open by their paths. Install it with pip"
    )

plugin = Plugin(
    name="chainhead",
    models=tuple(
        _entry(record) for record in json.loads((CHECKPOINTS / "catalogue.json").read_text("utf-8"))
    ),
    register=register,
)
