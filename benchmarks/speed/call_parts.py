"""The parts of calls that miss their targets: matrix products, mixing along the chain, and the rest."""

import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from chainhead_plugin.chain.step import mix_step, move_step
from chainhead_plugin.head.chains import WholeChains
from chainhead_plugin.head.linear.maps import apply_maps

from ..tables import Row, number, table
from ..timing import interleave, quartiles
from .contestants import FLOOR, Shape, build, named
from .cuda_graph import INPUTS, CapturedCalls
from .targets import linear_limit

_WHOLE, _MAPS, _MIXING = "whole", "maps", "mixing"
_TITLES = {
    "small": "a call on a small chain",
    "step": "a step",
    "shape": "a call on many nodes",
}


def missed(rows: Sequence[Row], device: str) -> list[Row]:
    """Rows of heads whose time without gradients is beyond its limit."""
    return [
        row
        for row in rows
        if row["work"] in ("forward", "step")
        and (limit := linear_limit(row, device)) is not None
        and row.get("ratio")
        and row["ratio"][1] > limit
    ]


def measure_parts(
    rows: Sequence[Row], device: str, dtype: str, seed: int, rounds: int, least_seconds: float
) -> list[dict[str, Any]]:
    """Measure the parts of the calls of `rows`, in turns with the other calls of the same case and shape.

    Returns
    -------
    list of dict
        With `case`, `shape`, `contestant`, and median seconds of `whole`, `maps` and `mixing`, and of `floor`,
        nn.Linear.
    """
    measured = []
    places = dict.fromkeys((row["case"], tuple(row["shape"])) for row in rows)
    for case, shape in places:
        names = [
            row["contestant"] for row in rows if row["case"] == case and tuple(row["shape"]) == tuple(shape)
        ]
        seconds = _measure(case, shape, names, device, getattr(torch, dtype), seed, rounds, least_seconds)
        measured += [
            {
                "case": case,
                "shape": list(shape),
                "contestant": name,
                "floor": seconds[FLOOR, _WHOLE],
                **{part: seconds[name, part] for part in (_WHOLE, _MAPS, _MIXING)},
            }
            for name in names
        ]
    return measured


def _measure(
    case: str,
    shape: Shape,
    names: Sequence[str],
    device: str,
    dtype: torch.dtype,
    seed: int,
    rounds: int,
    least_seconds: float,
) -> dict[tuple[str, str], float]:
    torch.manual_seed(seed)
    in_graphs = device == "cuda" and case == "shape"
    inputs = [
        torch.randn(*shape[:3], dtype=dtype, device=device)[:, 0 if case == "step" else slice(None)]
        for _ in range(INPUTS if in_graphs else 1)
    ]
    linear = build(named(FLOOR), shape, dtype, device).eval()
    on_each: dict[tuple[str, str], list[Callable[[], object]]] = {
        (FLOOR, _WHOLE): [partial(linear, x) for x in inputs]
    }
    with torch.no_grad():
        for name in names:
            head = build(named(name), shape, dtype, device).eval()
            split = _parts_of_step if case == "step" else _parts_of_call
            for x in inputs:
                for part, call in split(head, x).items():
                    on_each.setdefault((name, part), []).append(call)
        seconds, failures = interleave(
            {key: CapturedCalls(calls) if in_graphs else calls[0] for key, calls in on_each.items()},
            rounds,
            random.Random(seed),  # noqa: S311 - no secret depends on it
            least_seconds=least_seconds,
            synchronise=torch.cuda.synchronize if device == "cuda" else lambda: None,
        )
    if failures:
        raise RuntimeError(f"parts of calls could not be measured: {failures}")
    return {key: quartiles(taken)[1] / len(inputs) for key, taken in seconds.items()}


def _parts_of_call(head: Any, x: Tensor) -> dict[str, Callable[[], object]]:
    before, after = head._maps()
    spread, add = len(before) == 0, len(after) == 0
    z, chains = apply_maps(before, x), WholeChains(mask=None)
    mixed = head._mix(z, chains, spread=spread, add=add)

    def maps() -> None:
        apply_maps(before, x)
        apply_maps(after, mixed)

    return {
        _WHOLE: partial(head, x),
        _MAPS: maps,
        _MIXING: lambda: head._mix(z, chains, spread=spread, add=add),
    }


def _parts_of_step(head: Any, x: Tensor) -> dict[str, Callable[[], object]]:
    before, after = head._maps()
    hops = head.chain.channel_hops
    z = apply_maps(before, x, apart=True)

    def mix(state: Tensor | None) -> tuple[Tensor, Tensor]:
        if hops:
            return move_step(z, hops, state, spread=len(before) == 0, add=len(after) == 0)
        return mix_step(z, head.chain, state, head._decay())

    _, state = head.step(x)
    mixed, _ = mix(state)

    def maps() -> None:
        apply_maps(before, x, apart=True)
        apply_maps(after, mixed, apart=True)

    return {_WHOLE: partial(head.step, x, state), _MAPS: maps, _MIXING: partial(mix, state)}


def parts_section(parts: Sequence[Mapping[str, Any]] | None) -> str:
    """Return the section, or nothing if all targets were met or the parts not measured."""
    if not parts:
        return ""
    body = []
    for row in parts:
        batch, length, m, n = row["shape"]
        rest = row[_WHOLE] - row[_MAPS] - row[_MIXING]
        body.append(
            [
                f"{row['contestant']}: {_TITLES[row['case']]}, {batch * length:,} × {m} → {n}",
                number(row["floor"] * 1e6),
                number(row[_WHOLE] * 1e6),
                number(row[_MAPS] * 1e6),
                number(row[_MIXING] * 1e6),
                f"{rest * 1e6:.3g}",
            ]
        )
    note = (
        "Median µs of the calls above that miss their targets, and of what they do, each part alone: the matrix "
        "products, the mixing, and what is left, which is the checks and calls around them; it is negative where one "
        "kernel does both. A call of one of torch's operations takes about a microsecond on the CPU, and ten on a "
        "CUDA device, before it does anything. A learned decay differs between features and has to be mixed before "
        "they are mapped: where the map makes them fewer, mixing alone passes over more numbers than the map gives."
    )
    head = ["", "nn.Linear", "the head", "its products", "its mixing", "the rest"]
    return f"## What bounds the calls that miss their targets\n\n{note}\n\n{table(head, body)}"
