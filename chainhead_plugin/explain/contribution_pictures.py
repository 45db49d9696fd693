"""Pictures of the contributions of nodes. Needs matplotlib."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from torch import Tensor

from .axes import parts_of_figure
from .contributions import NodeContributions
from .forecast_pictures import draw_forecast_on
from .style import ADDS, SIGNED, TAKES_AWAY

MOST_ROWS = 16
_WIDTH, _HEIGHT = 9, 3.2
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
    figure, parts = parts_of_figure(batch, _WIDTH, 2.4 if node_names else _HEIGHT)
    for row, part in enumerate(parts):
        title = f"row {row}" if titles is None else titles[row]
        _draw_row(part, explained, row, title, None if node_names is None else node_names[row])
    return figure


def draw_explained_forecasts(
    explained: NodeContributions,
    described: Any,
    pasts: Sequence[NDArray[Any]],
    results: Sequence[Mapping[str, Any]],
    *,
    titles: Sequence[str],
) -> Figure:
    """Draw forecasts behind their past, and below each the contributions of nodes to one of its steps.

    Parameters
    ----------
    explained : NodeContributions
        Of a step of each forecast.
    described
        What the forecasting pipeline found out about its model, `pipe.described`.
    pasts : sequence of arrays [L, m]
    results : sequence of mappings
        Of the forecasting pipeline.
    titles : sequence of str

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there are more than 16 forecasts.
    """
    _check_count(len(results), titles)
    figure, parts = parts_of_figure(len(results), _WIDTH, _HEIGHT + 2.6)
    for row, part in enumerate(parts):
        above, below = part.subfigures(2, 1, height_ratios=(2.6, _HEIGHT))
        draw_forecast_on(above, described, pasts[row], results[row], int(explained.target[row][0]))
        _draw_row(below, explained, row, titles[row], None)
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
    figure, parts = parts_of_figure(len(images), 6.4, 3.2)
    for row, part in enumerate(parts):
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
        title = f"row {row}" if titles is None else titles[row]
        part.suptitle(_summary(explained, row, title), fontsize=10)
    return figure


def _draw_row(
    figure: Any, explained: NodeContributions, row: int, title: str, names: Sequence[str] | None
) -> None:
    """Draw a row of the batch on a part of a figure."""
    real = explained.mask[row].cpu()
    features = explained.features[row].cpu()[real].double().numpy()  # [nodes, m]
    nodes = features.sum(-1)
    if names is None:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        _draw_features(figure, above, features)
        below.set_xlabel("node")
        below.xaxis.set_major_locator(MaxNLocator(integer=True))
    else:
        below = figure.subplots()
        if len(names) != len(nodes):
            raise ValueError(f"row {row} has {len(nodes)} nodes, and node_names {len(names)} of them")
        below.set_xticks(range(len(nodes)), names, rotation=60, ha="right", rotation_mode="anchor")

    below.bar(range(len(nodes)), nodes, color=[_COLOURS[int(value > 0)] for value in nodes])
    below.axhline(0, color="black", linewidth=0.6)
    below.set_ylabel("contribution")
    figure.suptitle(_summary(explained, row, title), fontsize=10)


def _draw_features(figure: Any, axis: Any, features: Any) -> None:
    limit = max(abs(features).max(), np.finfo(float).tiny)
    shown = axis.imshow(
        features.T, cmap=SIGNED, vmin=-limit, vmax=limit, aspect="auto", interpolation="nearest"
    )
    axis.set_ylabel("feature")
    axis.yaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    figure.colorbar(shown, ax=axis, pad=0.01)


def _summary(explained: NodeContributions, row: int, title: str) -> str:
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


__all__ = ["draw_contributions", "draw_explained_forecasts", "draw_image_contributions"]
