"""The parts of a run, and how each is measured."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from torch import nn

from ..timing import interleave, quartiles, ratios
from .contestants import COPY, FLOOR, Contestant, Shape, build, chosen
from .cuda_graph import INPUTS, CapturedCalls
from .memory import can_measure, cpu_peaks, cuda_peak
from .tinybig_peer import TinyBigHead
from .work import Work, calls_of

Case = Literal["shape", "length", "memory", "million", "small", "step"]
Row = dict[str, Any]


@dataclass(frozen=True)
class Sizes:
    """How large, how often.

    Parameters
    ----------
    shapes : tuple of (batch, length, m, n)
        Where throughput is measured.
    lengths : tuple of int
        Each 16 times the length before; for the growth of the cost with the length.
    nodes, features : int
        Nodes at every length, in as many chains as that needs (at least one), and m = n.
    memory_length : int
        Memory is compared at this length and 8 times it.
    million : (batch, length, m, n)
        The longest chain.
    rounds : int
    least_seconds : float
        Shorter calls are repeated until they take this long.
    """

    shapes: tuple[Shape, ...] = ((16, 1024, 256, 256), (16, 1024, 512, 128))
    lengths: tuple[int, ...] = (64, 1024, 16_384, 262_144)
    nodes: int = 65_536
    features: int = 64
    memory_length: int = 32_768
    million: Shape = (1, 1_048_576, 8, 8)
    rounds: int = 5
    least_seconds: float = 0.002


FULL = Sizes(nodes=262_144, rounds=15)
CUDA_SHAPES: tuple[Shape, ...] = ((64, 1024, 256, 256), (64, 1024, 512, 128), (64, 1024, 1024, 1024))


@dataclass(frozen=True)
class Settings:
    """The settings of a run."""

    device: Literal["cpu", "cuda"] = "cpu"
    dtype: Literal["float32", "bfloat16"] = "float32"
    threads: int = 2
    full: bool = False
    seed: int = 0
    sizes: Sizes = Sizes()

    @property
    def plain(self) -> bool:
        """Whether every contestant can take part."""
        return self.device == "cpu" and self.dtype == "float32"


@dataclass(frozen=True)
class Part:
    """One kind of work by contestants on inputs of one or more shapes, all measured in turns."""

    case: Case
    work: Work
    entries: tuple[tuple[Contestant, Shape], ...]
    timed: bool = True
    memory: bool = False


def plan(settings: Settings, with_tinybig: bool) -> list[Part]:
    """List the parts of a run."""
    sizes, full = settings.sizes, settings.full
    everyone = chosen(full, settings.plain, with_tinybig)
    both: tuple[Work, ...] = ("forward", "forward+backward")
    parts = []

    def add(
        case: Case, work: Work, shapes: Sequence[Shape], among: Sequence[Contestant], **kinds: bool
    ) -> None:
        entries = [(each, shape) for shape in shapes for each in among if each.fits(shape[1], full)]
        if settings.device == "cuda" and case == "shape":
            entries += [(COPY, shape) for shape in shapes if shape[2] == shape[3]]
        parts.append(Part(case, work, tuple(entries), **kinds))

    for number, shape in enumerate(sizes.shapes):
        for work in both:
            add("shape", work, [shape], everyone, memory=full or number == 0)
    width = sizes.features, sizes.features
    by_length = [(max(1, sizes.nodes // length), length, *width) for length in sizes.lengths]
    for work in both if full else both[:1]:
        add("length", work, by_length, everyone)
    for work in both:
        add("small", work, [(1, 8, *width)], everyone)
    add(
        "step", "step", [(1, 1, *width)], [each for each in everyone if each.streams or each.group == "floor"]
    )
    if full:
        linear = [each for each in everyone if each.group in ("floor", "head", "peer")]
        for work in both:
            longer = [(1, length, *width) for length in (sizes.memory_length, 8 * sizes.memory_length)]
            add("memory", work, longer, linear, timed=False, memory=True)
        add("million", "forward", [sizes.million], linear, memory=True)
    return parts


def steps(parts: Sequence[Part], settings: Settings) -> int:
    """How often `run` reports progress."""
    jobs = sum(len(part.entries) for part in parts if part.memory and _in_children(settings))
    return jobs + sum(1 + settings.sizes.rounds * part.timed for part in parts)


def run(parts: Sequence[Part], settings: Settings, tick: Callable[[str], object]) -> list[Row]:
    """Measure all parts; `tick` gets a line about the work, after every round and every memory job."""
    torch.set_num_threads(settings.threads)
    order = random.Random(settings.seed)  # noqa: S311 - no secret depends on it
    rows: list[Row] = []
    for part in parts:
        torch.manual_seed(settings.seed)
        shapes = dict.fromkeys(" × ".join(map(str, shape)) for _, shape in part.entries)
        label = f"{part.case}: {part.work}, {', '.join(shapes)}"
        rows += _measure(part, settings, order, partial(tick, label))
    if _in_children(settings):
        _add_cpu_memory(rows, settings, tick)
    _relate_memory(rows)
    return rows


def _in_children(settings: Settings) -> bool:
    return settings.device == "cpu" and can_measure()


def _measure(part: Part, settings: Settings, order: random.Random, tick: Callable[[], object]) -> list[Row]:
    rows = [
        Row(
            case=part.case,
            work=part.work,
            shape=shape,
            contestant=contestant.name,
            group=contestant.group,
            target=contestant.target,
            wants_memory=part.memory,
        )
        for contestant, shape in part.entries
    ]
    if not part.timed and settings.device == "cpu":
        tick()
        return rows
    modules: dict[tuple[str, Shape], nn.Module] = {}
    calls: dict[tuple[str, Shape], Callable[[], object]] = {}
    first_calls: dict[tuple[str, Shape], Callable[[], object]] = {}
    dtype = getattr(torch, settings.dtype)
    on_cuda = settings.device == "cuda"
    # Small calls and steps measure the cost of a call itself, which a graph would hide.
    in_graphs = on_cuda and part.case not in ("small", "step")
    inputs = {
        shape: [
            torch.randn(*shape[:3], dtype=dtype, device=settings.device)
            for _ in range(INPUTS if in_graphs else 1)
        ]
        for shape in dict.fromkeys(shape for _, shape in part.entries)
    }
    grad_enabled = part.work == "forward+backward"
    for (contestant, shape), row in zip(part.entries, rows, strict=True):
        key = contestant.name, shape
        start = time.perf_counter()
        modules[key] = build(contestant, shape, dtype, settings.device)
        row["build_seconds"] = time.perf_counter() - start
        on_each = [calls_of(modules[key], x, shape[3], part.work) for x in inputs[shape]]
        first_calls[key] = on_each[0]
        calls[key] = CapturedCalls(on_each) if in_graphs else on_each[0]
    with torch.set_grad_enabled(grad_enabled):
        seconds, failures = interleave(
            calls,
            settings.sizes.rounds if part.timed else 0,
            order,
            least_seconds=settings.sizes.least_seconds,
            synchronise=torch.cuda.synchronize if on_cuda else lambda: None,
            on_round=tick,
        )
        if in_graphs:
            seconds = {
                key: [taken and taken / INPUTS for taken in samples] for key, samples in seconds.items()
            }
        for row in rows:
            key, floor = (row["contestant"], row["shape"]), (FLOOR, row["shape"])
            if key in failures:
                row["failure"] = failures[key]
                continue
            if part.timed:
                row["seconds"] = seconds[key]
                row["quartiles"] = quartiles(seconds[key])
                row["ratio"] = quartiles(ratios(seconds[key], seconds[floor]))
            if on_cuda and part.memory:
                row["memory"] = {"extra": cuda_peak(first_calls[key]), "total": None}
            module, copy = modules[key], (COPY.name, row["shape"])
            if isinstance(module, TinyBigHead):
                row["first_call_seconds"] = module.first_call_seconds
            if copy in seconds:
                row["copy_share"] = quartiles(ratios(seconds[copy], seconds[key]))
    return rows


def _add_cpu_memory(rows: Sequence[Row], settings: Settings, tick: Callable[[str], object]) -> None:
    asked = [row for row in rows if row["wants_memory"] and "failure" not in row]
    jobs = [
        {key: row[key] for key in ("contestant", "shape", "work")}
        | {"dtype": settings.dtype, "threads": settings.threads, "seed": settings.seed}
        for row in asked
    ]
    for row, peak in zip(asked, cpu_peaks(jobs), strict=True):
        row["memory"] = peak
        tick(f"peak memory, {row['work']}: {row['contestant']}")


def _relate_memory(rows: Sequence[Row]) -> None:
    """Divide every peak by that of nn.Linear at the same work."""
    floors = {
        (row["case"], row["work"], row["shape"]): row["memory"]["extra"]
        for row in rows
        if row["contestant"] == FLOOR and "memory" in row
    }
    for row in rows:
        floor = floors.get((row["case"], row["work"], row["shape"]))
        if floor and row.get("memory", {}).get("extra") is not None:
            row["memory"]["ratio"] = row["memory"]["extra"] / floor
