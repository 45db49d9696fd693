"""The zoo on the command line: ``python -m registry``."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from . import RegistryError, RegistryWarning, UnknownModelError, list_models, load_plugins, model_info
from .description import as_json as model_as_json, table_of_model, table_of_models
from .plugins.catalogue import installed_catalogue
from .screen import console

if TYPE_CHECKING:
    from .scripts.environment import Autoload

app = typer.Typer(
    help="The models that installed plugins bring.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
)
autoload_app = typer.Typer(
    help="Register plugins in every script of this environment, if you want that.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(autoload_app, name="autoload")
out, err = console(), console(stderr=True)


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
        out.print_json(data=[model_as_json(model) for model in models], ensure_ascii=True)
    elif models:
        out.print(table_of_models(models))
    else:
        err.print("No installed model matches.")
    if not models:
        raise typer.Exit(1)


@app.command()
def info(name: Annotated[str, typer.Argument(help="The model's name.")]) -> None:
    """Describe a model. Exits with 1 if there is no such model."""
    try:
        model = model_info(name)
    except UnknownModelError as error:
        err.print(str(error), soft_wrap=True)
        raise typer.Exit(1) from error
    _report_failures()
    out.print(table_of_model(model))


@app.command()
def plugins() -> None:
    """Register every plugin, and show which load. Exits with 1 if a plugin fails."""
    report = load_plugins()
    table = Table("Plugin", "Distribution", "Version", "Status", box=SIMPLE_HEAD)
    for loaded in report.loaded:
        table.add_row(loaded.name, loaded.distribution, loaded.version, "loaded")
    for failed in report.failed:
        table.add_row(failed.name, failed.distribution, failed.version, failed.reason)
    out.print(table)
    if report.failed:
        raise typer.Exit(1)


@app.command(
    context_settings={
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
        "help_option_names": [],
    },
)
def run(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="SCRIPT|-m MODULE [ARGUMENTS]...", help="The script or module to run, as for python."
        ),
    ],
) -> None:
    """Run a script or module as python does, with every plugin registered. The script need not know any plugin.

    Example: python -m registry run train.py --model_name_or_path my-model
    """
    from .scripts.running import run as run_with_plugins

    with _told():
        run_with_plugins(arguments)


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="A new folder, named as the distribution.")],
    plain_torch: Annotated[
        bool, typer.Option("--plain-torch", help="With a model that is a plain torch.nn.Module.")
    ] = False,
) -> None:
    """Write a distribution that brings a model to the zoo, with weights, card and tests, to start from.

    Example: python -m registry new my-zoo
    """
    from .new.distribution import new_distribution

    with _told():
        written = new_distribution(folder, plain_torch=plain_torch)
        out.print(f"Wrote {written}. Next:\n", soft_wrap=True)
        out.print(f'  cd {folder} && pip install -e ".[test]" && pytest', soft_wrap=True)
        out.print(f"  python -m registry info {written.name}-digits", soft_wrap=True)


@autoload_app.command()
def enable() -> None:
    """Register plugins in every script of this environment, when it imports transformers or timm."""
    from .scripts.environment import enable as enable_autoload

    with _told():
        _show_autoload(enable_autoload())


@autoload_app.command()
def disable() -> None:
    """Undo `enable`; nothing is left behind."""
    from .scripts.environment import disable as disable_autoload

    with _told():
        _show_autoload(disable_autoload())


@autoload_app.command()
def status() -> None:
    """Tell whether scripts of this environment register plugins by themselves."""
    from .scripts.environment import status as autoload_status

    _show_autoload(autoload_status())


@contextmanager
def _told() -> Iterator[None]:
    """Show an error as a sentence, and exit with 1."""
    try:
        yield
    except RegistryError as error:
        err.print(str(error), soft_wrap=True)
        raise typer.Exit(1) from error


def _show_autoload(found: Autoload) -> None:
    word = "enabled" if found.enabled else "disabled"
    out.print(f"autoload is {word} for {found.interpreter}, by {found.file}", soft_wrap=True)


def _report_failures() -> None:
    for failed in installed_catalogue().failed:
        err.print(f"Left out: {failed}", soft_wrap=True)


def main() -> None:
    """Run the command line."""
    # The commands report failed plugins themselves, in full sentences.
    warnings.simplefilter("ignore", RegistryWarning)
    app(prog_name="python -m registry")


if __name__ == "__main__":
    main()
