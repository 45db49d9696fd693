"""`python -m benchmarks.encoders`: encoders with chain heads and with their own, and the table of docs/encoders.md."""

import json
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console

from .models import HEADS
from .report import put_into
from .training import SETS, STEPS, train

ROOT = Path(__file__).parents[2]


def main(
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each head on each set.")] = 3,
    steps: Annotated[int, typer.Option(min=1, help="Of each training.")] = STEPS,
    page: Annotated[Path, typer.Option(help="The page whose table is written anew.")] = ROOT
    / "docs"
    / "encoders.md",
) -> None:
    """Train each encoder with each head; results are kept beside the page, in encoders.json."""
    console = Console()
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = []
    for encoder, names in SETS.items():
        for name in names:
            for head in HEADS:
                for seed in range(seeds):
                    rows.append(train(encoder, head, name, seed, steps))
                    console.print(f"{encoder}, {name}, {head}, seed {seed}: {rows[-1]['accuracy']:.3f}")
    page.with_suffix(".json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    page.write_text(put_into(page.read_text("utf-8"), rows), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
