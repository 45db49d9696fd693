"""`chainhead list`, `chainhead info` and `chainhead card`: what there is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .screen import console, fail, printable, say_as_written, say_json
from .support import complete_models, complete_sources, complete_tasks, reported_errors

if TYPE_CHECKING:
    from registry import ModelEntry


def list_models(
    pattern: Annotated[
        str,
        typer.Argument(help="Names to match, with the wildcards * ? [ ].", autocompletion=complete_models),
    ] = "*",
    task: Annotated[
        str | None, typer.Option(help="Only models for this pipeline task.", autocompletion=complete_tasks)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything that is known, as JSON.")] = False,
) -> None:
    """List the models of the zoo. Exits with 1 if none matches.

    Example: chainhead list --task time-series-classification
    """
    import registry

    models = [registry.model_info(name) for name in registry.list_models(pattern, task=task)]
    if as_json:
        say_json([_as_json(model) for model in models], indent=2)
    elif models:
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
            table.add_row(
                model.name, model.task, _metrics(leading), f"{model.parameters:,}", whereabouts(model)
            )
        with reported_errors():
            console().print(table)
    if not models:
        fail(f"no model matches: {len(registry.list_models())} models are installed, see chainhead list")


def info(
    name: Annotated[str, typer.Argument(help="A model of the zoo.", autocompletion=complete_models)],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show what is known of a model of the zoo: data, metrics, licence, files.

    Example: chainhead info chainhead-japanese-vowels
    """
    with reported_errors():
        from .find_model import zoo_model

        model = zoo_model(name)
    if as_json:
        say_json(_as_json(model), indent=2)
        return
    from rich.table import Table

    table = Table(show_header=False, box=None, pad_edge=False)
    for label, value in _details(model).items():
        table.add_row(label, value)
    console().print(table)


def card(
    name: Annotated[
        str,
        typer.Argument(
            help="A model of the zoo, a checkpoint's folder, or a repository as owner/name.",
            autocompletion=complete_sources,
        ),
    ],
    raw: Annotated[bool, typer.Option("--raw", help="As it is written, with its front matter.")] = False,
) -> None:
    """Print a model card: rendered in a terminal, else as Markdown.

    Example: chainhead card chainhead-japanese-vowels --raw > card.md
    """
    with reported_errors():
        file = _card_file(name)
        if not file.is_file():
            fail(f"{name} has no model card: there is no {file}")
        text = file.read_text("utf-8")
    out = console()
    if raw or not out.is_terminal:
        say_as_written(text)
        return
    from rich.markdown import Markdown

    body = re.sub(r"\A---\n.*?^---\n", "", text, flags=re.MULTILINE | re.DOTALL)
    out.print(Markdown(printable(body)))


def whereabouts(model: ModelEntry) -> str:
    """Tell where the files of a model are: "embedded", "cached", "Hub" or "nowhere"."""
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


def _card_file(name: str) -> Path:
    import registry

    from ..plugin import card_of

    if name in registry.list_models():
        return registry.model_info(name).card or Path(f"{name}.md")
    if Path(name).is_dir():
        return Path(name, "README.md")
    if "/" not in name and (card := card_of(name)):
        return card
    return registry.pull(name) / "README.md"


def _details(model: ModelEntry) -> dict[str, str]:
    hub = f"{model.repo_id} @ {model.revision or 'main'}" if model.repo_id else "–"
    files = []
    for name, digest in model.files.items():
        size = f", {Path(model.path, name).stat().st_size:,} bytes" if model.path else ""
        files.append(f"{name}{size}, SHA-256 {digest[:12]}…")
    return {
        "name": model.name,
        "summary": model.summary,
        "task": model.task,
        "class": f"transformers.{model.auto_class}",
        "weights": f"{model.parameters:,}",
        "metrics": _metrics(model.metrics),
        "data": model.data,
        "licence": model.license,
        "files": f"{whereabouts(model)}{f', in {model.path}' if model.path else ''}",
        "": "\n".join(files),
        "Hub": hub,
        "card": str(model.card) if model.card else "–",
    }


def _metrics(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in metrics.items()) or "–"


def _as_json(model: ModelEntry) -> dict[str, object]:
    plain = {
        name: dict(value) if isinstance(value, Mapping) else str(value) if isinstance(value, Path) else value
        for name, value in vars(model).items()
    }
    return plain | {"whereabouts": whereabouts(model)}
