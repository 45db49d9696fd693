"""The report on how time and memory grow with the length."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from ..tables import DASH, Row, at_most, mebibytes, number, select, table, verdict
from ..timing import ratios
from .targets import LENGTH, MEMORY, MILLION_BYTES


def _names(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row["contestant"] for row in rows))


def _chain_seconds(row: Row) -> float:
    """Median seconds for each chain of a batch."""
    return float(row["quartiles"][1] / row["shape"][0])


def _slope(short: Row, long: Row) -> float:
    """Time of a chain over that of a shorter chain: the median of the rounds' own quotients."""
    calls = median(ratios(long["seconds"], short["seconds"]))
    return calls * float(short["shape"][0] / long["shape"][0])


def _slopes(rows: Sequence[Row]) -> list[float]:
    """Quotients between neighbouring lengths, shortest first."""
    return [
        _slope(short, long) for short, long in pairwise(rows) if long["shape"][1] == 16 * short["shape"][1]
    ]


def _memory_growth(rows: Sequence[Row]) -> float | None:
    sizes = [(row.get("memory") or {}).get("extra") or 0 for row in rows]
    return sizes[1] / sizes[0] if len(sizes) == 2 and all(sizes) else None


def growth_verdicts(rows: Sequence[Row]) -> list[str]:
    """Judge the chain heads' growth in time and memory, and the longest chain's memory."""
    heads = [row for row in rows if row["group"] == "head"]
    judged = []
    for name in _names(heads):
        for work in ("forward", "forward+backward"):
            slopes = _slopes(_timed(heads, work, name))
            judged += [verdict(max(slopes), LENGTH, at_most)] if slopes else []
            growth = _memory_growth(select(heads, "memory", work=work, contestant=name))
            judged.append(verdict(growth, MEMORY, at_most))
    totals = [(row.get("memory") or {}).get("total") for row in select(heads, "million")]
    return judged + [verdict(total, MILLION_BYTES, at_most) for total in totals]


def _timed(rows: Sequence[Row], work: str, name: str) -> list[Row]:
    return [row for row in select(rows, "length", work=work, contestant=name) if "quartiles" in row]


def length_section(rows: Sequence[Row], work: str) -> str:
    """Return the costs per node at every length and their slopes, or nothing if they were not measured."""
    selected = select(rows, "length", work=work)
    if not selected:
        return ""
    shapes = list(dict.fromkeys(tuple(row["shape"]) for row in selected))
    pairs = [(short[1], long[1]) for short, long in pairwise(shapes)]
    head = [f"{work}, ns per node", *(f"L = {length:,} (b = {batch:,})" for batch, length, _, _ in shapes)]
    head += [*(f"t({long:,}) / t({short:,})" for short, long in pairs), "target", ""]
    body = []
    for name in _names(selected):
        timed = _timed(selected, work, name)
        costs = {row["shape"][1]: _chain_seconds(row) / row["shape"][1] * 1e9 for row in timed}
        by_pair = {
            (short["shape"][1], long["shape"][1]): _slope(short, long) for short, long in pairwise(timed)
        }
        is_head = timed and timed[0]["group"] == "head"
        worst = max(_slopes(timed), default=None) if is_head else None
        body.append(
            [
                name,
                *(number(costs[shape[1]]) if shape[1] in costs else DASH for shape in shapes),
                *(number(by_pair[pair]) if pair in by_pair else DASH for pair in pairs),
                f"≤ {LENGTH:g}" if is_head else "",
                verdict(worst, LENGTH, at_most),
            ]
        )
    _, _, m, n = shapes[0]
    nodes = [batch * length for batch, length, _, _ in shapes]
    same = "as many at every length" if len(set(nodes)) == 1 else "more where one chain has more"
    note = (
        f"{m} → {n} features; {min(nodes):,} nodes in b chains, {same}. All lengths are measured in turns. t is "
        "the time of one chain: 16 times as long, it takes 16 times the time where the cost is linear. "
        f"{DASH}: not measured, for it would take too long. The bi-directional inverse changes its form with the "
        "length: short chains are mapped on the eigenvectors that the dtype can see, in place of their nodes; then "
        "it is a product with these eigenvectors, and above about 1,024 nodes a product in blocks. There its cost per "
        "node goes up, and at no greater length."
    )
    return f"## Cost in the length, {work}\n\n{note}\n\n{table(head, body)}"


def memory_section(rows: Sequence[Row], work: str) -> str:
    """Return the peaks at a length and 8 times it, or nothing if they were not measured."""
    selected = select(rows, "memory", work=work)
    if not selected:
        return ""
    lengths = list(dict.fromkeys(row["shape"][1] for row in selected))
    body = []
    for name in _names(selected):
        pair = select(selected, "memory", contestant=name)
        growth, is_head = _memory_growth(pair), pair[0]["group"] == "head"
        body.append(
            [
                name,
                *(mebibytes(row) for row in pair),
                DASH if growth is None else f"{growth:.2f}",
                f"≤ {MEMORY:g}" if is_head else "",
                verdict(growth, MEMORY, at_most) if is_head else "",
            ]
        )
    head = [f"{work}, peak MiB", *(f"L = {length:,}" for length in lengths), "quotient", "target", ""]
    note = (
        "What a process frees it may use again for the next array, or not, by where that fits. For the shorter chain "
        "this moves the peak, and with it the quotient, by up to a fifth from run to run; that of the longer one stays."
    )
    return f"## Memory in the length, {work}\n\n{note}\n\n{table(head, body)}"


def million_section(rows: Sequence[Row]) -> str:
    """Return times and peaks for the longest chain, or nothing if they were not measured."""
    selected = [row for row in select(rows, "million") if "quartiles" in row]
    if not selected:
        return ""
    body = []
    for row in selected:
        total = (row.get("memory") or {}).get("total")
        is_head = row["group"] == "head"
        body.append(
            [
                row["contestant"],
                number(row["quartiles"][1]),
                mebibytes(row),
                DASH if total is None else f"{total / 2**20:,.0f}",
                f"≤ {MILLION_BYTES / 2**20:,.0f}" if is_head else "",
                verdict(total, MILLION_BYTES, at_most) if is_head else "",
            ]
        )
    _, length, m, _ = selected[0]["shape"]
    title = f"## One chain of {length:,} nodes × {m} features, forward"
    head = ["", "s", "peak MiB", "whole process, MiB", "target", ""]
    return f"{title}\n\n{table(head, body)}"
