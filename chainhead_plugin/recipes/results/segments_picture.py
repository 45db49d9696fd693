"""Draw labels of nodes as strips, the true labels above the predicted labels."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...explain.style import LABELS
from ..data.examples import Examples
from .figures import new_figure, save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CHAINS = 3
# A name needs this share of a strip's width for each of its characters.
_CHARACTER = 0.0095
_DARK = 0.45


def draw_first_segments(examples: Examples, predicted: NDArray[np.int64], file: Path) -> None:
    """Draw the true and the predicted labels of the first chains' nodes, into a PNG."""
    lengths = [len(chain) for chain in examples.inputs[:_CHAINS]]
    true, named = (
        [row[:length] for row, length in zip(labels, lengths, strict=False)]
        for labels in (examples.labels, predicted)
    )
    save_figure(draw_segments(true, named, examples.names), file, dpi=90)


def draw_segments(
    true: Sequence[NDArray[np.int64]], predicted: Sequence[NDArray[np.int64]], names: Sequence[str]
) -> "Figure":
    """Draw the true and the predicted labels of chains as strips, one above the other. Needs matplotlib.

    Parameters
    ----------
    true, predicted : sequence of int64 arrays [L_i]
        Indices into `names`; nodes with another number, such as -100, stay white.
    names : sequence of str
        The labels.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib import colormaps
    from matplotlib.colors import BoundaryNorm, ListedColormap, to_rgb
    from matplotlib.patches import Patch

    count = len(names)
    palette: Sequence[Any] = LABELS[:count]
    if count > len(LABELS):
        palette = colormaps["turbo"](np.linspace(0, 1, count))[:, :3].tolist()
    colours = ListedColormap(palette).with_extremes(under="white")
    norm = BoundaryNorm(np.arange(count + 1) - 0.5, count)

    figure = new_figure(7.2, 0.8 + 0.8 * len(true))
    for axes, *strips in zip(figure.subplots(len(true), squeeze=False)[:, 0], true, predicted, strict=True):
        axes.imshow(np.stack(strips), cmap=colours, norm=norm, aspect="auto", interpolation="nearest")
        for row, strip in enumerate(strips):
            _write_names(axes, row, strip.tolist(), names, [to_rgb(colour) for colour in palette])
        axes.axhline(0.5, color="white", linewidth=2)
        axes.set_yticks([0, 1], ["true", "predicted"])
        axes.tick_params(axis="y", length=0)
        axes.spines[:].set_visible(False)
    axes.set_xlabel("node")
    patches = [Patch(color=colour, label=name) for colour, name in zip(palette, names, strict=True)]
    figure.legend(handles=patches, loc="outside upper center", ncols=min(count, 5), frameon=False, fontsize=8)
    return figure


def _write_names(
    axes: Any, row: int, labels: Sequence[int], names: Sequence[str], palette: Sequence[tuple[float, ...]]
) -> None:
    """Write its name into each segment that is wide enough."""
    start = 0
    for label, part in groupby(labels):
        length = len([*part])
        if 0 <= label < len(names) and length >= _CHARACTER * len(names[label]) * len(labels):
            is_dark = np.dot(palette[label], (0.3, 0.59, 0.11)) < _DARK
            colour = "white" if is_dark else "black"
            middle = start + (length - 1) / 2
            axes.text(middle, row, names[label], ha="center", va="center", fontsize=7, color=colour)
        start += length
