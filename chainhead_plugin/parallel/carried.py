"""Chains whose nodes reach all nodes before them, or all nodes: mixed with one exchange, forwards and backwards."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from ..chain.autograd import without_autocast
from ..chain.kinds import Chain
from ..chain.masking import zeroed
from .decaying_path import mix_decaying_path
from .running_sums import Mixed, mix_decaying_sum, mix_running_sum
from .shards import Shards


def mix_carried(x: Tensor, chain: Chain, shards: Shards, decay: Tensor | None) -> Tensor:
    """`mix` of the nodes of this process as part of whole rows, of the kind "inverse".

    Parameters
    ----------
    x : float32 or float64 Tensor [batch, length, width]
    chain : Chain
        Uni-directional, or with a decay.
    shards : Shards
    decay : Tensor [1, 1, width] of the same dtype, optional
        γ of every feature, in place of the chain's own.

    Returns
    -------
    Tensor [batch, length, width]
        Zero where nodes are not real.
    """
    mask = shards.mask(shards.begin, shards.end)
    y: Tensor = _Carried.apply(x, decay, None if mask is None else mask.unsqueeze(-1), chain, shards)
    return y


class _Carried(Function):
    """Aᵀx, with gradients for x and γ: the same with A in place of Aᵀ, whose carries go the other way.

    From dA = A (dγ N) A, the gradient for γ is that for x times Nᵀy, summed over the nodes of this process.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, decay: Tensor | None, mask: Tensor | None, chain: Chain, shards: Shards
    ) -> Tensor:
        mixed = _mixed(x, decay, mask, chain, shards, transposed=False)
        ctx.chain, ctx.shards = chain, shards
        ctx.save_for_backward(decay, mask, *(() if decay is None else mixed))
        return mixed.nodes

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        decay, mask, *saved = ctx.saved_tensors
        grad_x = _mixed(grads[0], decay, mask, ctx.chain, ctx.shards, transposed=True).nodes
        if decay is None:
            return grad_x, None, None, None, None
        nodes, before, after = saved
        neighbours = torch.cat((before, nodes[:, :-1]), 1) if nodes.size(1) else nodes
        if ctx.chain.bi_directional and nodes.size(1):
            neighbours = neighbours + torch.cat((nodes[:, 1:], after), 1)
        return grad_x, (grad_x * neighbours).sum((0, 1), keepdim=True), None, None, None


@without_autocast
def _mixed(
    x: Tensor, decay: Tensor | None, mask: Tensor | None, chain: Chain, shards: Shards, transposed: bool
) -> Mixed:
    """Aᵀx of whole rows, or with `transposed` Ax."""
    x = x.contiguous() if mask is None else zeroed(x, mask)
    gamma = chain.decay if decay is None else decay
    if gamma is None:
        y = mix_running_sum(x, shards, reverse=transposed)
        none = x.new_zeros(x.size(0), 1, x.size(2))
        mixed = Mixed(y, none, none)
    elif chain.bi_directional:
        mixed = mix_decaying_path(x, mask, gamma, shards)
    else:
        mixed = mix_decaying_sum(x, gamma, shards, reverse=transposed)
    return mixed if mask is None else mixed._replace(nodes=zeroed(mixed.nodes, mask))
