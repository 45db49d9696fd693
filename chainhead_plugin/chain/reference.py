"""The dense interdependence matrix by its definition: for plots, and to test the fast forms against."""

import torch
from torch import Tensor

from .forms.sum_in_blocks import Decay
from .kinds import Chain


def interdependence_matrix(chain: Chain, length: int, decay: Tensor | None = None) -> Tensor:
    """A of a chain of `length` nodes: row i, column j says how much node i gives to node j.

    Parameters
    ----------
    chain : Chain
    length : int
        At least 1. Time grows with its cube, memory with its square.
    decay : Tensor [features], optional
        γ of every feature of a decaying chain, in place of the chain's own.

    Returns
    -------
    float64 Tensor on the CPU
        [length, length]; [channels, length, length] of the kind "channel_hops"; [features, length, length] where
        `decay` is given, differentiable in it.
    """
    if chain.kind == "channel_hops":
        return torch.stack([_moved_by(hops, length) for hops in chain.channel_hops])
    identity = torch.eye(length, dtype=torch.float64)
    neighbours = torch.diag(torch.ones(length - 1, dtype=torch.float64), 1)
    if chain.bi_directional:
        neighbours = neighbours + neighbours.T
    one_hop = neighbours + chain.self_weight * identity

    gamma = chain.decay if decay is None else decay.cpu().double()[:, None, None]
    if gamma is not None:
        decaying = gamma * neighbours
        if chain.kind == "inverse":
            return torch.linalg.inv(identity - decaying)
        return torch.linalg.matrix_exp(decaying)
    if chain.kind == "single_hop":
        return one_hop
    if chain.kind == "exponential":
        return torch.linalg.matrix_exp(neighbours)
    if chain.kind == "inverse" and not chain.bi_directional:
        return torch.linalg.inv(identity - neighbours)
    if chain.kind == "inverse":
        return _scale_columns(_power_sum(length, 0.0, length - 1))
    if not chain.accumulative:
        return torch.linalg.matrix_power(one_hop, chain.hops)
    if not chain.bi_directional:
        powers = [torch.linalg.matrix_power(one_hop, i) for i in range(1, chain.hops + 1)]
        return torch.stack(powers).sum(0)
    return _scale_columns(_power_sum(length, chain.self_weight, chain.hops))


def _moved_by(hops: int, length: int) -> Tensor:
    """S^hops, or (Sᵀ)^|hops| where that is negative."""
    return torch.ones(length, length, dtype=torch.float64).triu(hops).tril(hops)


def _power_sum(length: int, self_weight: float, order: int) -> Tensor:
    """Σ_{i=1..order} (S + Sᵀ + σI)^i up to a positive factor, which keeps it finite: columns are scaled next."""
    term = torch.eye(length, dtype=torch.float64)
    total = torch.zeros_like(term)
    for _ in range(order):
        powers = total + term
        total = self_weight * powers
        total[1:] += powers[:-1]
        total[:-1] += powers[1:]
        size = total.abs().max().clamp(min=1)
        total, term = total / size, term / size
    return total


def _scale_columns(matrix: Tensor) -> Tensor:
    sums = matrix.sum(0, keepdim=True)
    return torch.where(sums == 0, 0, matrix / sums)


def decaying_sum_by_steps(x: Tensor, decay: Decay, reverse: bool) -> Tensor:
    """`decaying_sum` by its definition, node after node, to test the fast forms against."""
    nodes = list(x.flip(1).unbind(1) if reverse else x.unbind(1))
    gamma = decay if isinstance(decay, float) else decay.to(x.dtype).squeeze(1)
    for j in range(1, len(nodes)):
        nodes[j] = nodes[j] + gamma * nodes[j - 1]
    y = torch.stack(nodes, 1)
    return y.flip(1) if reverse else y
