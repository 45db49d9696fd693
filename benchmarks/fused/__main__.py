"""`python -m benchmarks.fused`: check the fused kernels on a CUDA device, time them, and say which targets are met."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console

from ..machine import describe
from ..speed.contestants import Shape
from ..speed.work import Work
from .checks import LENGTHS, find_mistakes
from .report import render
from .targets import GROUPS, SHAPES
from .timings import Timer, time_shape, time_small_calls, time_tiles

WORKS: tuple[Work, ...] = ("forward", "forward+backward")


def measure(
    timer: Timer,
    minutes: float,
    console: Console,
    *,
    names: tuple[str, ...] = tuple(GROUPS),
    shapes: tuple[Shape, ...] = SHAPES,
    lengths: tuple[int, ...] = LENGTHS,
) -> dict[str, Any]:
    """Check first, then time what there is time for; the most telling parts come first.

    Parameters
    ----------
    timer : Timer
    minutes : float
        No part is begun later than that.
    console : rich.console.Console
    names : tuple of str
        Of contestants.
    shapes : tuple of (batch, length, m, n)
    lengths : tuple of int
        Those of the check.

    Returns
    -------
    dict
        The content of the `--json` file.
    """
    start = time.perf_counter()
    with console.status("checking outputs and gradients"):
        mistakes = [asdict(mistake) for mistake in find_mistakes(names, timer.device, timer.seed, lengths)]
    results: dict[str, Any] = {
        "machine": describe(timer.device),
        "seed": timer.seed,
        "mistakes": mistakes,
        "shapes": [],
        "small": [],
        "tiles": [],
        "unmeasured": [],
    }
    parts: list[tuple[str, str, Callable[[], list[dict[str, Any]]]]] = [
        ("shapes", f"{work}, {m} → {n}", partial(time_shape, timer, names, (batch, length, m, n), work))
        for work in WORKS
        for batch, length, m, n in shapes
    ]
    parts.append(("small", "small calls", partial(time_small_calls, timer, names)))
    parts += [
        ("tiles", f"tiles, {shape[2]} → {shape[3]}", partial(time_tiles, timer, shape)) for shape in shapes
    ]
    for kind, title, part in [] if mistakes else parts:
        if time.perf_counter() - start > 60 * minutes:
            results["unmeasured"].append(title)
            continue
        with console.status(title):
            results[kind] += part()
    results["seconds"] = time.perf_counter() - start
    return results


def main(
    seed: Annotated[int, typer.Option(help="For weights, inputs and the order of each round.")] = 0,
    rounds: Annotated[int, typer.Option(min=1, help="How often every call is timed.")] = 7,
    minutes: Annotated[float, typer.Option(min=0, help="Begin no part later than that.")] = 7,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write every measurement there.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option("--markdown", metavar="FILE", help="Also write the tables there.")
    ] = None,
) -> None:
    """Check the fused kernels on a CUDA device in bfloat16, time them beside nn.Linear, and print targets met."""
    console = Console()
    if not torch.cuda.is_available():
        raise typer.BadParameter("torch finds no CUDA device here")
    results = measure(Timer("cuda", seed, rounds, 0.002), minutes, console)
    tables = render(json.loads(json.dumps(results)))
    console.print(tables, markup=False, soft_wrap=True)
    for path, text in ((json_file, json.dumps(results, indent=1) + "\n"), (markdown, tables)):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if results["mistakes"]:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
