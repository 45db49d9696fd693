"""What this distribution brings to the zoo. Importing it imports no torch."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from registry import ModelEntry, Plugin

if TYPE_CHECKING:
    import torch

CHECKPOINTS = Path(__file__).parent / "checkpoints"


def build(**fields: int) -> "torch.nn.Module":
    """Build an untrained model; the zoo loads its weights."""
    from .modeling_my_zoo import DigitClassifier

    return DigitClassifier(**fields)


def entry(record: dict) -> ModelEntry:
    """Describe a model of the catalogue."""
    folder = CHECKPOINTS / record["name"]
    return ModelEntry(**record, factory=build, path=folder, card=folder / "README.md")


plugin = Plugin(
    name="my-zoo",
    models=tuple(entry(record) for record in json.loads((CHECKPOINTS / "catalogue.json").read_text("utf-8"))),
)
