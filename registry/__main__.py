"""The zoo on the command line: ``python -m registry``."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table

from . import ModelEntry, RegistryWarning, UnknownModelError, list_models, load_plugins, model_info
from .plugins.catalogue import installed_catalogue

app = typer.Typer(
    help="The models that installed plugins bring.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
)
out = Console(markup=False, highlight=False)
if not out.is_terminal:
    out.width = 200  # Nobody sees the end of the screen: paths are not cut.
err = Console(markup=False, highlight=False, stderr=True)


@app.command("list")
def list_command(
    pattern: Annotated[str, typer.Argument(help="Names to match, with the wildcards * ? [ ].")] = "*",
    task: Annotated[str | None, typer.Option(help="Only models for this pipeline task.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything that is known, as JSON.")] = False,
) -> None:
    """List models. Exits with 1 if there is none."""
    models = [model_info(name) for name in list_models(pattern, task=task)]
    _report_failures()
    if as_json:
        out.print_json(data=[vars(model) for model in models], default=_plain, ensure_ascii=True)
    elif models:
        table = Table(
            Column("Name", no_wrap=True),
            Column("Task", no_wrap=True),
            Column("Parameters", justify="right", no_wrap=True),
            "Metric",
            box=SIMPLE_HEAD,
            pad_edge=False,
            padding=(0, 1, 0, 0),
        )
        for model in models:
            leading = dict(list(model.metrics.items())[:1])
            table.add_row(model.name, model.task, f"{model.parameters:,}", _metrics(leading))
        out.print(table)
    else:
        err.print("No installed model matches.")
    if not models:
        raise typer.Exit(1)


@app.command()
def info(name: Annotated[str, typer.Argument(help="The model's name.")]) -> None:
    """Show what is known of a model. Exits with 1 if there is no such model."""
    try:
        model = model_info(name)
    except UnknownModelError as error:
        err.print(str(error), soft_wrap=True)
        raise typer.Exit(1) from error
    _report_failures()
    table = Table(Column(), Column(overflow="fold"), show_header=False, box=None)
    for label, value in _details(model).items():
        table.add_row(label, value)
    out.print(table)


@app.command()
def plugins() -> None:
    """Register every plugin, and show which load. Exits with 1 if one fails."""
    report = load_plugins()
    table = Table("Plugin", "Distribution", "Version", "Status", box=SIMPLE_HEAD)
    for loaded in report.loaded:
        table.add_row(loaded.name, loaded.distribution, loaded.version, "loaded")
    for failed in report.failed:
        table.add_row(failed.name, failed.distribution, failed.version, failed.reason)
    out.print(table)
    if report.failed:
        raise typer.Exit(1)


def _details(model: ModelEntry) -> dict[str, str]:
    hub = f"{model.repo_id} @ {model.revision or 'main'}" if model.repo_id else "-"
    return {
        "Name": model.name,
        "Summary": model.summary,
        "Task": model.task,
        "Class": f"transformers.{model.auto_class}",
        "Parameters": f"{model.parameters:,}",
        "Metrics": _metrics(model.metrics),
        "Data": model.data,
        "Licence": model.license,
        "Checkpoint": str(model.path) if model.path else "not shipped",
        "Hub": hub,
        "Card": str(model.card) if model.card else "-",
        "Plugin": installed_catalogue().owners[model.name].source.label,
    }


def _metrics(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in metrics.items())


def _report_failures() -> None:
    for failed in installed_catalogue().failed:
        err.print(f"Left out: {failed}", soft_wrap=True)


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)


def main() -> None:
    """Run the command line."""
    # The commands report failed plugins themselves, in full sentences.
    warnings.simplefilter("ignore", RegistryWarning)
    app(prog_name="python -m registry")


if __name__ == "__main__":
    main()
