"""A confusion matrix as a picture."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...explain.style import AMOUNTS

# With more labels than this, cells have no numbers.
_WRITTEN = 20
_DARK = 0.55
_SHORT = 3
# Pictures of more labels are larger, and need fewer dots per inch.
_FEW = 6


def draw_confusion(counts: Sequence[Sequence[int]], names: Sequence[str], file: Path) -> None:
    """Draw a confusion matrix: shares of each true label as shades of blue, counts as numbers.

    Shades of a single hue can be told apart with every kind of colour vision, and in grey.

    Parameters
    ----------
    counts : int [labels, labels]
        A row for each true label, a column for each predicted label.
    names : sequence of str
        The labels.
    file : Path
        Its suffix tells the format.
    """
    from matplotlib.figure import Figure

    numbers = np.asarray(counts)
    totals = numbers.sum(1, keepdims=True)
    shares = numbers / np.maximum(totals, 1)
    size = 2.2 + 0.42 * min(len(names), 2 * _WRITTEN)
    figure = Figure(figsize=(size + 1.2, size), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, cmap=AMOUNTS, vmin=0, vmax=1)
    for row, column in np.ndindex(numbers.shape) if len(names) <= _WRITTEN else ():
        if numbers[row, column]:
            colour = "white" if shares[row, column] > _DARK else "black"
            axes.text(
                column, row, f"{numbers[row, column]:,}", ha="center", va="center", color=colour, fontsize=8
            )
    places = range(len(names))
    if max(map(len, names)) > _SHORT:
        axes.set_xticks(places, names, rotation=45, ha="right", rotation_mode="anchor")
    else:
        axes.set_xticks(places, names)
    axes.set_yticks(places, [f"{name} ({total:,})" for name, total in zip(names, totals[:, 0], strict=True)])
    axes.set(xlabel="predicted", ylabel="true (how many)")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.colorbar(image, shrink=0.85, label="share of the true label")
    # Without the version of matplotlib in the file, the same numbers give the same bytes.
    metadata = {"Software": None} if file.suffix.lower() == ".png" else None
    # As cells are square, only tight bounds leave enough room for the texts beside them.
    figure.savefig(
        file, dpi=130 if len(names) <= _FEW else 100, metadata=metadata, bbox_inches="tight", pad_inches=0.1
    )
