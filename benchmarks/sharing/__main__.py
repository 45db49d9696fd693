"""`python -m benchmarks.sharing`: one long chain by one process and by several, and the table of docs/scale.md."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ..machine import describe
from .measuring import Plan, measure
from .report import put_into, render

ROOT = Path(__file__).parents[2]


def main(
    nodes: Annotated[int, typer.Option(min=1, help="Of the chain; rounded up to a multiple of 4.")] = 10**8,
    rounds: Annotated[int, typer.Option(min=1, help="How often everything is measured.")] = 3,
    seed: Annotated[int, typer.Option(help="Of nodes, weights and the order of turns.")] = 0,
    page: Annotated[Path, typer.Option(help="The page whose table is written anew.")] = ROOT
    / "docs"
    / "scale.md",
) -> None:
    """Mix one chain by 1, 2 and 4 processes in turns; 100 million nodes take 6 GiB of memory and some minutes."""
    machine = describe("cpu")
    plan = Plan(nodes + -nodes % 4, rounds=rounds, seed=seed)
    text = render(plan, machine, measure(plan))
    page.write_text(put_into(page.read_text("utf-8"), text), encoding="utf-8")
    Console().print(text)


if __name__ == "__main__":
    typer.run(main)
