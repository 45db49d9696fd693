"""Pictures of the contributions of nodes. Needs matplotlib."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from .contributions import NodeContributions
from .style import ADDS, SIGNED, TAKES_AWAY

MOST_ROWS = 16
_COLOURS = (TAKES_AWAY, ADDS)


def draw_contributions(
    explained: NodeContributions,
    *,
    titles: Sequence[str] | None = None,
    node_names: Sequence[Sequence[str]] | None = None,
) -> Figure:
    """Draw the contributions of nodes to a prediction: bars, and above them the features that make them up.

    Blue adds to the output, red takes away.

    Parameters
    ----------
    explained : NodeContributions
    titles : sequence of str, optional
        A figure for each row of the batch.
    node_names : sequence of sequences of str, optional
        Names of the real nodes of each row, such as its tokens; these are then drawn in place of the features.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there are more than 16 rows, or `titles` or `node_names` do not fit.
    """
    batch = explained.mask.size(0)
    _check_count(batch, titles)
    figure = Figure(figsize=(9, (2.4 if node_names else 3.2) * batch), layout="constrained")

    for row, part in enumerate(figure.subfigures(batch, 1, squeeze=False)[:, 0]):
        real = explained.mask[row].cpu()
        features = explained.features[row].cpu()[real].double().numpy()
        nodes = features.sum(-1)
        if node_names is None:
            above, below = part.subplots(2, 1, sharex=True, height_ratios=(3, 2))
            _draw_features(part, above, features)
            below.set_xlabel("node")
            below.xaxis.set_major_locator(MaxNLocator(integer=True))
        else:
            below = part.subplots()
            if len(node_names[row]) != len(nodes):
                raise ValueError(
                    f"row {row} has {len(nodes)} nodes, and node_names {len(node_names[row])} of them"
                )
            below.set_xticks(
                range(len(nodes)), node_names[row], rotation=60, ha="right", rotation_mode="anchor"
            )

        below.bar(range(len(nodes)), nodes, color=[_COLOURS[int(value > 0)] for value in nodes])
        below.axhline(0, color="black", linewidth=0.6)
        below.set_ylabel("contribution")
        part.suptitle(_summary(explained, row, titles), fontsize=10)
    return figure


def draw_image_contributions(
    explained: NodeContributions, maps: Tensor, images: Sequence[Any], *, titles: Sequence[str] | None = None
) -> Figure:
    """Draw images, and beside each the contributions of its places to a prediction.

    Parameters
    ----------
    explained : NodeContributions
    maps : Tensor [batch, rows, columns]
        As `contribution_map` returns them.
    images : sequence of Pillow images or arrays
    titles : sequence of str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there are more than 16 images, or `titles` do not fit.
    """
    _check_count(len(images), titles)
    figure = Figure(figsize=(6.4, 3.2 * len(images)), layout="constrained")

    for row, part in enumerate(figure.subfigures(len(images), 1, squeeze=False)[:, 0]):
        left, right = part.subplots(1, 2)
        picture = np.asarray(images[row])
        left.imshow(picture, cmap="grey")
        right.imshow(picture if picture.ndim == 2 else picture.mean(-1), cmap="grey", alpha=0.4)

        values = maps[row].cpu().double().numpy()
        limit = max(abs(values).max(), np.finfo(float).tiny)
        height, width = picture.shape[:2]
        shown = right.imshow(
            values,
            cmap=SIGNED,
            vmin=-limit,
            vmax=limit,
            alpha=0.7,
            extent=(-0.5, width - 0.5, height - 0.5, -0.5),
            aspect="auto",
        )

        part.colorbar(shown, ax=right, shrink=0.8)
        for axis in (left, right):
            axis.set_axis_off()
        part.suptitle(_summary(explained, row, titles), fontsize=10)
    return figure


def _draw_features(figure: Any, axis: Any, features: Any) -> None:
    limit = max(abs(features).max(), np.finfo(float).tiny)
    shown = axis.imshow(
        features.T, cmap=SIGNED, vmin=-limit, vmax=limit, aspect="auto", interpolation="nearest"
    )
    axis.set_ylabel("feature")
    axis.yaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    figure.colorbar(shown, ax=axis, pad=0.01)


def _summary(explained: NodeContributions, row: int, titles: Sequence[str] | None) -> str:
    title = f"row {row}" if titles is None else titles[row]
    output, offset, gap = (float(value[row]) for value in (explained.output, explained.offset, explained.gap))
    terms = f"output {output:.4g} = nodes {output - offset - gap:.4g} + offset {offset:.4g}"
    # A remainder of rounding is not worth a term.
    if abs(gap) > 1e-4 * max(1.0, abs(output)):
        terms += f" + unexplained {gap:.2g}"
    return f"{title}: {explained.method.replace('_', ' ')}\n{terms}"


def _check_count(count: int, titles: Sequence[str] | None) -> None:
    if count > MOST_ROWS:
        raise ValueError(f"{count} predictions do not fit into a picture, at most {MOST_ROWS}: choose some")
    if titles is not None and len(titles) != count:
        raise ValueError(f"there are {len(titles)} titles for {count} predictions")


__all__ = ["draw_contributions", "draw_image_contributions"]
