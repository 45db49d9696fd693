"""`python -m benchmarks.jobs`: jobs beside the pipeline's own work, and the table of docs/scale.md about them."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ..machine import describe
from .measuring import Plan, measure
from .report import put_into, render

ROOT = Path(__file__).parents[2]


def main(
    rows: Annotated[int, typer.Option(min=2_000, help="Texts of a job.")] = 16_000,
    rounds: Annotated[int, typer.Option(min=1, help="How often everything is measured.")] = 3,
    seed: Annotated[int, typer.Option(help="Of texts and the order of turns.")] = 0,
    page: Annotated[Path, typer.Option(help="The page whose table is written anew.")] = ROOT
    / "docs"
    / "scale.md",
) -> None:
    """Predict the same texts by the pipeline alone, a job in a loop, and Ray with 1 and 2 workers; takes minutes."""
    machine = describe("cpu")
    plan = Plan(rows, rounds, seed)
    console = Console()
    found = []
    for measured in measure(plan):
        console.print(measured)
        found.append(measured)
    text = render(plan, machine, found)
    page.write_text(put_into(page.read_text("utf-8"), text), encoding="utf-8")
    console.print(text)


if __name__ == "__main__":
    typer.run(main)
