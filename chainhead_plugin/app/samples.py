"""The examples that ship with the zoo's models, as records."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from ..answering.wanted import Record
from ..inputs.named_sequences import NamedSequence
from ..plugin import CHECKPOINTS


def samples_of(name: str) -> dict[str, Record]:
    """Return a model's examples, taken from its test part, by what they are called; empty if it ships none."""
    file = CHECKPOINTS / f"{name.removeprefix('chainhead-').replace('-', '_')}_samples.json"
    if "/" in name or not name.startswith("chainhead-") or not file.is_file():
        return {}
    samples = json.loads(file.read_text("utf-8"))["samples"]
    return {_called(number, sample): _record(sample) for number, sample in enumerate(samples, start=1)}


def _called(number: int, sample: dict[str, Any]) -> str:
    label = sample.get("label")
    return f"example {number}" if label is None else f"example {number}: {label}"


def _record(sample: dict[str, Any]) -> Record:
    from PIL import Image

    if "text" in sample:
        return Record(sample["text"], {})
    if "pixels" in sample:
        return Record(Image.fromarray(np.asarray(sample["pixels"], np.uint8)).convert("RGB"), {})
    # Missing values, such as those of the future that a forecaster is to tell, are null in JSON.
    rows = np.asarray(sample.get("nodes", sample.get("rows")), np.float64)
    return Record(NamedSequence(rows[:, np.newaxis] if rows.ndim == 1 else rows), {})
