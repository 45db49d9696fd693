"""The card's pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from chainhead_plugin import ChainInterdependenceHead

_BLUE, _ORANGE, _GREY = "#2b6cb0", "#dd6b20", "#4a5568"
_SHOWN = 12


def draw_learning_curve(history: Sequence[Mapping[str, float]], file: Path) -> None:
    """Draw loss and validation accuracy over the epochs of a Trainer's log."""
    figure = Figure(figsize=(7.2, 2.9), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw(left, history, "loss", "training", _BLUE)
    _draw(left, history, "eval_loss", "validation", _ORANGE)
    left.set(title="cross-entropy", xlabel="epoch", yscale="log")
    left.legend(frameon=False)
    _draw(right, history, "eval_accuracy", "validation", _ORANGE)
    right.set(title="validation accuracy", xlabel="epoch", ylim=(0, 1.02))
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="0.92")
    # Without the version of matplotlib in the file, the same numbers give the same bytes.
    figure.savefig(file, dpi=130, metadata={"Software": None})


def _draw(axes: Axes, history: Sequence[Mapping[str, float]], key: str, label: str, colour: str) -> None:
    points = [(record["epoch"], record[key]) for record in history if key in record]
    axes.plot(*zip(*points, strict=True), label=label, color=colour, linewidth=1.6)


def draw_chain_matrix(head: ChainInterdependenceHead, file: Path) -> None:
    """Draw the head's interdependence matrix for a short chain."""
    matrix = head.interdependence_matrix(_SHOWN).numpy(force=True)
    largest = abs(matrix).max()
    figure = Figure(figsize=(4.6, 3.9), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(matrix, cmap="RdBu", vmin=-largest, vmax=largest)
    for row, column in zip(*matrix.nonzero(), strict=True):
        axes.text(
            column, row, f"{matrix[row, column]:+.0f}", ha="center", va="center", color="white", fontsize=8
        )
    axes.set(title=f"chain matrix A, {_SHOWN} nodes", xlabel="node that takes in", ylabel="node that gives")
    axes.set_xticks(range(_SHOWN))
    axes.set_yticks(range(_SHOWN))
    axes.set_xticks([edge - 0.5 for edge in range(1, _SHOWN)], minor=True)
    axes.set_yticks([edge - 0.5 for edge in range(1, _SHOWN)], minor=True)
    axes.grid(which="minor", color="0.88", linewidth=0.6)
    axes.tick_params(which="both", length=0, labelcolor=_GREY)
    figure.colorbar(image, shrink=0.85)
    figure.savefig(file, dpi=130, metadata={"Software": None})
