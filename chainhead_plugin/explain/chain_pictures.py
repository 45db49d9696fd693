"""Pictures of a model's chain: its matrix, and how much weight each hop has. Needs matplotlib."""

from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from ..checks.values import check_whole_number
from ..head.chain_head import ChainInterdependenceHead
from .matrix_picture import draw_matrix

MOST_NODES = 1024


def draw_chain(model: nn.Module, length: int | None = None) -> Figure:
    """Draw the interdependence matrix of a model's first chain head.

    Where every channel has a hop of its own, entries are Frobenius norms of the channel's weights, and bars compare
    the hops of every layer. Where every feature has a decay of its own, entries are means over features, and bars
    show how the decays of every layer are distributed.

    Parameters
    ----------
    model : torch.nn.Module
        With a chain head in it.
    length : int, optional
        Nodes to draw, at most 1,024; by default as many as `chain_length`, at most 64.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    TypeError
        If `length` is no int.
    ValueError
        If the model has no chain head, or `length` is out of range.
    """
    heads = [part for part in model.modules() if isinstance(part, ChainInterdependenceHead)]
    if not heads:
        raise ValueError(f"{type(model).__name__} has no chain head in it")

    length = min(heads[0].chain_length, 64) if length is None else length
    check_whole_number("length", length, 1, MOST_NODES)
    matrix = heads[0].interdependence_matrix(length).detach().double().cpu()
    hops = heads[0].chain.channel_hops

    if matrix.ndim == 2:
        figure = Figure(figsize=(4.6, 4), layout="constrained")
        _draw_matrix(figure, figure.subplots(), matrix, "how much node i gives to node j")
        return figure

    figure = Figure(figsize=(8.6, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    if hops:
        norms = [hop_norms(head) for head in heads]
        matrix = (norms[0].cpu()[:, None, None] * matrix).sum(0)
        _draw_matrix(figure, left, matrix, "norm of the weights from node i to node j")
        width = 0.8 / len(heads)
        for layer, values in enumerate(norms):
            places = torch.arange(len(hops)) + (layer - (len(heads) - 1) / 2) * width
            right.bar(places.tolist(), values.tolist(), width, label=f"layer {layer + 1}")
        right.set_xticks(range(len(hops)), [str(hop) for hop in hops], rotation=90 if len(hops) > 12 else 0)
        right.set_xlabel("hop: how many nodes before")
        right.set_ylabel("norm of the weights")
    else:
        _draw_matrix(figure, left, matrix.mean(0), "how much node i gives to node j, mean of features")
        decays = [
            head.learned_decay().detach().float().cpu().tolist() for head in heads if head.learned_decay
        ]
        right.hist(decays, bins=20, label=[f"layer {layer + 1}" for layer in range(len(heads))])
        right.set_xlabel("decay γ of a feature")
        right.set_ylabel("features")

    if len(heads) > 1:
        # Above the axes, where no bar can run into it.
        right.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=min(len(heads), 4))
    return figure


@torch.no_grad()
def hop_norms(head: ChainInterdependenceHead) -> Tensor:
    """Return the Frobenius norm of every channel's reconciled weights: float64 [channels]."""
    features = head.reconciliation.in_features
    weights = [head.calculate_phi_w(features, channel) for channel in range(head.channel_num)]
    return torch.stack([torch.linalg.matrix_norm(weight.double()) for weight in weights])


def _draw_matrix(figure: Figure, axis: Any, matrix: Tensor, title: str) -> None:
    colours = figure.colorbar(draw_matrix(axis, matrix.numpy()), ax=axis, shrink=0.8)
    if not (matrix < 0).any():
        colours.ax.set_ylim(bottom=0)
    axis.set_title(title, fontsize=10)
    axis.set_ylabel("gives: node i")
    axis.set_xlabel("takes: node j")


__all__ = ["draw_chain", "hop_norms"]
