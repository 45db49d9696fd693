"""Pieces of the report: tables, verdicts, numbers with their spread."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
DASH = "–"


def verdict(value: float | None, limit: float | None, met: Callable[[float, float], bool]) -> str:
    """Say whether a limit is met, or nothing where there is none."""
    if value is None or limit is None:
        return ""
    return "met" if met(value, limit) else "**not met**"


def at_most(value: float, limit: float) -> bool:
    """Whether a cost is within its limit."""
    return value <= limit


def at_least(value: float, limit: float) -> bool:
    """Whether a speed reaches its limit."""
    return value >= limit


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, its first column to the left."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, rule, *body))


def select(rows: Sequence[Row], case: str, **wanted: Any) -> list[Row]:
    """Rows of a case with the wanted values."""
    return [row for row in rows if row["case"] == case and all(row[key] == wanted[key] for key in wanted)]


def shapes(rows: Sequence[Row], case: str) -> list[list[int]]:
    """Return the shapes of a case, in order."""
    return list(map(list, dict.fromkeys(tuple(row["shape"]) for row in rows if row["case"] == case)))


def number(value: float) -> str:
    """Write a positive number with three digits or more, and no exponent."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def spread(values: Sequence[float], scale: float = 1.0) -> str:
    """Write a median with its quartiles."""
    low, middle, high = (number(value * scale) for value in values)
    return f"{middle} ({low}–{high})"


def mebibytes(row: Row) -> str:
    """Write a row's peak memory, and how many times that of nn.Linear it is."""
    memory = row.get("memory") or {}
    if memory.get("extra") is None:
        return DASH
    text = f"{memory['extra'] / 2**20:,.1f}"
    return f"{text} ({memory['ratio']:.1f} ×)" if "ratio" in memory else text
