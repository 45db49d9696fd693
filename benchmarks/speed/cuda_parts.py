"""The parts of a fused hop on a CUDA device, to tell its bound: Triton's matrix product, or the neighbours."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..tables import number, table
from ..timing import interleave, quartiles
from .contestants import Shape
from .cuda_graph import INPUTS, CapturedCalls

_LINEAR, _PRODUCT = "nn.Linear: the product by cuBLAS", "the product by Triton, in the fused kernel's tiles"
_UNI, _BI = "with the neighbours before: single hop, uni", "with those on both sides: single hop, bi"
_FILTERED = "the product by cuBLAS, then a pass along the chain"


def measure_cuda_parts(
    shapes: Sequence[Shape], seed: int, rounds: int, least_seconds: float
) -> dict[str, dict[str, float]] | None:
    """Measure the parts in bfloat16, in turns; None where the device has no copy engine for tiles.

    Returns
    -------
    dict of shape, as "m → n", to dict of name of the part to median seconds
    """
    from chainhead_plugin.chain.kernels.tiles.copy_engine import has_copy_engine

    if not has_copy_engine(torch.device("cuda", torch.cuda.current_device())):
        return None
    torch.manual_seed(seed)
    order = random.Random(seed)  # noqa: S311 - no secret depends on it
    measured = {}
    for batch, length, m, n in shapes:
        if n > m:
            continue
        weight = torch.randn(n, m, device="cuda", dtype=torch.bfloat16)
        inputs = [torch.randn(batch, length, m, device="cuda", dtype=torch.bfloat16) for _ in range(INPUTS)]
        with torch.no_grad():
            seconds, failures = interleave(
                {
                    name: CapturedCalls([_bound(call, x, weight) for x in inputs])
                    for name, call in PARTS.items()
                },
                rounds,
                order,
                least_seconds=least_seconds,
                synchronise=torch.cuda.synchronize,
            )
        if failures:
            raise RuntimeError(f"parts failed: {failures}")
        measured[f"{m:,} → {n:,}"] = {name: quartiles(taken)[1] / INPUTS for name, taken in seconds.items()}
    return measured


def _bound(call: Callable[[Tensor, Tensor], Tensor], x: Tensor, weight: Tensor) -> Callable[[], Tensor]:
    return lambda: call(x, weight)


def _product(x: Tensor, weight: Tensor) -> Tensor:
    from .triton_product import triton_product

    return triton_product(x, weight)


def _hop(bi_directional: bool) -> Callable[[Tensor, Tensor], Tensor]:
    def call(x: Tensor, weight: Tensor) -> Tensor:
        from chainhead_plugin.chain.kernels.hop_linear import hop_linear

        return hop_linear(x, weight, None, 1.0, bi_directional, False)

    return call


def _filtered(x: Tensor, weight: Tensor) -> Tensor:
    from chainhead_plugin.chain.kernels.filter import filter_chain

    return filter_chain(F.linear(x, weight), [1.0, 1.0], 0, False)


PARTS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "a copy of the input": lambda x, _: x.clone(),
    _LINEAR: F.linear,
    _PRODUCT: _product,
    _UNI: _hop(bi_directional=False),
    _BI: _hop(bi_directional=True),
    _FILTERED: _filtered,
}


def cuda_parts_section(parts: Mapping[str, Mapping[str, Any]] | None) -> str:
    """Return the section, or nothing if it was not measured."""
    if not parts:
        return ""
    body = [
        [
            name,
            *(
                f"{number(taken[name] * 1e6)} ({taken[name] / taken[_LINEAR]:.2f} ×)"
                for taken in parts.values()
            ),
        ]
        for name in PARTS
    ]
    note = (
        "What bounds the single hops above: medians in µs, and times of `nn.Linear`. Triton's own product, without any "
        "neighbour, is the least that a kernel written in it can take; what the hop adds to that is the exchange of "
        "rows between threads, and stores that cannot be left to the copy engine since tiles overlap by a row."
    )
    return f"## What a fused hop is made of\n\n{note}\n\n{table(['µs, features', *parts], body)}"
