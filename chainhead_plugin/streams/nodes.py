"""Turns the next nodes of streams, in users' data types, into tensors."""

from typing import Any

import numpy as np
import torch
from torch import Tensor


def _tensor_of(nodes: Any) -> Tensor:
    if hasattr(nodes, "to_numpy"):
        nodes = nodes.to_numpy()  # A Series or DataFrame of pandas.
    if isinstance(nodes, np.ndarray) and nodes.dtype.kind not in "iufb":
        raise ValueError(f"the nodes are of the type {nodes.dtype}, expected numbers")
    return torch.as_tensor(nodes).detach().cpu()


def as_nodes(nodes: Any, count: int, m: int, *, allow_missing: bool = False) -> Tensor:
    """Return the next nodes of `count` streams as a tensor.

    Parameters
    ----------
    nodes : array, tensor, Series or DataFrame [count, m] or [count, nodes, m], or [count] for m = 1
    count : int
        The number of streams.
    m : int
        The number of features of a node.
    allow_missing : bool
        Whether NaN is accepted.

    Returns
    -------
    Tensor [count, nodes, m]
        On the CPU, with at least one node.

    Raises
    ------
    ValueError
        If the shape is different, or a value is not a number or not finite in float32.
    """
    found = _tensor_of(nodes)
    shape = list(found.shape)
    if found.ndim == 1 and m == 1:
        found = found[:, None]
    if found.ndim == 2:
        found = found[:, None]
    if found.ndim != 3 or found.size(0) != count or found.size(2) != m or found.size(1) == 0:
        raise ValueError(
            f"the nodes have shape {shape}, expected [{count}, {m}], or [{count}, nodes, {m}] for several: a row a "
            "stream"
        )
    single = found.float()
    if not (single.isfinite() | (single.isnan() & allow_missing)).all():
        raise ValueError("the nodes have a value that is not finite in float32")
    return found


def as_nodes_of_one(node: Any, m: int) -> Tensor:
    """Return the next nodes of a single stream as a tensor.

    Parameters
    ----------
    node : array, tensor, Series or DataFrame [m] or [nodes, m], or a number for m = 1
    m : int
        The number of features of a node.

    Returns
    -------
    Tensor [1, nodes, m]
        On the CPU; values may still be missing or infinite, which `as_nodes` checks.

    Raises
    ------
    ValueError
        If the shape is different, or a value is not a number.
    """
    nodes = _tensor_of(node)
    shape = list(nodes.shape)
    if nodes.ndim <= 1:
        nodes = nodes.reshape(1, -1)
    if nodes.ndim != 2 or nodes.size(1) != m or nodes.size(0) == 0:
        raise ValueError(f"the node has shape {shape}, expected [{m}], or [nodes, {m}] for several")
    return nodes[None]
