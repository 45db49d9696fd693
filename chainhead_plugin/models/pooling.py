"""Pooling a chain's real nodes into one vector."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from ..config.pooling import poolings_of


def pool(nodes: Tensor, mask: Tensor | None, pooling: str | Sequence[str], chain_length: int) -> Tensor:
    """Pool the real nodes of each chain.

    Parameters
    ----------
    nodes : Tensor [batch, length, n]
        Zero at padded nodes.
    mask : bool Tensor [batch, length], optional
        True for real nodes.
    pooling : str, or sequence of str
        "mean", "last", "max", "std" (the standard deviation over the nodes, 0 of a single node), "ppv" (the share of
        nodes with a positive value, which has no gradient) or "flatten", which lines up the real nodes from the first
        on and fills with zeros up to `chain_length`. The features of several poolings are joined.
    chain_length : int

    Returns
    -------
    Tensor [batch, n], or [batch, chain_length·n] with "flatten"; of several poolings together
        Zeros for an empty chain.

    Raises
    ------
    ValueError
        If "flatten" meets a chain longer than `chain_length`.
    """
    if nodes.size(1) == 0:
        nodes, mask = F.pad(nodes, (0, 0, 0, 1)), nodes.new_zeros(nodes.size(0), 1, dtype=torch.bool)
    pooled = [
        _pool_all(nodes, name, chain_length) if mask is None else _pool_real(nodes, mask, name, chain_length)
        for name in poolings_of(pooling)
    ]
    return pooled[0] if len(pooled) == 1 else torch.cat(pooled, 1)


def _pool_real(nodes: Tensor, mask: Tensor, pooling: str, chain_length: int) -> Tensor:
    count = mask.sum(1, keepdim=True)
    if pooling == "mean":
        return nodes.sum(1) / count.clamp(min=1)
    if pooling == "max":
        largest = torch.where(mask.unsqueeze(-1), nodes, -torch.inf).amax(1)
        return torch.where(count > 0, largest, 0)
    if pooling == "ppv":
        return _positive(nodes).sum(1) / count.clamp(min=1)
    if pooling == "std":
        wide = _wide(nodes)
        mean = wide.sum(1, keepdim=True) / count.clamp(min=1).unsqueeze(-1)
        squares = torch.where(mask.unsqueeze(-1), wide - mean, 0).square().sum(1)
        return _root(squares / count.clamp(min=1)).to(nodes.dtype)

    first = mask.int().argmax(1, keepdim=True)
    if pooling == "last":
        return _take(nodes, (first + count - 1).clamp(min=0)).squeeze(1)

    _check_flat(nodes, chain_length)
    place = torch.arange(chain_length, device=nodes.device)
    aligned = _take(nodes, (first + place).clamp(max=nodes.size(1) - 1))
    return torch.where((place < count).unsqueeze(-1), aligned, 0).flatten(1)


def _take(nodes: Tensor, index: Tensor) -> Tensor:
    return nodes.gather(1, index.unsqueeze(-1).expand(-1, -1, nodes.size(2)))


def _pool_all(nodes: Tensor, pooling: str, chain_length: int) -> Tensor:
    """The same where all nodes are real."""
    if pooling == "mean":
        return nodes.mean(1)
    if pooling == "max":
        return nodes.amax(1)
    if pooling == "last":
        return nodes[:, -1]
    if pooling == "ppv":
        return _positive(nodes).mean(1)
    if pooling == "std":
        wide = _wide(nodes)
        return _root((wide - wide.mean(1, keepdim=True)).square().mean(1)).to(nodes.dtype)
    _check_flat(nodes, chain_length)
    return F.pad(nodes, (0, 0, 0, chain_length - nodes.size(1))).flatten(1)


def _positive(nodes: Tensor) -> Tensor:
    return (nodes > 0).to(nodes.dtype)


def _wide(nodes: Tensor) -> Tensor:
    return nodes.to(torch.promote_types(nodes.dtype, torch.float32))


def _root(variance: Tensor) -> Tensor:
    """Square root, whose gradient is 0 at 0: of nodes that are all equal it would be infinite times nothing."""
    varies = variance > 0
    return torch.where(varies, torch.where(varies, variance, 1).sqrt(), 0)


def _check_flat(nodes: Tensor, chain_length: int) -> None:
    if nodes.size(1) > chain_length:
        raise ValueError(
            f"got chains of {nodes.size(1)} nodes, but pooling='flatten' takes at most chain_length={chain_length}"
        )
