"""A picture of segments: true and predicted labels of nodes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FEW = 10


def draw_segments(
    true: Sequence[NDArray[np.int64]], predicted: Sequence[NDArray[np.int64]], names: Sequence[str]
) -> "Figure":
    """Draw the true and the predicted labels of chains as strips, one above the other. Needs matplotlib.

    Parameters
    ----------
    true, predicted : sequence of int64 arrays [L_i]
        Indices into `names`; others, such as -100, stay white.
    names : sequence of str

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib import colormaps
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    count = len(names)
    few = count <= _FEW
    palette = colormaps["tab10"](np.arange(count)) if few else colormaps["turbo"](np.linspace(0, 1, count))
    colours = ListedColormap(palette).with_extremes(under="white")
    norm = BoundaryNorm(np.arange(count + 1) - 0.5, count)
    figure = Figure(figsize=(7.2, 0.8 + 0.75 * len(true)), layout="constrained")
    for axes, *strips in zip(figure.subplots(len(true), squeeze=False)[:, 0], true, predicted, strict=True):
        axes.imshow(np.stack(strips), cmap=colours, norm=norm, aspect="auto", interpolation="nearest")
        axes.axhline(0.5, color="white", linewidth=2)
        axes.set_yticks([0, 1], ["true", "predicted"])
        axes.tick_params(axis="y", length=0)
        axes.spines[:].set_visible(False)
    axes.set_xlabel("node")
    patches = [Patch(color=colour, label=name) for colour, name in zip(palette, names, strict=True)]
    figure.legend(handles=patches, loc="outside upper center", ncols=min(count, 5), frameon=False, fontsize=8)
    return figure
