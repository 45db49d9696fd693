"""The tables of a run, as Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..speed.contestants import FLOOR
from ..tables import DASH, Row, at_most, number, spread, table, verdict
from .targets import SMALL_CALL, SMALL_GRAPH, limit

Results = Mapping[str, Any]
_BACKENDS = ("auto", "fused")


def render(results: Results) -> str:
    """Return the tables of a run.

    Parameters
    ----------
    results : mapping
        The content of the `--json` file.
    """
    verdicts: list[str] = []
    sections = [
        _shapes(results["shapes"], verdicts),
        _small(results["small"], verdicts),
        _tiles(results["tiles"]),
        _unmeasured(results["unmeasured"]),
    ]
    facts = "; ".join(f"{key}: {value}" for key, value in results["machine"].items())
    summary = (
        f"{verdicts.count('met')} of {sum(map(bool, verdicts))} targets were met in this run, of bfloat16 with seed "
        f"{results['seed']}, in {results['seconds']:.0f} s. {facts}."
    )
    return (
        "\n\n".join(["# Fused kernels", summary, _mistakes(results["mistakes"]), *filter(None, sections)])
        + "\n"
    )


def _mistakes(mistakes: Sequence[Row]) -> str:
    if not mistakes:
        return "Outputs and gradients are right at every length that was tried, with and without padding."
    body = [
        [
            row["contestant"],
            f"{row['length']:,}",
            "yes" if row["masked"] else "no",
            row["result"],
            f"{row['error']:.1e}",
        ]
        for row in mistakes
    ]
    head = ["**wrong**", "nodes", "padded", "result", "error, of the largest value"]
    return f"{table(head, body)}\n\nTimes of wrong results say nothing: none were measured."


def _shapes(rows: Sequence[Row], verdicts: list[str]) -> str:
    sections = []
    for shape, work in dict.fromkeys((tuple(row["shape"]), row["work"]) for row in rows):
        chosen = [row for row in rows if (tuple(row["shape"]), row["work"]) == (shape, work)]
        limits = [
            None if row["contestant"] == FLOOR else limit(row["contestant"], shape, work) for row in chosen
        ]
        batch, length, m, n = shape
        title = f"## {batch} chains of {length:,} nodes, {m} → {n} features"
        sections.append(f"{title}\n\n{_comparison(work, chosen, limits, verdicts)}")
    return "\n\n".join(sections)


def _small(rows: Sequence[Row], verdicts: list[str]) -> str:
    sections = []
    for way, work in dict.fromkeys((row["way"], row["work"]) for row in rows):
        chosen = [row for row in rows if (row["way"], row["work"]) == (way, work)]
        most = SMALL_CALL if way == "called" else SMALL_GRAPH
        limits = [None if row["contestant"] == FLOOR else most for row in chosen]
        title = "## One chain of 8 nodes" if work == "forward" else "## A step"
        title += ", 64 → 64 features, " + ("called" if way == "called" else "in a CUDA graph")
        sections.append(f"{title}\n\n{_comparison(work, chosen, limits, verdicts)}")
    return "\n\n".join(sections)


def _comparison(work: str, rows: Sequence[Row], limits: Sequence[float | None], verdicts: list[str]) -> str:
    """Both backends beside each other; the faster of them is judged."""
    body = []
    for row, most in zip(rows, limits, strict=True):
        medians = [ratio for way in _BACKENDS if (ratio := _median(row.get(way))) is not None]
        judged = verdict(min(medians, default=None), most, at_most)
        verdicts.append(judged)
        body.append(
            [
                row["contestant"],
                *(_microseconds(row.get(way)) for way in _BACKENDS),
                *(_times(row.get(way)) for way in _BACKENDS),
                "" if most is None else f"≤ {most:g}",
                judged,
            ]
        )
    return table(
        [work, "µs, auto", "µs, fused", "× nn.Linear, auto", "× nn.Linear, fused", "target", ""], body
    )


def _tiles(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    body = [
        [
            f"{row['contestant']}: {row['shape'][2]} → {row['shape'][3]}",
            _microseconds(row["fused"]),
            _times(row["fused"]),
        ]
        for row in rows
    ]
    return f"## Tiles of the exponential filter, both ways\n\n{table(['', 'µs', '× nn.Linear'], body)}"


def _unmeasured(parts: Sequence[str]) -> str:
    return f"There was no time left for: {'; '.join(parts)}." if parts else ""


def _median(timing: Mapping[str, Any] | None) -> float | None:
    return None if timing is None or "failure" in timing else timing["ratio"][1]


def _microseconds(timing: Mapping[str, Any] | None) -> str:
    if timing is None:
        return DASH
    return f"failed: {timing['failure']}" if "failure" in timing else number(timing["microseconds"][1])


def _times(timing: Mapping[str, Any] | None) -> str:
    return DASH if _median(timing) is None or timing is None else spread(timing["ratio"])
