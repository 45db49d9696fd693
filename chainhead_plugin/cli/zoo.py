"""`chainhead list`, `chainhead info` and `chainhead card`: the models of the zoo, facts about a model, and its card."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from registry.screen import console, printable

from .screen import fail, say_as_written, say_json
from .support import NAME_HELP, complete_models, complete_sources, complete_tasks, reported_errors


def list_models(
    pattern: Annotated[
        str,
        typer.Argument(help="Names to match, with the wildcards * ? [ ].", autocompletion=complete_models),
    ] = "*",
    task: Annotated[
        str | None, typer.Option(help="Only models for this pipeline task.", autocompletion=complete_tasks)
    ] = None,
    in_json: Annotated[bool, typer.Option("--json", help="Everything that is known, as JSON.")] = False,
) -> None:
    """List the models of the zoo. Exits with 1 if none matches.

    Example: chainhead list --task time-series-classification
    """
    import registry
    from registry.description import as_json, table_of_models

    models = [registry.model_info(name) for name in registry.list_models(pattern, task=task)]
    if in_json:
        say_json([as_json(model) for model in models], indent=2)
    elif models:
        with reported_errors():
            console().print(table_of_models(models))
    if not models:
        fail(f"no model matches: {len(registry.list_models())} models are installed, see chainhead list")


def info(
    name: Annotated[str, typer.Argument(help=NAME_HELP, autocompletion=complete_sources)],
    in_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show what is known of a model: task, labels, columns, files; for models of the zoo also data, metrics, licence.

    Example: chainhead info chainhead-japanese-vowels
    """
    with reported_errors():
        import registry
        from registry.description import as_json, table_of_model

        from ..answering.find_model import find_model
        from .files.checkpoint_folder import folder_facts, table_of_folder

        if name in registry.list_models():
            entry = registry.model_info(name)
            found, table = as_json(entry), table_of_model(entry)
        else:
            found = folder_facts(find_model(name))
            table = table_of_folder(found)
        if in_json:
            say_json(found, indent=2)
        else:
            console().print(table)


def card(
    name: Annotated[
        str,
        typer.Argument(
            help="A model of the zoo, a checkpoint's folder, or a repository as owner/name.",
            autocompletion=complete_sources,
        ),
    ],
    raw: Annotated[bool, typer.Option("--raw", help="Show its source, with the front matter.")] = False,
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


def _card_file(name: str) -> Path:
    import registry

    from ..answering.find_model import zoo_model
    from ..plugin import card_of

    if name in registry.list_models():
        return registry.model_info(name).card or Path(f"{name}.md")
    if Path(name).is_dir():
        return Path(name, "README.md")
    if "/" not in name:
        return card_of(name) or zoo_model(name).card or Path(f"{name}.md")
    return registry.pull(name) / "README.md"
