"""Facts about a checkpoint, read from its folder without torch; the files need not be trustworthy."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from registry.screen import foreign_table

from ...answering.find_model import FoundModel, read_object
from ...storage.hashing import sha256

if TYPE_CHECKING:
    from rich.table import Table

_MOST_LABELS = 20


def folder_facts(model: FoundModel) -> dict[str, Any]:
    """Return the facts about a checkpoint that are in its folder, such as its task, labels and files.

    Raises
    ------
    ValueError
        If the configuration or the weights are damaged; the message names the file.
    """
    config = read_object(model.folder / "config.json")
    files = sorted(
        file for file in model.folder.iterdir() if file.is_file() and not file.name.startswith(".")
    )
    card = model.folder / "README.md"
    labels = config.get("id2label")
    file = model.folder / "preprocessor_config.json"
    preprocessor = read_object(file) if file.is_file() else {}
    return {
        "name": model.name,
        "task": model.task,
        "class": str((config.get("architectures") or ["unknown"])[0]),
        "parameters": sum(_weights(file) for file in files if file.suffix == ".safetensors"),
        "labels": list(labels.values()) if isinstance(labels, dict) else [],
        "reads": model.answers.reads,
        "sampling_rate": preprocessor.get("sampling_rate"),
        "columns": _columns(preprocessor),
        "files": {file.name: sha256(file) for file in files},
        "folder": str(model.folder),
        "card": str(card) if card.is_file() else None,
    }


def table_of_folder(facts: dict[str, Any]) -> Table:
    """Return facts from `folder_facts` as a table for the terminal."""
    labels = [str(label) for label in facts["labels"]]
    shown = labels if len(labels) <= _MOST_LABELS else [*labels[:_MOST_LABELS], f"… ({len(labels)})"]
    sizes = {name: (Path(facts["folder"]) / name).stat().st_size for name in facts["files"]}
    table = foreign_table(show_header=False, box=None, pad_edge=False)
    for label, value in {
        "name": facts["name"],
        "task": facts["task"],
        "class": facts["class"],
        "weights": f"{facts['parameters']:,}",
        "labels": ", ".join(shown) or "–",
        **_input_rows(facts),
        "files": f"in {facts['folder']}",
    }.items():
        table.add_row(label, value)
    for name, digest in facts["files"].items():
        table.add_row("", f"{name}, {sizes[name]:,} bytes, SHA-256 {digest[:12]}…")
    table.add_row("card", facts["card"] or "–")
    return table


def _input_rows(facts: dict[str, Any]) -> dict[str, str]:
    """Return the row that tells what the model takes: columns of series, or texts, images, sounds or videos."""
    if facts["reads"] == "sequence":
        return {"columns": ", ".join(map(str, facts["columns"])) or "by position"}
    rate = facts["sampling_rate"]
    told = f", {rate:,} samples a second" if type(rate) is int and facts["reads"] == "sound" else ""
    return {"input": f"{facts['reads']}s{told}"}


def _columns(preprocessor: dict[str, Any]) -> list[Any]:
    schema = preprocessor.get("schema")
    columns = schema.get("features") if isinstance(schema, dict) else None
    return columns if isinstance(columns, list) else []


def _weights(file: Path) -> int:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="np") as tensors:
            return sum(math.prod(tensors.get_slice(name).get_shape()) for name in tensors.keys())  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{file} is damaged: {error}") from error
