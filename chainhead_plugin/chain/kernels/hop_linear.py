"""A single hop and the linear map before it as a single Triton kernel: every input and output moves once.

The plain form is `nn.functional.linear`, then `mix`. Here each program multiplies a tile of nodes
that begins one node early (and for bi-directional chains ends one late), and adds up neighbours while the products are
still in registers, in float32: of every four rows, three find the row before in their own thread, and the fourth in
the next thread. On Hopper's devices tiles come by the copy engine (TMA), and programs go on from tile to tile. The
backward pass is made of the plain parts.
"""

import functools
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .filter import filter_chain
from .hop_linear_kernel import hop_linear_kernel
from .launch import on_device_of, runs_eagerly
from .linear_gradients import linear_gradients

try:
    import triton
except ImportError as error:
    raise ImportError("the Triton kernels need Triton: pip install triton") from error

try:
    from triton.tools.tensor_descriptor import TensorDescriptor
except ImportError:  # before Triton 3.4
    TensorDescriptor = None

_HOPPER = 9
# Rows of tensors that the copy engine takes begin at multiples of 16 bytes.
_ALIGNMENT = 16
# In the interpreter, so that programs go on to a second tile there too.
_INTERPRETED_PROGRAMS = 2


class Tiles(NamedTuple):
    """How large tiles are, and by how many warps and in how many stages programs work through them."""

    block_m: int
    block_n: int
    block_k: int
    warps: int
    stages: int


_WIDE = Tiles(128, 256, 64, 8, 4)
_NARROW = Tiles(128, 128, 64, 8, 4)
# Where there is no copy engine, and less shared memory.
_SMALL = Tiles(64, 128, 32, 4, 3)


@functools.lru_cache(maxsize=64)
def has_copy_engine(device: torch.device) -> bool:
    """Whether tiles can come by Hopper's copy engine, which the interpreter imitates."""
    if TensorDescriptor is None:
        return False
    return device.type != "cuda" or torch.cuda.get_device_capability(device)[0] == _HOPPER


@functools.lru_cache(maxsize=64)
def _multiprocessors(device: torch.device) -> int:
    if device.type != "cuda":
        return _INTERPRETED_PROGRAMS
    return int(torch.cuda.get_device_properties(device).multi_processor_count)


def tiles_for(n: int, described: bool) -> Tiles:
    """Return the tiles for n outputs, whether they come by the copy engine or not."""
    if not described:
        return _SMALL
    return _WIDE if n > _NARROW.block_n else _NARROW


def _describable(matrix: Tensor) -> bool:
    row_bytes = matrix.size(-1) * matrix.element_size()
    return row_bytes % _ALIGNMENT == 0 and matrix.data_ptr() % _ALIGNMENT == 0


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

    described = has_copy_engine(x.device) and _describable(x) and _describable(weight)
    sizes = tiles_for(n, described)
    step = sizes.block_m - 1 - bi_directional
    programs = triton.cdiv(rows, step) * triton.cdiv(n, sizes.block_n)
    nodes, weights = x, weight
    if described:
        programs = min(programs, _multiprocessors(x.device))
        nodes = TensorDescriptor(x, [rows, m], [m, 1], [sizes.block_m, sizes.block_k])
        weights = TensorDescriptor(weight, [n, m], [m, 1], [sizes.block_n, sizes.block_k])

    with on_device_of(x):
        hop_linear_kernel[(programs,)](
            nodes, weights, bias, y, starts, counts, self_weight, rows, length, m, n, programs,
            DESCRIBED=described, MASKED=starts is not None, BOTH_WAYS=bi_directional, OWN=self_weight != 0,
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
    eager = all(runs_eagerly(tensor) for tensor in (x, weight, bias) if tensor is not None)
    form = _launch if eager else hop_linear_operator
    return form(x, weight, bias, self_weight, bi_directional, relu, starts, counts)
