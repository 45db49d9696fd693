"""What the command line says: lines, JSON, files' texts and errors, with foreign text made harmless."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import typer

from registry.screen import UNPRINTABLE_LINES, console, printable


def say(message: object, *, stderr: bool = False) -> None:
    """Write a line."""
    typer.echo(printable(message), err=stderr)


def say_json(value: Any, *, indent: int | None = None) -> None:
    """Write a value as JSON; characters that a terminal would obey are written with JSON's escapes, and so kept."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    typer.echo(UNPRINTABLE_LINES.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def say_as_written(text: str) -> None:
    """Write a file's text: as it is into a file or a pipe, as a terminal can show it in one."""
    is_shown = console().is_terminal
    typer.echo(printable(text) if is_shown else text, nl=not text.endswith("\n"))


def fail(message: object) -> NoReturn:
    """Say what went wrong, and end with 1."""
    say(f"Error: {message}", stderr=True)
    raise typer.Exit(1)


def wrong(message: str, option: str | None = None) -> typer.BadParameter:
    """Return the error of a command line that was given in the wrong way, which ends with 2."""
    return typer.BadParameter(printable(message), param_hint=option)
