"""The layout that pictures share: axes without a box, and several predictions in a figure. Needs matplotlib."""

from math import ceil
from typing import Any

from matplotlib.figure import Figure

from .style import GRID

# Up to this many predictions stand below each other; more stand in two columns, and beyond eight in three.
_IN_A_COLUMN, _IN_TWO_COLUMNS = 3, 8


def open_axes(axes: Any) -> None:
    """Leave axes two of their sides, and draw faint lines at the ticks of the ordinate."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=GRID)
    axes.set_axisbelow(True)


def parts_of_figure(count: int, width: float, height: float) -> tuple[Figure, list[Any]]:
    """Return a figure, and its parts in the order in which one reads.

    Parameters
    ----------
    count : int
        The number of parts, at least 1.
    width, height : float
        The size of a part, in inches. In several columns, parts are two thirds as wide.
    """
    columns = 1 + (count > _IN_A_COLUMN) + (count > _IN_TWO_COLUMNS)
    rows = ceil(count / columns)
    wide = width if columns == 1 else columns * width * 2 / 3
    figure = Figure(figsize=(wide, height * rows), layout="constrained")
    return figure, figure.subfigures(rows, columns, squeeze=False).ravel().tolist()[:count]
