"""Descriptions of models: as tables to print, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from .plugins.catalogue import installed_catalogue
from .screen import printable

if TYPE_CHECKING:
    from rich.table import Table

    from .plugins.entry import ModelEntry


def table_of_models(models: Sequence[ModelEntry]) -> Table:
    """Return a table with a row a model: name, task, leading metric, weights and where its files are."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Column, Table

    table = Table(
        Column("name", no_wrap=True),
        Column("task", no_wrap=True),
        "metric",
        Column("weights", justify="right", no_wrap=True),
        "files",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    for model in models:
        leading = dict(list(model.metrics.items())[:1])
        table.add_row(model.name, model.task, _metrics(leading), f"{model.parameters:,}", whereabouts(model))
    return table


def table_of_model(model: ModelEntry) -> Table:
    """Return a table of all that is known of an installed model, a row a fact."""
    from rich.table import Column, Table

    table = Table(Column(), Column(overflow="fold"), show_header=False, box=None, pad_edge=False)
    for label, value in _facts(model).items():
        for number, line in enumerate(value.split("\n") if label == "" else [value]):
            table.add_row(label if number == 0 else "", printable(line, one_line=True))
    return table


def as_json(model: ModelEntry) -> dict[str, object]:
    """Return all that is known of a model, and where its files are, in types that JSON has."""
    plain = {
        name: dict(value) if isinstance(value, Mapping) else value for name, value in vars(model).items()
    }
    if model.factory is not None:
        plain["factory"] = _built_by(model)
    paths = {name: str(value) for name, value in plain.items() if isinstance(value, Path)}
    return plain | paths | {"whereabouts": whereabouts(model)}


def whereabouts(model: ModelEntry) -> Literal["embedded", "cached", "Hub", "nowhere"]:
    """Tell where the files of a model are; "cached" are those of the Hub that need no download."""
    if model.path is not None:
        return "embedded"
    if model.repo_id is None:
        return "nowhere"
    from huggingface_hub import try_to_load_from_cache

    found = [
        try_to_load_from_cache(model.repo_id, file, revision=model.revision or "main")
        for file in model.files or ("config.json",)
    ]
    return "cached" if all(isinstance(file, str) for file in found) else "Hub"


def _facts(model: ModelEntry) -> dict[str, str]:
    files = []
    for name, digest in model.files.items():
        size = f", {Path(model.path, name).stat().st_size:,} bytes" if model.path else ""
        files.append(f"{name}{size}, SHA-256 {digest[:12]}…")
    return {
        "name": model.name,
        "summary": model.summary,
        "task": model.task,
        "class" if model.factory is None else "factory": _built_by(model),
        "weights": f"{model.parameters:,}",
        "metrics": _metrics(model.metrics),
        "data": model.data,
        "licence": model.license,
        "files": f"{whereabouts(model)}{f', in {model.path}' if model.path else ''}",
        "": "\n".join(files),
        "Hub": f"{model.repo_id} @ {model.revision or 'main'}" if model.repo_id else "–",
        "card": str(model.card) if model.card else "–",
        "plugin": installed_catalogue().owners[model.name].source.label.removeprefix("plugin "),
    }


def _built_by(model: ModelEntry) -> str:
    if model.factory is None:
        return f"transformers.{model.auto_class}"
    return f"{model.factory.__module__}.{model.factory.__qualname__}"


def _metrics(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in metrics.items()) or "–"
