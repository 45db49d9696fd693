"""The table of docs/scale.md, written from the rows of a run and nothing else."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from ..tables import DASH, number, table
from .measuring import Plan

BEGIN, END = "<!-- numbers: written by benchmarks.sharing -->", "<!-- end of numbers -->"


def render(plan: Plan, machine: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a paragraph on the run, and a Markdown table with a row for every head and number of processes."""
    counts = sorted(plan.processes)
    body = []
    for name in dict.fromkeys(row["head"] for row in sorted(rows, key=lambda row: row["head"])):
        for count in counts:
            here, one = _of(rows, name, count), _of(rows, name, 1)
            body.append(
                [
                    name,
                    str(count),
                    *(_spread([row[part] for row in here]) for part in ("forward", "both", "cpu")),
                    *(DASH if count == 1 else _spread(_ratios(here, one, part)) for part in ("both", "cpu")),
                    DASH if count == 1 else f"{max(row['difference'] for row in here):.0e}",
                ]
            )
    words = ", ".join(f"{key} {value}" for key, value in machine.items())
    rounds = f"{plan.rounds} rounds" if plan.rounds > 1 else "one round"
    head = [
        "head",
        "processes",
        "forward, s",
        "both passes, s",
        "CPU s of the busiest",
        "clock, of one process",
        "CPU, of one process",
        "largest difference",
    ]
    return (
        f"{plan.nodes:,} nodes of {plan.features} features in float32, one thread a process, {rounds} in turns, seed "
        f"{plan.seed}. Machine: {words}.\n\n{table(head, body)}"
    )


def put_into(page: str, text: str) -> str:
    """Return a page with the text between its two marks."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}"


def _of(rows: Sequence[Mapping[str, Any]], name: str, count: int) -> list[Mapping[str, Any]]:
    found = [row for row in rows if row["head"] == name and row["processes"] == count]
    return sorted(found, key=lambda row: row["round"])


def _spread(values: Sequence[float]) -> str:
    middle = number(median(values))
    return middle if len(values) == 1 else f"{middle} ({number(min(values))}–{number(max(values))})"


def _ratios(shared: Sequence[Mapping[str, Any]], one: Sequence[Mapping[str, Any]], part: str) -> list[float]:
    """Seconds against those of one process in the same round."""
    return [here[part] / there[part] for here, there in zip(shared, one, strict=True)]
