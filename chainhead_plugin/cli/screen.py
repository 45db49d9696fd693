"""Output of the command line: lines, JSON, texts of files, and errors, with control characters escaped."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import typer

from registry.screen import UNPRINTABLE_LINES, console, printable


def say(message: object, *, stderr: bool = False) -> None:
    """Write a line to standard output, or to standard error."""
    typer.echo(printable(message), err=stderr)


def say_json(value: Any, *, indent: int | None = None) -> None:
    """Write a value as JSON. Control characters, which a terminal would obey, are written as escapes of JSON."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    typer.echo(UNPRINTABLE_LINES.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def say_as_written(text: str) -> None:
    """Write a file's text: unchanged into a file or a pipe, with control characters escaped on a terminal."""
    is_shown = console().is_terminal
    typer.echo(printable(text) if is_shown else text, nl=not text.endswith("\n"))


def fail(message: object) -> NoReturn:
    """Write an error message, and end the command with exit code 1."""
    say(f"Error: {message}", stderr=True)
    raise typer.Exit(1)


def wrong(message: str, option: str | None = None) -> typer.BadParameter:
    """Return the error for a wrong option or argument; raised, it ends the command with exit code 2."""
    return typer.BadParameter(printable(message), param_hint=option)
