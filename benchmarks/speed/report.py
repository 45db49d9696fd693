"""The Markdown report, written from the rows of a run and nothing else."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..tables import Row, at_least, at_most, mebibytes, number, select, shapes, spread, table, verdict
from ..timing import SLOW_ROUNDS, SLOW_SECONDS
from .call_parts import parts_section
from .cuda_graph import INPUTS
from .cuda_parts import cuda_parts_section
from .figures import draw_lengths, draw_ratios
from .growth import growth_verdicts, length_section, memory_section, million_section
from .loading import loading_section, loading_verdicts
from .targets import copy_limit, linear_limit

Results = Mapping[str, Any]


def write_report(results: Results, folder: Path) -> Path:
    """Write the report and its pictures.

    Parameters
    ----------
    results : mapping
        The content of the `--json` file.
    folder : Path
        Pictures go to its `images/`.

    Returns
    -------
    Path
        Of the report: `benchmarks.md`; runs on CUDA or in bfloat16 have that in their files' names.
    """
    settings = results["settings"]
    parts = [settings["device"], settings["dtype"]]
    suffix = "" if parts == ["cpu", "float32"] else "-" + "-".join(parts)
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    pictures = {}
    for name, draw in (("ratios", draw_ratios), ("lengths", draw_lengths)):
        pictures[name] = f"images/benchmark{suffix}-{name}.png"
        draw(results, folder / pictures[name])
    report = folder / f"benchmarks{suffix}.md"
    report.write_text(render(results, pictures), encoding="utf-8")
    return report


def render(results: Results, pictures: Mapping[str, str]) -> str:
    """Return the report as Markdown."""
    rows, settings = results["rows"], results["settings"]
    sections = [
        "# Benchmarks\n\nHow fast chain heads are and how much memory they take, beside `nn.Linear` and the layers "
        "that one would use instead; what each kind can learn of order is [measured too](order.md). Written by "
        "`python -m benchmarks"
        + (" --full" if settings["full"] else "")
        + ("" if settings["device"] == "cpu" else f" --device {settings['device']}")
        + ("" if settings["dtype"] == "float32" else f" --dtype {settings['dtype']}")
        + "` (extra `train`, for its pictures) from its measurements; not edited by hand.",
        _summary(results),
        _method(results),
        f"![Times of nn.Linear for one shape, all contestants]({pictures['ratios']})",
        *(_shape(rows, shape, settings["device"]) for shape in shapes(rows, "shape")),
        cuda_parts_section(results["cuda_parts"]),
        f"![Time of one chain against its length, all contestants]({pictures['lengths']})",
        *(length_section(rows, work) for work in ("forward", "forward+backward")),
        *(memory_section(rows, work) for work in ("forward", "forward+backward")),
        million_section(rows),
        _small(rows, settings["device"]),
        parts_section(results["call_parts"]),
        loading_section(results["loading"]),
        _first_calls(rows),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _summary(results: Results) -> str:
    rows, device, loading = results["rows"], results["settings"]["device"], results["loading"]
    judged = [
        verdict(row["ratio"][1], linear_limit(row, device), at_most) for row in rows if row.get("ratio")
    ]
    judged += [
        verdict(row["copy_share"][1], copy_limit(row), at_least) for row in rows if row.get("copy_share")
    ]
    judged += growth_verdicts(rows)
    judged += [] if loading is None else loading_verdicts(loading)
    return f"{judged.count('met')} of {sum(map(bool, judged))} targets were met in this run."


def _method(results: Results) -> str:
    settings, machine = results["settings"], results["machine"]
    sizes = settings["sizes"]
    facts = [f"{key}: {value}" for key, value in machine.items()]
    memory = (
        "what torch's allocator held at the most"
        if settings["device"] == "cuda"
        else "growth of the resident set, in a process of its own, which libraries' scratch space counts in"
    )
    return "\n".join(
        [
            "## What was measured",
            "",
            f"- **Run**: {settings['device']}, {settings['dtype']}, {settings['threads']} threads, seed "
            f"{settings['seed']}, {sizes['rounds']} rounds.",
            f"- **Machine and versions**: {'; '.join(facts)}; tinyBIG: {results['tinybig']}.",
            "- **In turns**: every round calls all contestants once, in an order drawn anew from the seed, so "
            f"that a busy moment hits them all. Calls of more than {SLOW_SECONDS} s take part in "
            f"{SLOW_ROUNDS} rounds; those of less than {sizes['least_seconds'] * 1000:g} ms are repeated until "
            "they take as long.",
            "- **Numbers** are medians over the rounds, with the quartiles in brackets. A ratio is the median of "
            "the rounds' own ratios to the `nn.Linear` of the same round. `nn.Linear` takes part twice: how far "
            "the second one is from 1 tells what the noise is.",
            *(
                [
                    f"- **CUDA graphs**: calls on {INPUTS} inputs that take turns are captured into one graph, so that "
                    "a time is the device's, with inputs that are not in its cache. Small calls and steps are called "
                    "one by one: there a time is what a call costs."
                ]
                if settings["device"] == "cuda"
                else []
            ),
            *(
                [
                    "- **Freed memory is kept** by all contestants, as `MALLOC_MMAP_MAX_=0 "
                    "MALLOC_TRIM_THRESHOLD_=2147483647` has it for any program: left to itself, glibc maps arrays from "
                    "32 MiB on anew for every call, which costs more than their matrix product. Not where memory is "
                    "measured."
                ]
                if results["keeps_memory"] and settings["device"] == "cpu"
                else []
            ),
            "- **Work**: *forward* in evaluation mode without autograd; *forward+backward* in training mode, "
            "with the gradients of the input and of all weights. No bias, activation or softmax in any head or "
            "`nn.Linear`: the floor is the matrix product that all share.",
            f"- **Memory**: peak of one call beyond its input and weights: {memory}.",
            "- **Dense A** is the formula with its L×L matrix, built beforehand. minGRU is that of "
            "[Feng et al., 2024](https://arxiv.org/abs/2410.01201), solved in log space for all nodes at once.",
        ]
    )


def _shape(rows: Sequence[Row], shape: Sequence[int], device: str) -> str:
    batch, length, m, n = shape
    sections = [f"## {batch} chains of {length:,} nodes, {m} → {n} features"]
    for work in ("forward", "forward+backward"):
        selected = select(rows, "shape", shape=list(shape), work=work)
        with_copy = any("copy_share" in row for row in selected)
        head = [work, "ms", "million nodes/s", "× nn.Linear", "target", "", "peak MiB"]
        head += ["share of a copy's speed", "target", ""] * with_copy
        body = []
        for row in selected:
            if "failure" in row:
                body.append([row["contestant"], f"failed: {row['failure']}", *[""] * (len(head) - 2)])
                continue
            limit = linear_limit(row, device)
            line = [
                row["contestant"],
                spread(row["quartiles"], 1000),
                number(batch * length / row["quartiles"][1] / 1e6),
                spread(row["ratio"]),
                "" if limit is None else f"≤ {limit:g}",
                verdict(row["ratio"][1], limit, at_most),
                mebibytes(row),
            ]
            if with_copy:
                share, least = row["copy_share"], copy_limit(row)
                line += [
                    spread(share),
                    "" if least is None else f"≥ {least:g}",
                    verdict(share[1], least, at_least),
                ]
            body.append(line)
        sections.append(table(head, body))
    return "\n\n".join(sections)


def _small(rows: Sequence[Row], device: str) -> str:
    sections = []
    for case, work, title in (
        ("small", "forward", "One small chain"),
        ("small", "forward+backward", "One small chain, with gradients"),
        ("step", "step", "One node of a stream: `head.step`"),
    ):
        selected = [row for row in select(rows, case, work=work) if row.get("ratio")]
        if not selected:
            continue
        batch, length, m, n = selected[0]["shape"]
        body = []
        for row in selected:
            limit = linear_limit(row, device)
            body.append(
                [
                    row["contestant"],
                    spread(row["quartiles"], 1e6),
                    spread(row["ratio"]),
                    "" if limit is None else f"≤ {limit:g}",
                    verdict(row["ratio"][1], limit, at_most),
                ]
            )
        sections.append(
            f"## {title}\n\nBatch {batch}, nodes {length}, {m} → {n} features: what a call costs before "
            f"arithmetic does.\n\n{table([work, 'µs', '× nn.Linear', 'target', ''], body)}"
        )
    return "\n\n".join(sections)


def _first_calls(rows: Sequence[Row]) -> str:
    """Time to build the tensors that a contestant keeps for a length, if it keeps any."""
    body, seen = [], set()
    for row in rows:
        seconds = row.get("first_call_seconds")
        if row["group"] == "dense":
            seconds = row.get("build_seconds")
        key = row["contestant"], row["shape"][1]
        if seconds is not None and key not in seen and row["case"] == "length":
            seen.add(key)
            body.append([row["contestant"], f"{row['shape'][1]:,}", number(seconds)])
    if not body:
        return ""
    note = "What building A costs once for each length; for tinyBIG, its first call. Not in the times above."
    return f"## Building A\n\n{note}\n\n{table(['', 'nodes', 's'], body)}"
