"""The table of docs/encoders.md, written from the rows of a run and nothing else."""

from collections.abc import Mapping, Sequence
from statistics import mean, pstdev
from typing import Any

from .models import HEADS

BEGIN, END = "<!-- numbers: written by benchmarks.encoders -->", "<!-- end of numbers -->"


def render(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a Markdown table of accuracies in %: a row for every encoder and set."""
    lines = [
        "| encoder, data | "
        + " | ".join(HEADS)
        + " | weights, own and chain head | CPU seconds, own and chain head |",
        "|---|" + "---:|" * (len(HEADS) + 2),
    ]
    for encoder, name in dict.fromkeys((row["encoder"], row["set"]) for row in rows):
        here = [row for row in rows if (row["encoder"], row["set"]) == (encoder, name)]
        by_head = {head: [row for row in here if row["head"] == head] for head in HEADS}
        cells = [_accuracy([100 * row["accuracy"] for row in found]) for found in by_head.values()]
        pair = [by_head[head] for head in HEADS[:2]]
        weights = " and ".join(f"{found[0]['weights']:,}" for found in pair)
        seconds = " and ".join(f"{mean(row['seconds'] for row in found):.0f}" for found in pair)
        lines.append(f"| {encoder}, {name} | " + " | ".join([*cells, weights, seconds]) + " |")
    return "\n".join(lines)


def put_into(page: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a page with the table between its two marks."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n{render(rows)}\n{END}{rest.split(END)[1]}"


def _accuracy(values: Sequence[float]) -> str:
    return f"{mean(values):.1f} ± {pstdev(values):.1f}"
