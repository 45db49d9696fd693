"""A single hop and the linear map before it as a single Triton kernel: every input and output moves once.

The plain form is `nn.functional.linear`, then `mix`. Here each program multiplies a tile of nodes
that begins one node early (and for bi-directional chains ends one late), and adds up neighbours while the products are
still in registers, in float32: of every four rows, three find the row before in their own thread, and the fourth in
the next thread. On Hopper's devices tiles come by the copy engine (TMA), and programs go on from tile to tile. The
backward pass is made of the plain parts.
"""

from typing import Any

import torch
from torch import Tensor

from .filter import filter_chain
from .gradients.linear_gradients import linear_gradients
from .hop_linear_kernel import hop_linear_kernel
from .launch import on_device_of, runs_eagerly
from .tiles.copy_engine import described, programs_at_once, takes, tiles_for

try:
    import triton
except ImportError as error:
    raise ImportError("the Triton kernels need Triton: pip install triton") from error


def _launch(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    self_weight: float,
    bi_directional: bool,
    relu: bool,
    starts: Tensor | None,
    counts: Tensor | None,
) -> Tensor:
    x, weight = x.resolve_neg().contiguous(), weight.resolve_neg().contiguous()
    batch, length, m = x.shape
    n, rows = weight.size(0), batch * length
    y = x.new_empty(batch, length, n)
    if y.numel() == 0:
        return y

    by_engine = takes(x, weight)
    sizes = tiles_for(n, by_engine)
    step = sizes.block_m - 1 - bi_directional
    programs = triton.cdiv(rows, step) * triton.cdiv(n, sizes.block_n)
    nodes, weights = x, weight
    if by_engine:
        programs = min(programs, programs_at_once(x.device))
        nodes = described(x.view(rows, m), [sizes.block_m, sizes.block_k])
        weights = described(weight, [sizes.block_n, sizes.block_k])

    with on_device_of(x):
        hop_linear_kernel[(programs,)](
            nodes, weights, bias, y, starts, counts, self_weight, rows, length, m, n, programs,
            DESCRIBED=by_engine, MASKED=starts is not None, BOTH_WAYS=bi_directional, OWN=self_weight != 0,
            BIASED=bias is not None, RELU=relu,
            BLOCK_M=sizes.block_m, BLOCK_N=sizes.block_n, BLOCK_K=sizes.block_k,
            num_warps=sizes.warps, num_stages=sizes.stages,
        )  # fmt: skip
    return y


@torch.library.custom_op("chainhead::hop_linear", mutates_args=())
def hop_linear_operator(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    self_weight: float,
    bi_directional: bool,
    relu: bool,
    starts: Tensor | None = None,
    counts: Tensor | None = None,
) -> Tensor:
    """`hop_linear`, for compilers and gradients."""
    return _launch(x, weight, bias, self_weight, bi_directional, relu, starts, counts)


@hop_linear_operator.register_fake
def _(x: Tensor, weight: Tensor, *_: Any, **__: Any) -> Tensor:
    return x.new_empty(*x.shape[:2], weight.size(0))


def _save(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, weight, _, ctx.self_weight, ctx.bi_directional, ctx.relu, starts, counts = inputs
    ctx.save_for_backward(x, weight, output if ctx.relu else None, starts, counts)


def _backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    x, weight, y, starts, counts = ctx.saved_tensors

    def transposed(grad: Tensor) -> Tensor:
        # The transposed hop takes from the node after.
        taps = [1.0, ctx.self_weight, *([1.0] if ctx.bi_directional else [])]
        return filter_chain(grad, taps, 1, False, starts, counts)

    needed = ctx.needs_input_grad[:3]
    return *linear_gradients(needed, grad, x, weight, y, transposed, starts, counts), *([None] * 5)


hop_linear_operator.register_autograd(_backward, setup_context=_save)


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
        Zero beside the chains.
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
    form = _launch if runs_eagerly(x, weight, bias) else hop_linear_operator
    return form(x, weight, bias, self_weight, bi_directional, relu, starts, counts)
