"""A chain matrix on the axes of a matplotlib figure, in the colours of all pictures of it."""

from typing import TYPE_CHECKING, Any

import numpy as np

from .style import SIGNED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage


def draw_matrix(axes: "Axes", matrix: Any) -> "AxesImage":
    """Draw a matrix as coloured cells: white for 0, blue above and red below, full colour for the largest.

    Model cards, which must do without matplotlib, have these colours too.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    matrix : array or Tensor [rows, columns]

    Returns
    -------
    matplotlib.image.AxesImage
        For a bar of colours.
    """
    largest = float(np.abs(np.asarray(matrix)).max())
    return axes.imshow(matrix, cmap=SIGNED, vmin=-largest, vmax=largest)
