"""Chains whose neighbours decay: (I − γN)⁻¹ and exp(γN), for a common γ or a γ for every feature, which can be learned.

Uni-directional, (I − γN)⁻¹ is the running sum that decays. Bi-directional, with γ = ρ / (1 + ρ²), F = I − ρSᵀ and
e the first node,

    (1 + ρ²)(I − γN) = F Fᵀ + ρ² e eᵀ,

so it is a running sum from one end, then from the other, and a correction of rank one. exp(γN) is in
`decaying_exponential.py`.

`x` is [batch, length, width] in float32 or float64 and zero where `mask`, bool [batch, length, 1] or None, is
False; the real nodes of a row are its chain. `decay` is a float or a Tensor [1 or batch, 1, width].
"""

from typing import Any, Literal

import torch
from torch import Tensor

from ..autograd import dispatching, fold_mapped_axis
from ..cached_tensors import found_once
from ..masking import zeroed
from .decaying_exponential import decaying_exponential, neighbours
from .halves import is_half_on_cpu, mix_widened, of_rows, pieces
from .path import real_nodes
from .scan import decaying_sum, scans_halves, short_decaying_sum
from .sum_in_blocks import Decay, rows_in_cache

# Numbers up to which calls cost more than the work in them.
_FEW = 2**12
_MOST_TAPS = 32

DecayingKind = Literal["inverse", "exponential"]


def decaying_inverse(
    x: Tensor, mask: Tensor | None, decay: Decay, bi_directional: bool, transposed: bool
) -> Tensor:
    """Aᵀx with A = (I − γN)⁻¹, or Ax if `transposed`. Bi-directional, γ is at most 1/2."""
    if isinstance(decay, Tensor):
        short = None if bi_directional else short_decaying_sum(x, decay, reverse=transposed)
        if short is not None:
            return short
        decay = decay.double()
    return _path_inverse(x, mask, decay) if bi_directional else decaying_sum(x, decay, reverse=transposed)


def _path_inverse(x: Tensor, mask: Tensor | None, decay: Decay) -> Tensor:
    if isinstance(decay, float):
        decay = torch.full((1, 1, 1), decay, dtype=torch.float64, device=x.device)

    rho, rate = path_decay(decay)
    y = decaying_sum(x, rho, reverse=False)
    y = decaying_sum(y if mask is None else zeroed(y, mask), rho, reverse=True)

    # (F Fᵀ)⁻¹ e at the k-th node of n is ρ^k (1 + ρ² + … + ρ^(2(n − 1 − k))).
    node = torch.arange(x.size(1), device=x.device).view(1, -1, 1)
    first, count = y[:, :1], real_nodes(x, mask)
    if mask is not None:
        start = mask.int().argmax(1, keepdim=True)
        node = node - start
        first = y.gather(1, start.expand(-1, -1, x.size(2)))

    whole = torch.expm1(-2 * rate)
    first_weight = torch.expm1(-2 * rate * count) / whole
    rate = rate.to(x.dtype)
    weight = torch.exp(-rate * node) * torch.expm1(-2 * rate * (count - node)) / whole.to(x.dtype)

    square = rho.square()
    correction = first * (square * (1 + square) / (1 + square * first_weight)).to(x.dtype)
    return y.mul_((1 + square).to(x.dtype)).addcmul_(weight, correction, value=-1)


@found_once(maxsize=64)
def decay_taps(decay: float, dtype: torch.dtype) -> tuple[float, ...] | None:
    """The filter that the bi-directional inverse is on an endless chain, as far as sums rounded to a dtype can see it.

    Parameters
    ----------
    decay : float
        γ = ρ / (1 + ρ²), below 1/2; a node k steps away is weighed by (1 + ρ²) / (1 − ρ²) ρᵏ.
    dtype : {torch.bfloat16, torch.float16}

    Returns
    -------
    tuple of float, or None
        By distance; None if there are too many for a filter to be faster.
    """
    rho = path_decay(torch.tensor(decay, dtype=torch.float64))[0].item()
    if rho**_MOST_TAPS > torch.finfo(dtype).eps / 64:
        return None
    size = (1 + rho**2) / (1 - rho**2)
    # The weights of all nodes from the k-th on, on both sides, are 2ρᵏ / (1 + ρ) of all weights.
    seen = [k for k in range(_MOST_TAPS) if k < 2 or 2 * rho**k / (1 + rho) > torch.finfo(dtype).eps / 64]
    return tuple(size * rho**k for k in seen)


def path_decay(decay: Tensor) -> tuple[Tensor, Tensor]:
    """ρ and −ln ρ of a γ = ρ / (1 + ρ²) of at most 1/2, both float64 Tensors of the same shape."""
    # ρ = (1 − √(1 − 4γ²)) / 2γ, without the difference of two numbers that are almost the same.
    root = ((1 - 2 * decay) * (1 + 2 * decay)).sqrt()
    # The second is kept from where 0 · ∞ and 0 / 0 lie: γ may have been rounded to 0 or 1/2.
    rate = torch.log1p((1 - 2 * decay + root) / (2 * decay)).clamp(1e-30, 80)
    return 2 * decay / (1 + root), rate


def _products_with_neighbours(
    factor: Tensor, y: Tensor, mask: Tensor | None, decay: Tensor, bi_directional: bool, transposed: bool
) -> Tensor:
    """The sum of `factor` times Nᵀy over nodes, and over rows where they have a common γ; in the dtype of γ."""
    if scans_halves(y):
        from ..kernels.launching.launch import runs_eagerly

        if runs_eagerly(factor, y):
            from ..kernels.gradients.decay_gradient import neighbour_products

            of_each_row = neighbour_products(factor, y, mask, bi_directional, transposed).unsqueeze(1)
            return of_each_row if decay.size(0) > 1 else of_each_row.sum(0, keepdim=True)

    together = torch.compiler.is_compiling() or not y.is_cpu or y.numel() <= _FEW
    if not together and rows_in_cache(y) < y.size(0):
        sums = [
            _products_with_neighbours(
                factor[rows], y[rows], of_rows(mask, rows), of_rows(decay, rows), bi_directional, transposed
            )
            for rows in pieces(y)
        ]
        return torch.stack(sums).sum(0) if decay.size(0) == 1 else torch.cat(sums)

    if y.dtype != decay.dtype:
        factor, y = factor.to(decay.dtype), y.to(decay.dtype)
    product = factor * neighbours(y, mask, bi_directional, transposed)
    return product.sum((0, 1) if decay.size(0) == 1 else 1, keepdim=True)


def rounds_once(x: Tensor, kind: DecayingKind, bi_directional: bool) -> bool:
    """Whether `mix_decaying` has a single kernel for nodes in half precision, with the backend "fused" on a device."""
    if not scans_halves(x):
        return False
    if kind == "inverse":
        return not bi_directional
    # A compiler fuses the series; transforms of functions have it differentiated.
    return not (torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active())


def mix_decaying(
    x: Tensor, decay: Tensor, kind: DecayingKind, bi_directional: bool, mask: Tensor | None
) -> Tensor:
    """Aᵀx with a γ of its own for every feature, differentiable in γ too.

    Parameters
    ----------
    x : Tensor [batch, length, width], float32 or float64
        In eager mode on the CPU of half precision, too: it is widened, and rounded once. So it is where `rounds_once`,
        by kernels.
    decay : Tensor [1, 1, width], float32 or float64
    kind : {"inverse", "exponential"}
    bi_directional : bool
    mask : bool Tensor [batch, length, 1], optional

    Returns
    -------
    Tensor [batch, length, width]
        Zero where `mask` is False.
    """
    return _apply(x, decay, mask, kind, bi_directional, False)


class _Decaying(torch.autograd.Function):
    """Aᵀx of decaying chains, with gradients for x and γ.

    From dA = A (dγ N) A of the inverse and dA = (dγ N) A of the exponential, the gradient for γ is that for x
    (inverse) or y (exponential) times Nᵀy, summed over the nodes.
    """

    @staticmethod
    def forward(
        x: Tensor,
        decay: Tensor,
        mask: Tensor | None,
        kind: DecayingKind,
        bi_directional: bool,
        transposed: bool,
    ) -> Tensor:
        # Asked first: a traced length must not be asked for.
        if is_half_on_cpu(x) and (kind == "exponential" or bi_directional or x.numel() <= _FEW):

            def mix_wide(nodes: Tensor, gamma: Tensor, real: Tensor | None) -> Tensor:
                return _Decaying.forward(nodes, gamma, real, kind, bi_directional, transposed)

            return mix_widened(mix_wide, x, decay, mask)
        if mask is not None:
            x = zeroed(x, mask)
        operator = decaying_inverse if kind == "inverse" else decaying_exponential
        y = operator(x, mask, decay, bi_directional, transposed)
        return y if mask is None else zeroed(y, mask)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _, decay, mask, *ctx.chain = inputs
        ctx.save_for_backward(decay, mask, output)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None, None, None]:
        decay, mask, y = ctx.saved_tensors
        kind, bi_directional, transposed = ctx.chain
        grad_x = _apply(grads[0], decay, mask, kind, bi_directional, not transposed)
        factor = grad_x if kind == "inverse" else grads[0]
        grad_decay = _products_with_neighbours(factor, y, mask, decay, bi_directional, transposed)
        return grad_x, grad_decay, None, None, None, None


class _TransformableDecaying(_Decaying):
    """`_Decaying` for `torch.func` as well. The compiler takes no functions with rules of their own for that."""

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _Decaying.setup_context(ctx, inputs, output)
        ctx.save_for_forward(inputs[1], inputs[2], output)

    @staticmethod
    def jvp(ctx: Any, x_tangent: Tensor | None, decay_tangent: Tensor | None, *_: Any) -> Tensor:
        decay, mask, y = ctx.saved_tensors
        kind, bi_directional, transposed = ctx.chain

        def apply(x: Tensor) -> Tensor:
            return _apply(x, decay, mask, *ctx.chain)

        total = torch.zeros_like(y) if x_tangent is None else apply(x_tangent)
        if decay_tangent is None:
            return total
        change = decay_tangent * neighbours(y, mask, bi_directional, transposed)
        return (total + (apply(change) if kind == "inverse" else change)).to(y.dtype)

    @staticmethod
    def vmap(
        info: Any,
        in_dims: tuple[int | None, ...],
        x: Tensor,
        decay: Tensor,
        mask: Tensor | None,
        *chain: Any,
    ) -> tuple[Tensor, int]:
        """Fold the mapped axis into the batch."""
        batch = x.size(0) if in_dims[0] != 0 else x.size(1)
        folded = [
            fold_mapped_axis(tensor, dim, info.batch_size, batch)
            for tensor, dim in zip((x, decay, mask), in_dims, strict=False)
        ]
        y = _apply(*folded, *chain)
        return y.view(info.batch_size, batch, *y.shape[1:]), 0


_apply = dispatching(_Decaying, _TransformableDecaying)
