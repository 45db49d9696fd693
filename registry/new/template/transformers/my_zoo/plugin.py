"""What this distribution brings to the zoo. Importing it imports no torch."""

import json
from pathlib import Path

from registry import ModelEntry, Plugin

CHECKPOINTS = Path(__file__).parent / "checkpoints"


def register() -> None:
    """Make the classes known to transformers; called before one of the models is built."""
    from transformers import AutoConfig, AutoModelForImageClassification

    from .configuration_my_zoo import MyZooConfig
    from .modeling_my_zoo import MyZooForImageClassification

    AutoConfig.register(MyZooConfig.model_type, MyZooConfig, exist_ok=True)
    AutoModelForImageClassification.register(MyZooConfig, MyZooForImageClassification, exist_ok=True)


def entry(record: dict) -> ModelEntry:
    """Describe a model of the catalogue."""
    folder = CHECKPOINTS / record["name"]
    return ModelEntry(**record, path=folder, card=folder / "README.md")


plugin = Plugin(
    name="my-zoo",
    models=tuple(entry(record) for record in json.loads((CHECKPOINTS / "catalogue.json").read_text("utf-8"))),
    register=register,
)
