"""`python -m benchmarks.order`: learn tasks in which only order matters, and write docs/order.md with its picture."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ..machine import describe
from .plan import QUICK, OutOfTime, Plan, Runs, run, steps
from .report import write_report

ROOT = Path(__file__).parents[2]


def learn(plan: Plan, runs: Runs, console: Console) -> dict[str, Any]:
    """Do the plan's trainings, behind a progress bar.

    Returns
    -------
    dict
        The content of the `--json` file: the plan, the machine, whether all was done in the time, and a row for every
        training that counts.
    """
    rows: list[dict[str, Any]] = []
    complete = True
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("starting", total=steps(plan))
        try:
            for row in run(plan, runs):
                rows.append(row)
                label = f"{row['task']}, {row['length']:,} nodes, seed {row['seed']}: {row['model']}"
                progress.update(bar, advance=1, description=label)
        except OutOfTime:
            complete = False
    return {"plan": asdict(plan), "machine": describe("cpu"), "complete": complete, "rows": rows}


def main(
    quick: Annotated[
        bool, typer.Option("--quick", help="A few models on short chains, in a minute.")
    ] = False,
    minutes: Annotated[
        float | None,
        typer.Option(min=0, help="Begin no training after so many, and report those that are done."),
    ] = None,
    kept: Annotated[
        Path | None, typer.Option("--runs", help="Folder of finished trainings; runs/order[-quick].")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Folder for order.md and images/: docs, or with --quick that of the runs."),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write every result there.")
    ] = None,
) -> None:
    """Train every kind of chain head and its peers on three tasks of order; a run that was cut off goes on."""
    console = Console()
    plan = QUICK if quick else Plan()
    folder = kept or ROOT / "runs" / ("order-quick" if quick else "order")
    deadline = None if minutes is None else time.monotonic() + 60 * minutes
    try:
        runs = Runs(folder, plan.budget, deadline)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--runs") from error
    results = json.loads(json.dumps(learn(plan, runs, console)))
    if not results["rows"]:
        raise typer.BadParameter("not one training was done in that time", param_hint="--minutes")
    if json_file is not None:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    console.print(f"wrote {write_report(results, output or (folder if quick else ROOT / 'docs'))}")


if __name__ == "__main__":
    typer.run(main)
