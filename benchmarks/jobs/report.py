"""The table of docs/scale.md about jobs, written from a run and nothing else."""

from collections.abc import Mapping, Sequence
from statistics import median

from ..tables import DASH, number, table
from .measuring import ALONE, Measured, Plan

BEGIN, END = "<!-- numbers: written by benchmarks.jobs -->", "<!-- end of the numbers of benchmarks.jobs -->"


def render(plan: Plan, machine: Mapping[str, str], found: Sequence[Measured]) -> str:
    """Return a sentence on the run, and a table with a row for each form."""
    body = []
    alone = median([row.rate for row in found if row.form == ALONE])
    for form in plan.forms:
        rows = [row for row in found if row.form == form]
        rates = [row.rate for row in rows]
        body.append(
            [
                form,
                _spread(rates),
                f"{median(rates) / alone:.2f}",
                _spread([row.cpu for row in rows if row.cpu is not None]),
                _spread([row.whole for row in rows]),
            ]
        )
    words = ", ".join(f"{key} {value}" for key, value in machine.items())
    head = ["", "texts a second", "times the pipeline alone", "CPU ms a text", "seconds with the start"]
    return (
        f"{plan.rows:,} texts of 5 to 100 words for `chainhead-sentiment`, parts of {plan.part_rows}, batches of "
        f"{plan.batch_size}, one thread each, medians of {plan.rounds} rounds in turns with the smallest and the "
        f"largest, seed {plan.seed}. Machine: {words}.\n\n{table(head, body)}"
    )


def put_into(page: str, text: str) -> str:
    """Return a page with the text between its two marks."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def _spread(values: Sequence[float]) -> str:
    if not values:
        return DASH
    return f"{number(median(values))} ({number(min(values))}–{number(max(values))})"
