"""Channels that take nodes at distances of their own, each with its matrix, as a single Triton kernel.

The plain form is `nn.functional.linear` of all channels beside each other, then `move`; there the outputs of every
channel go to memory and back. Here each program adds up the products of all channels in registers: channel c reads the
nodes h_c before its tile, from the cache. On Hopper's devices tiles come by the copy engine (TMA), which gives zeros
beyond the ends of chains, and programs go on from tile to tile. In the backward pass the same kernel, with opposite
hops and transposed matrices, gives the gradient of the nodes; that of each matrix is a product of the output's
gradient with the moved nodes, which a copy with zeros between the chains has as a view.
"""

import functools
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from .channel_linear_kernel import channel_linear_kernel
from .gradients.linear_gradients import real_nodes, through_relu
from .launching.launch import launch
from .launching.operators import map_operator
from .tiles.copy_engine import described, programs_at_once, takes, tiles_for
from .tiles.sizes import cdiv

# How many more nodes than necessary tiles may go through, as a share.
_MOST_WASTED = 1 / 8


@functools.lru_cache(maxsize=256)
def nodes_of_tile(batch: int, length: int, rows: int) -> int:
    """How many nodes of a chain a tile of `rows` nodes takes, so that it holds as many chains as that fits in.

    Parameters
    ----------
    batch, length, rows : int
        `rows` is a power of two.

    Returns
    -------
    int
        The largest power of two up to `rows` with which tiles go hardly further beyond the ends of chains, and beyond
        the last chain, than they have to.
    """
    sizes = [2**power for power in range(rows.bit_length())]
    covered = [cdiv(batch * nodes, rows) * (rows // nodes) * cdiv(length, nodes) * nodes for nodes in sizes]
    return max(
        nodes
        for nodes, places in zip(sizes, covered, strict=True)
        if places <= (1 + _MOST_WASTED) * min(covered)
    )


def _weight_gradient(grad: Tensor, x: Tensor, hops: Sequence[int]) -> Tensor:
    """Σ_j grad[j]ᵀ x[j − h] for each hop h, [channels, n, m]."""
    batch, length, m = x.shape
    reach = max((abs(hop) for hop in hops if abs(hop) < length), default=0)
    if reach and batch > 1:
        # So that moved nodes of a chain meet no gradient of another.
        grad, x = (F.pad(nodes, (0, 0, 0, reach)) for nodes in (grad, x))
    grad, x = grad.flatten(0, 1).T, x.flatten(0, 1)

    gradients = []
    for hop in hops:
        if abs(hop) < length:
            stop = len(x) - abs(hop)
            gradients.append(grad[:, max(0, hop) :][:, :stop] @ x[max(0, -hop) :][:stop])
        else:
            gradients.append(x.new_zeros(grad.size(0), m))
    return torch.stack(gradients)


def _gradients(
    needed: Sequence[bool],
    grad: Tensor,
    y: Tensor | None,
    x: Tensor,
    weight: Tensor,
    hops: Sequence[int],
    _: bool,
    *bounds: Tensor | None,
) -> tuple[Tensor | None, ...]:
    # Behind ReLU outputs beside the chains, which are zero, let nothing through.
    grad = real_nodes(grad, *bounds) if y is None else through_relu(grad, y)
    grad_x = grad_weight = grad_bias = None
    if needed[0]:
        grad_x = channel_linear(grad, weight.transpose(1, 2), None, [-hop for hop in hops], False, *bounds)
    if needed[1]:
        grad_weight = _weight_gradient(grad, x, hops)
    if needed[2]:
        grad_bias = grad.sum((0, 1))
    return grad_x, grad_weight, grad_bias


@map_operator("channel_linear", _gradients)
def channel_linear(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    hops: Sequence[int],
    relu: bool,
    starts: Tensor | None = None,
    counts: Tensor | None = None,
) -> Tensor:
    """y[j] = act(Σ_c W_c x[j − h_c] + b) of every chain.

    Parameters
    ----------
    x : bfloat16 or float16 Tensor [batch, length, m]
        On a CUDA device, or anywhere in Triton's interpreter. Zero beside the chains.
    weight : Tensor [channels, n, m], in the dtype of `x`
    bias : Tensor [n], optional
    hops : sequence of int
        h of each channel, below zero where it takes from the nodes after.
    relu : bool
        Whether act is ReLU, or nothing.
    starts, counts : int32 Tensor [batch], optional
        Where each row's chain lies; by default all of it.

    Returns
    -------
    Tensor [batch, length, n], in the dtype of `x`
        Zero beside the chains.
    """
    x, weight = x.resolve_neg().contiguous(), weight.resolve_neg().contiguous()
    batch, length, m = x.shape
    channels, n, _ = weight.shape
    y = x.new_empty(batch, length, n)
    if y.numel() == 0:
        return y

    by_engine = takes(x, weight)
    sizes = tiles_for(n, by_engine)
    node_count = nodes_of_tile(batch, length, sizes.block_m)
    chain_count = sizes.block_m // node_count
    programs = cdiv(batch, chain_count) * cdiv(length, node_count) * cdiv(n, sizes.block_n)
    nodes, weights = x, weight
    if by_engine:
        programs = min(programs, programs_at_once(x.device))
        nodes = described(x, [chain_count, node_count, sizes.block_k])
        weights = described(weight.view(channels * n, m), [sizes.block_n, sizes.block_k])

    launch(
        channel_linear_kernel, programs, y,
        nodes, weights, bias, y, starts, counts, batch, length, m, n, programs, HOPS=tuple(hops),
        DESCRIBED=by_engine, MASKED=starts is not None, BIASED=bias is not None, RELU=relu, WIDENED=not x.is_cuda,
        CHAINS=chain_count, NODES=node_count, BLOCK_N=sizes.block_n, BLOCK_K=sizes.block_k,
        num_warps=sizes.warps, num_stages=sizes.stages,
    )  # fmt: skip
    return y
