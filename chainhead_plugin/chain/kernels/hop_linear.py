"""A single hop and the linear map before it as one Triton kernel: every input and output moves once.

The plain form is `nn.functional.linear` and `mix`, one after the other. Here each program multiplies a tile of nodes
that begins one node early (and for bi-directional chains ends one late), and adds up neighbours while the products are
still in registers, in float32: of every four rows three find the row before in their own thread, and the fourth in
the next one. On Hopper's devices tiles come by the copy engine (TMA), and programs go on from tile to tile. The
backward pass is made of the plain parts.
"""

import functools
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .filter import filter_chain
from .launch import on_device_of, runs_eagerly

try:
    import triton
    import triton.language as tl
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


@triton.jit
def _halves(products, ROWS: tl.constexpr, WIDTH: tl.constexpr):  # type: ignore[no-untyped-def]
    """The left and the right half of the columns."""
    return tl.split(tl.permute(tl.reshape(products, (ROWS, 2, WIDTH // 2)), (0, 2, 1)))


@triton.jit
def _every_fourth(products, ROWS: tl.constexpr, WIDTH: tl.constexpr):  # type: ignore[no-untyped-def]
    """Rows 4i, 4i + 1, 4i + 2 and 4i + 3, each [ROWS / 4, WIDTH]."""
    even, odd = tl.split(tl.permute(tl.reshape(products, (ROWS // 4, 2, 2, WIDTH)), (0, 3, 1, 2)))
    row_0, row_2 = tl.split(even)
    row_1, row_3 = tl.split(odd)
    return row_0, row_1, row_2, row_3


@triton.jit
def _woven(row_0, row_1, row_2, row_3, ROWS: tl.constexpr, WIDTH: tl.constexpr):  # type: ignore[no-untyped-def]
    """The inverse of `_every_fourth`."""
    joined = tl.join(tl.join(row_0, row_2), tl.join(row_1, row_3))
    return tl.reshape(tl.permute(joined, (0, 2, 3, 1)), (ROWS, WIDTH))


@triton.jit
def _store_mixed(  # type: ignore[no-untyped-def]
    products, y, bias, self_weight, row, first_column, kept, real, has_before, has_after, n,
    BOTH_WAYS: tl.constexpr, OWN: tl.constexpr, BIASED: tl.constexpr, RELU: tl.constexpr,
    ROWS: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    """Let every row take in its neighbours, and store those that have both at hand."""
    row_0, row_1, row_2, row_3 = _every_fourth(products, ROWS, WIDTH)
    FOURTH: tl.constexpr = ROWS // 4
    fourth = tl.arange(0, FOURTH)[:, None]
    before = tl.gather(row_3, tl.broadcast_to(tl.maximum(fourth - 1, 0), (FOURTH, WIDTH)), 0)
    mixed = tl.where(has_before[:, None], _woven(before, row_0, row_1, row_2, ROWS, WIDTH), 0)
    if BOTH_WAYS:
        after = tl.gather(row_0, tl.broadcast_to(tl.minimum(fourth + 1, FOURTH - 1), (FOURTH, WIDTH)), 0)
        mixed += tl.where(has_after[:, None], _woven(row_1, row_2, row_3, after, ROWS, WIDTH), 0)
    if OWN:
        mixed += self_weight * _woven(row_0, row_1, row_2, row_3, ROWS, WIDTH)

    column = first_column + tl.arange(0, WIDTH)
    if BIASED:
        mixed += tl.load(bias + column, mask=column < n, other=0).to(tl.float32)[None, :]
    if RELU:
        mixed = tl.maximum(mixed, 0)

    tl.store(
        y + row.to(tl.int64)[:, None] * n + column[None, :],
        tl.where(real[:, None], mixed, 0).to(y.dtype.element_ty),
        mask=kept[:, None] & (column < n)[None, :],
    )


@triton.jit
def _load_tile(  # type: ignore[no-untyped-def]
    matrix, first_row, first_column, rows, columns,
    DESCRIBED: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr,
):  # fmt: skip
    """A tile of a matrix [rows, columns]; beyond its columns zeros, beyond its rows anything."""
    if DESCRIBED:
        tile = matrix.load([first_row, first_column])
    else:
        row = tl.minimum(tl.maximum(first_row + tl.arange(0, ROWS), 0), rows - 1)
        column = first_column + tl.arange(0, COLUMNS)
        place = matrix + row.to(tl.int64)[:, None] * columns + column[None, :]
        tile = tl.load(place, mask=(column < columns)[None, :], other=0)
    return tile


@triton.jit
def _hop_linear_kernel(  # type: ignore[no-untyped-def]
    x, weight, bias, y, starts, counts, self_weight, rows, length, m, n, programs,
    DESCRIBED: tl.constexpr, MASKED: tl.constexpr, BOTH_WAYS: tl.constexpr, OWN: tl.constexpr,
    BIASED: tl.constexpr, RELU: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr, GROUP: tl.constexpr = 8,
):  # fmt: skip
    """Tiles [BLOCK_M nodes, BLOCK_N outputs] one after the other, in groups that stay in the cache."""
    STEP: tl.constexpr = BLOCK_M - 1 - BOTH_WAYS
    HALF: tl.constexpr = BLOCK_N // 2
    blocks_m, blocks_n = tl.cdiv(rows, STEP), tl.cdiv(n, BLOCK_N)
    for tile in tl.range(tl.program_id(0), blocks_m * blocks_n, programs, flatten=True):
        first = tile // (GROUP * blocks_n) * GROUP
        group = min(blocks_m - first, GROUP)
        first_row = (first + tile % (GROUP * blocks_n) % group) * STEP - 1
        first_column = tile % (GROUP * blocks_n) // group * BLOCK_N
        products = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
        for k in range(0, m, BLOCK_K):
            nodes = _load_tile(x, first_row, k, rows, m, DESCRIBED, BLOCK_M, BLOCK_K)
            weights = _load_tile(weight, first_column, k, n, m, DESCRIBED, BLOCK_N, BLOCK_K)
            products = tl.dot(nodes, weights.T, products)

        index = tl.arange(0, BLOCK_M)
        row = first_row + index
        inside = (row >= 0) & (row < rows)
        node = row % length
        start = tl.zeros((BLOCK_M,), tl.int32)
        end = start + length
        if MASKED:
            start = tl.load(starts + row // length, mask=inside, other=0)
            end = start + tl.load(counts + row // length, mask=inside, other=0)
        real = inside & (node >= start) & (node < end)
        has_before, has_after = real & (node > start), real & (node + 1 < end)
        kept = inside & (index > 0)
        if BOTH_WAYS:
            kept = kept & (index < BLOCK_M - 1)
        # In parts, so that registers do for products and neighbours.
        left, right = _halves(products, BLOCK_M, BLOCK_N)
        if HALF == 128:
            part_0, part_1 = _halves(left, BLOCK_M, HALF)
            part_2, part_3 = _halves(right, BLOCK_M, HALF)
            for number in tl.static_range(4):
                _store_mixed(
                    part_0 if number == 0 else part_1 if number == 1 else part_2 if number == 2 else part_3,
                    y, bias, self_weight, row, first_column + number * 64, kept, real, has_before, has_after, n,
                    BOTH_WAYS, OWN, BIASED, RELU, BLOCK_M, 64,
                )  # fmt: skip
        else:
            for number in tl.static_range(2):
                _store_mixed(
                    left if number == 0 else right,
                    y, bias, self_weight, row, first_column + number * HALF, kept, real, has_before, has_after, n,
                    BOTH_WAYS, OWN, BIASED, RELU, BLOCK_M, HALF,
                )  # fmt: skip


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
        _hop_linear_kernel[(programs,)](
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
    x, weight, bias, ctx.self_weight, ctx.bi_directional, ctx.relu, starts, counts = inputs
    ctx.has_bias = bias is not None
    ctx.save_for_backward(x, weight, output if ctx.relu else None, starts, counts)


def _backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    x, weight, y, starts, counts = ctx.saved_tensors
    if y is not None:
        grad = torch.where(y > 0, grad, 0)
    grad_x = grad_weight = grad_bias = None
    if ctx.needs_input_grad[0] or ctx.needs_input_grad[1]:
        # That of the products: the transposed hop takes from the node after.
        taps = [1.0, ctx.self_weight, *([1.0] if ctx.bi_directional else [])]
        grad_products = filter_chain(grad, taps, 1, False, starts, counts)
        if ctx.needs_input_grad[0]:
            grad_x = grad_products @ weight
        if ctx.needs_input_grad[1]:
            grad_weight = grad_products.flatten(0, 1).T @ x.flatten(0, 1)
    if ctx.has_bias and ctx.needs_input_grad[2]:
        # One tap of 1: nothing but the real nodes' gradients.
        real = grad if starts is None else filter_chain(grad, [1.0], 0, False, starts, counts)
        grad_bias = real.sum((0, 1))
    return grad_x, grad_weight, grad_bias, None, None, None, None, None


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
