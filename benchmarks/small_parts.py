"""What a call on a few nodes is made of, to tell what bounds it: arithmetic, or the calls around it."""

import random
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from chainhead_plugin.chain import mix
from chainhead_plugin.chain_step import mix_step

from .contestants import FLOOR, chosen
from .contestants import build as build_contestant
from .tables import number, table
from .timing import interleave, quartiles

_HEAD = "single hop, uni"
_WIDTH, _NODES = 64, 8


def measure_parts(seed: int, rounds: int, least_seconds: float) -> dict[str, dict[str, float]]:
    """Measure a single-hop head's call on 8 nodes and its step, and what they consist of, in turns.

    Returns
    -------
    dict of {"forward", "step"} to dict
        Median seconds by name of the part.
    """
    torch.manual_seed(seed)
    among = {one.name: one for one in chosen(full=False, plain=True, with_tinybig=False)}
    shape = (1, _NODES, _WIDTH, _WIDTH)
    linear, head = (
        build_contestant(among[name], shape, torch.float32, "cpu").eval() for name in (FLOOR, _HEAD)
    )
    any_head: Any = head
    weight = next(linear.parameters())
    nodes = torch.randn(*shape[:3])
    node = nodes[:, 0].clone()
    chain = any_head.chain

    def parts(
        x: Tensor, whole: Callable[[], object], mixing: Callable[[], object]
    ) -> dict[str, Callable[[], object]]:
        return {
            "nn.Linear, called as a module": lambda: linear(x),
            "its matrix product alone": lambda: F.linear(x, weight),
            "mixing alone": mixing,
            "the head": whole,
        }

    with torch.no_grad():
        _, state = any_head.step(node)
        calls = {
            "forward": parts(nodes, lambda: head(nodes), lambda: mix(nodes, chain)),
            "step": parts(node, lambda: any_head.step(node, state), lambda: mix_step(node, chain, state)),
        }
        seconds, _ = interleave(
            {(work, name): call for work, named in calls.items() for name, call in named.items()},
            rounds,
            random.Random(seed),  # noqa: S311 - no secret depends on it
            least_seconds=least_seconds,
        )
    return {
        work: {name: quartiles(seconds[work, name])[1] for name in named} for work, named in calls.items()
    }


def parts_section(parts: Mapping[str, Mapping[str, float]] | None) -> str:
    """Return the section, or nothing if it was not measured."""
    if parts is None:
        return ""
    body = [
        [name, *(number(parts[work][name] * 1e6) for work in ("forward", "step"))]
        for name in parts["forward"]
    ]
    rest = [
        parts[work]["the head"] - parts[work]["mixing alone"] - parts[work]["its matrix product alone"]
        for work in ("forward", "step")
    ]
    body.append(["of that, checks and calls around product and mixing", *(number(one * 1e6) for one in rest)])
    note = (
        f"What bounds the calls above, by the example of {_HEAD!r}: medians in µs, {_WIDTH} → {_WIDTH} features. The "
        "floor's own matrix product is but a part of its call. Mixing is a product with the chain's matrix and a test "
        "that nothing overflowed, for a step one addition and two copies; each of torch's operations costs about a "
        "microsecond before it does anything."
    )
    return f"## What a small call is made of\n\n{note}\n\n{table(['µs', f'call on {_NODES} nodes', 'step'], body)}"
