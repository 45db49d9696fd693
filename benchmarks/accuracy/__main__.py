"""`python -m benchmarks.accuracy`: the default classifier beside its peers; writes docs/accuracy.md."""

import json
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import numba
import torch
import typer
from rich.console import Console
from threadpoolctl import threadpool_limits

from ..machine import describe
from .contestants import BASE, CONTESTANTS, SLOW
from .measuring import measure
from .report import write_report
from .sets import FOLDER_VARIABLE, find_sets
from .threads import LARGE, measure_threads

ROOT = Path(__file__).parents[2]


def _split(text: str | None) -> list[str]:
    return [] if text is None else [name.strip() for name in text.split(",") if name.strip()]


def main(
    sets: Annotated[str | None, typer.Option(help="Sets to take: A,B,C; by default all.")] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help=f"Folder of more sets, NAME/NAME_TRAIN.ts and NAME_TEST.ts; also in {FOLDER_VARIABLE}."
        ),
    ] = None,
    aside: Annotated[
        str | None,
        typer.Option(help="Of these sets, those that no default was chosen on, reported apart: A,B,C."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds.")] = 3,
    without: Annotated[
        str | None, typer.Option(help="Contestants to leave out: A;B, with semicolons.")
    ] = None,
    dtw: Annotated[bool, typer.Option("--dtw", help="Also 1-NN DTW, which is slow.")] = False,
    stack: Annotated[
        bool, typer.Option("--stack", help="Also the default stack, trained: minutes a set.")
    ] = False,
    threads: Annotated[
        bool, typer.Option("--threads", help="Also time on the clock with one and with two threads.")
    ] = False,
    kept: Annotated[
        Path, typer.Option("--runs", help="File of finished runs, to which new runs are added.")
    ] = ROOT / "runs" / "accuracy.jsonl",
    output: Annotated[Path, typer.Option(help="Folder for accuracy.md and images/.")] = ROOT / "docs",
) -> None:
    """Measure accuracy, and time in ratios to MiniRocket; a run that was cut off goes on."""
    torch.set_num_threads(1)
    numba.set_num_threads(1)
    threadpool_limits(1)
    console = Console(soft_wrap=True)
    left_out = [] if without is None else [name.strip() for name in without.split(";")]
    if unknown := [name for name in left_out if name not in CONTESTANTS or name == BASE]:
        raise typer.BadParameter(f"cannot leave out {', '.join(unknown)}", param_hint="--without")
    asked = {"--dtw": dtw, "--stack": stack}
    names = [name for name in CONTESTANTS if name not in left_out and asked.get(SLOW.get(name, ""), True)]
    try:
        found = find_sets(_split(sets), data)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error

    kept_aside = _split(aside)
    if unknown := [name for name in kept_aside if name not in found]:
        raise typer.BadParameter(f"no set {', '.join(unknown)} was found", param_hint="--aside")

    machine = describe("cpu") | {
        name: metadata.version(name) for name in ("aeon", "scikit-learn", "numba", "numpy")
    }
    rows = [json.loads(line) for line in kept.read_text("utf-8").splitlines()] if kept.is_file() else []
    rows = [row for row in rows if row["machine"] == {**machine, **_changing(row["machine"])}]
    timed = [row for row in rows if "threads of" in row]
    rows = [row for row in rows if "threads of" not in row]
    kept.parent.mkdir(parents=True, exist_ok=True)
    with kept.open("a", encoding="utf-8") as file:
        for row in measure(found, names, range(seeds), rows):
            rows.append(row | {"machine": machine})
            file.write(json.dumps(rows[-1]) + "\n")
            file.flush()
            console.print(_told(row))
        for row in measure_threads(found, timed) if threads else ():
            timed.append(row | {"machine": machine})
            file.write(json.dumps(timed[-1]) + "\n")
            file.flush()
            console.print(f"{row['threads of']}: time with one and with two threads")
    rows = [row for row in rows if row["set"] in found and row["model"] in names and row["seed"] < seeds]
    timed = [row for row in timed if row["threads of"] in found or row["threads of"] in LARGE]
    chosen_on = [name for name in found if name not in kept_aside]
    results = _results(rows, names, chosen_on or kept_aside, seeds) | ({"threads": timed} if timed else {})
    if chosen_on and kept_aside:
        results["aside"] = _results(rows, names, kept_aside, seeds)
    console.print(f"wrote {write_report(results, output)}")


def _changing(machine: dict[str, str]) -> dict[str, str]:
    """The settings in which runs of the same program on the same machine differ."""
    return {name: machine[name] for name in ("date", "load before the run") if name in machine}


def _told(row: dict[str, Any]) -> str:
    result = row.get("error") or f"{100 * row['accuracy']:.1f} %, {row['fit']:.2f} + {row['predict']:.2f} s"
    return f"{row['set']}, seed {row['seed']}: {row['model']}: {result}"


def _results(
    rows: list[dict[str, Any]], names: Sequence[str], sets: Sequence[str], seeds: int
) -> dict[str, Any]:
    return {
        "machine": rows[-1]["machine"],
        "models": list(names),
        "sets": list(sets),
        "seeds": seeds,
        "rows": [row for row in rows if row["set"] in sets],
    }


if __name__ == "__main__":
    typer.run(main)
