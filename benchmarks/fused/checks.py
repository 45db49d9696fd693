"""Whether the fused kernels are right on a device, before anything is timed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from chainhead_plugin.chain.backend import Backend, use_backend

from ..speed.contestants import build
from .contestants import contestant

# Around tiles of 128 nodes, and reaches of 1 to 7, or of 19, on one side or on both.
LENGTHS = (1, 2, 8, 64, 90, 91, 113, 114, 115, 120, 121, 122, 125, 126, 127, 128, 129, 257, 1000)
# Products and results are rounded to 8 binary digits each, gradients of weights are sums of such.
_TOLERANCE = 2.0**-6


@dataclass(frozen=True)
class Mistake:
    """A result that is further from the exact one than rounding explains."""

    contestant: str
    length: int
    masked: bool
    result: str
    error: float


def find_mistakes(
    names: Sequence[str], device: str, seed: int, lengths: Sequence[int] = LENGTHS
) -> Iterator[Mistake]:
    """Compare outputs and gradients with those of the plain form in float64.

    Parameters
    ----------
    names : sequence of str
        Of contestants.
    device : str
    seed : int
    lengths : sequence of int

    Yields
    ------
    Mistake
    """
    torch.manual_seed(seed)
    for name in names:
        for length in lengths:
            head = build(contestant(name), (3, length, 72, 40), torch.bfloat16, device)
            x = torch.randn(3, length, 72, device=device).bfloat16()
            mask = torch.ones(3, length, dtype=torch.bool, device=device)
            mask[0, : length // 3], mask[1, length - length // 4 :] = False, False
            for given in (None, mask):
                yield from _compare(name, head, x, given)


def _compare(name: str, head: nn.Module, x: Tensor, mask: Tensor | None) -> Iterator[Mistake]:
    actual = _results(head, x, mask, "fused")
    exact = _results(head.double(), x.double(), mask, "torch")
    head.bfloat16()
    for result, wanted in exact.items():
        largest = wanted.abs().max().item()
        error = (actual[result].double() - wanted).abs().max().item()
        # Written so that NaN is a mistake too.
        if not error <= _TOLERANCE * largest:
            yield Mistake(name, x.size(1), mask is not None, result, error / max(largest, 1e-30))


def _results(head: nn.Module, x: Tensor, mask: Tensor | None, backend: Backend) -> dict[str, Tensor]:
    x = x.detach().requires_grad_()
    weights = dict(head.named_parameters())
    with use_backend(backend):
        y = head(x, mask)
    cotangent = torch.linspace(-1, 1, y.numel(), device=x.device).view_as(y).to(y.dtype)
    gradients = torch.autograd.grad(y, (x, *weights.values()), cotangent)
    return {"output": y.detach(), **dict(zip(("gradient of x", *weights), gradients, strict=True))}
