"""A single hop and the linear map behind it as one Triton kernel: every input and output moves once.

The plain form is `mix` and `nn.functional.linear` one after the other. Here the matrix product takes its left
operand from the chain: while a tile of nodes is loaded, their neighbours, which lie in the same cache lines or
the next, are added in float32. The backward pass is made of the plain parts.
"""

from typing import Any

import torch
from torch import Tensor

from .chain_triton import filter_chain

try:
    import triton
    import triton.language as tl
except ImportError as error:
    raise ImportError("the Triton kernels need Triton: pip install triton") from error

_CONFIGS = [
    triton.Config({"BLOCK_M": m, "BLOCK_N": n, "BLOCK_K": k}, num_warps=warps, num_stages=stages)
    for m, n, k, warps, stages in (
        (128, 256, 64, 8, 3),
        (128, 128, 64, 8, 3),
        (128, 128, 32, 4, 4),
        (64, 256, 64, 8, 3),
        (64, 128, 64, 4, 4),
        (64, 64, 32, 4, 4),
    )
]


@triton.jit
def _hop_linear_kernel(  # type: ignore[no-untyped-def]
    x, weight, bias, y, starts, counts, self_weight, rows, length, m, n, rows_bucket,
    MASKED: tl.constexpr, BOTH_WAYS: tl.constexpr, OWN: tl.constexpr, BIASED: tl.constexpr, RELU: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr, GROUP: tl.constexpr = 8,
):  # fmt: skip
    """A tile [BLOCK_M nodes, BLOCK_N outputs]; programs are grouped so that tiles stay in the cache."""
    blocks_m, blocks_n = tl.cdiv(rows, BLOCK_M), tl.cdiv(n, BLOCK_N)
    program = tl.program_id(0)
    first = program // (GROUP * blocks_n) * GROUP
    group = min(blocks_m - first, GROUP)
    row = (first + program % (GROUP * blocks_n) % group) * BLOCK_M + tl.arange(0, BLOCK_M)
    column = (program % (GROUP * blocks_n) // group) * BLOCK_N + tl.arange(0, BLOCK_N)

    node = row % length
    start = tl.zeros((BLOCK_M,), tl.int32)
    end = start + length
    if MASKED:
        start = tl.load(starts + row // length, mask=row < rows, other=0)
        end = start + tl.load(counts + row // length, mask=row < rows, other=0)
    real = (row < rows) & (node >= start) & (node < end)
    has_before, has_after = real & (node > start), real & (node + 1 < end)

    place = x + row.to(tl.int64)[:, None] * m
    weights = weight + column.to(tl.int64)[None, :] * m
    total = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
    for k in range(0, m, BLOCK_K):
        feature = k + tl.arange(0, BLOCK_K)
        in_features = (feature < m)[None, :]
        here = place + feature[None, :]
        mixed = tl.load(here - m, mask=has_before[:, None] & in_features, other=0).to(tl.float32)
        if BOTH_WAYS:
            mixed += tl.load(here + m, mask=has_after[:, None] & in_features, other=0).to(tl.float32)
        if OWN:
            mixed += self_weight * tl.load(here, mask=real[:, None] & in_features, other=0).to(tl.float32)
        w = tl.load(weights + feature[:, None], mask=(column < n)[None, :] & (feature < m)[:, None], other=0)
        total = tl.dot(mixed.to(w.dtype), w, total)
    if BIASED:
        total += tl.load(bias + column, mask=column < n, other=0).to(tl.float32)[None, :]
    if RELU:
        total = tl.maximum(total, 0)
    tl.store(
        y + row.to(tl.int64)[:, None] * n + column[None, :],
        tl.where(real[:, None], total, 0).to(y.dtype.element_ty),
        mask=(row < rows)[:, None] & (column < n)[None, :],
    )


# In Triton's interpreter `jit` returns another class, and there is nothing to tune.
if isinstance(_hop_linear_kernel, triton.JITFunction):
    _kernel = triton.autotune(configs=_CONFIGS, key=["n", "m", "rows_bucket"])(_hop_linear_kernel)
    _sizes = {}
else:
    _kernel, _sizes = _hop_linear_kernel, _CONFIGS[-1].kwargs


@torch.library.custom_op("chainhead::hop_linear", mutates_args=())
def hop_linear(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    self_weight: float,
    bi_directional: bool,
    relu: bool,
    starts: Tensor | None = None,
    counts: Tensor | None = None,
) -> Tensor:
    """act((N + σI)ᵀ x Wᵀ + b) of every chain.

    Parameters
    ----------
    x : bfloat16 or float16 Tensor [batch, length, m]
    weight : Tensor [n, m], in the dtype of `x`
    bias : Tensor [n], optional
    self_weight : float
        σ.
    bi_directional : bool
        Whether N reaches the nodes after a node too.
    relu : bool
        Whether act is ReLU, or nothing.
    starts, counts : int32 Tensor [batch], optional
        Where each row's chain lies; by default all of it.

    Returns
    -------
    Tensor [batch, length, n], in the dtype of `x`
        Zero beside the chains.
    """
    x, weight = x.contiguous(), weight.contiguous()
    batch, length, m = x.shape
    n = weight.size(0)
    y = x.new_empty(batch, length, n)
    if y.numel() == 0:
        return y
    rows = batch * length

    def grid(sizes: dict[str, int]) -> tuple[int]:
        return (triton.cdiv(rows, sizes["BLOCK_M"]) * triton.cdiv(n, sizes["BLOCK_N"]),)

    _kernel[grid](
        x, weight, bias, y, starts, counts, self_weight, rows, length, m, n, rows.bit_length(),
        MASKED=starts is not None, BOTH_WAYS=bi_directional, OWN=self_weight != 0,
        BIASED=bias is not None, RELU=relu, **_sizes,
    )  # fmt: skip
    return y


@hop_linear.register_fake
def _(x: Tensor, weight: Tensor, *_: Any, **__: Any) -> Tensor:
    return x.new_empty(*x.shape[:2], weight.size(0))


def _save(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, weight, bias, ctx.self_weight, ctx.bi_directional, ctx.relu, starts, counts = inputs
    ctx.has_bias = bias is not None
    ctx.save_for_backward(x, weight, output if ctx.relu else None, starts, counts)


def _backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    x, weight, y, starts, counts = ctx.saved_tensors
    if y is not None:
        grad = torch.where(y > 0, grad, 0)
    if starts is not None:
        # One tap of 1: nothing but the real nodes' gradients.
        grad = filter_chain(grad, [1.0], 0, False, starts, counts)
    after = [1.0] if ctx.bi_directional else []
    grad_x = grad_weight = grad_bias = None
    if ctx.needs_input_grad[0]:
        # The transposed hop takes from the node after; the taps lie the other way round.
        taps, ahead = [1.0, ctx.self_weight, *after], 1
        grad_x = filter_chain(grad @ weight, taps, ahead, False, starts, counts)
    if ctx.needs_input_grad[1]:
        taps, ahead = [*after, ctx.self_weight, 1.0], len(after)
        mixed = filter_chain(x, taps, ahead, False, starts, counts)
        grad_weight = grad.flatten(0, 1).T @ mixed.flatten(0, 1)
    if ctx.has_bias and ctx.needs_input_grad[2]:
        grad_bias = grad.sum((0, 1))
    return grad_x, grad_weight, grad_bias, None, None, None, None, None


hop_linear.register_autograd(_backward, setup_context=_save)
