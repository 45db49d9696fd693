"""Pictures of a recipe's results: learning curve, comparison, chain matrix."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ...checks.packages import missing_package
from ...explain.matrix_picture import draw_matrix
from ...explain.style import GRID, MODEL, OTHER, REFERENCE
from ...head.chain_head import ChainInterdependenceHead
from ..candidates.peers import CHAIN
from ..errors import RecipeError
from ..task import Task
from ..training.report import Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SHOWN = 12


def draw_learning_curve(history: Sequence[Mapping[str, float]], task: Task, file: Path) -> None:
    """Draw the loss, and the metric on the validation part, over the epochs of a Trainer's log.

    Parameters
    ----------
    history : sequence of mappings
        The records of the log, each with its "epoch".
    task : Task
        For its loss and its first metric.
    file : Path
        A PNG.
    """
    figure = new_figure(7.2, 2.9)
    left, right = figure.subplots(1, 2)
    _draw(left, history, "loss", "training", OTHER, "--")
    _draw(left, history, "eval_loss", "validation", MODEL, "-")
    left.set(title=task.loss, xlabel="epoch", yscale="log")
    left.legend(frameon=False)
    metric = task.metric
    _draw(right, history, f"eval_{metric.name}", "validation", MODEL, "-", 100 if metric.percent else 1)
    right.set(title=f"validation {metric.title}{' in %' if metric.percent else ''}", xlabel="epoch")
    open_axes(left)
    open_axes(right)
    save_figure(figure, file)


def draw_comparison(report: Report, file: Path, unit: str | None = None) -> None:
    """Draw the first metric of every model on the test part, with a dot for each seed and a line for their mean.

    Parameters
    ----------
    report : Report
    file : Path
        A PNG.
    unit : str, optional
        The unit of the data.
    """
    metric = report.metric
    factor = 100 if metric.percent else 1
    figure = new_figure(6.4, 0.6 + 0.42 * len(report.models))
    axes = figure.subplots()
    for row, (name, model) in enumerate(report.models.items()):
        colour = MODEL if name == CHAIN else REFERENCE
        outcome = model.outcomes[metric.name]
        values = [factor * value for value in outcome.values]
        axes.plot(values, [row] * len(values), "o", color=colour, alpha=0.45, markeredgewidth=0)
        if outcome.mean is not None:
            axes.plot([factor * outcome.mean], [row], "|", color=colour, markersize=16)
    axes.set_yticks(range(len(report.models)), [model.title for model in report.models.values()])
    axes.set(
        xlabel=f"test {metric.in_unit(unit)}: seeds, and their mean", ylim=(len(report.models) - 0.5, -0.5)
    )
    open_axes(axes, grid="x")
    save_figure(figure, file)


def draw_chain_matrix(head: ChainInterdependenceHead, file: Path) -> None:
    """Draw the head's interdependence matrix for a short chain.

    If channels have different hops, their sum is drawn, as no two channels share an entry; of learned decays, the mean.
    """
    matrix = head.interdependence_matrix(_SHOWN).numpy(force=True)
    if matrix.ndim == 3:
        matrix = matrix.sum(0) if head.chain.kind == "channel_hops" else matrix.mean(0)
    whole = (matrix == matrix.round()).all()
    figure = new_figure(4.6, 3.9)
    axes = figure.subplots()
    image = draw_matrix(axes, matrix)
    for row, column in zip(*matrix.nonzero(), strict=True) if whole else ():
        axes.text(
            column, row, f"{matrix[row, column]:+.0f}", ha="center", va="center", color="white", fontsize=8
        )
    axes.set(title=f"chain matrix A, {_SHOWN} nodes", xlabel="node that takes in", ylabel="node that gives")
    axes.set_xticks(range(_SHOWN))
    axes.set_yticks(range(_SHOWN))
    axes.set_xticks([edge - 0.5 for edge in range(1, _SHOWN)], minor=True)
    axes.set_yticks([edge - 0.5 for edge in range(1, _SHOWN)], minor=True)
    axes.grid(which="minor", color="0.88", linewidth=0.6)
    axes.tick_params(which="both", length=0, labelcolor=REFERENCE)
    bar = figure.colorbar(image, shrink=0.85)
    if matrix.min() >= 0:
        bar.ax.set_ylim(bottom=0)
    save_figure(figure, file)


def require_matplotlib() -> None:
    """Check, before hours of training, that their results can be drawn.

    Raises
    ------
    RecipeError
        If matplotlib is not installed.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ModuleNotFoundError as error:
        raise RecipeError(missing_package("drawing", "matplotlib")) from error


def new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure of a size in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def open_axes(axes: "Axes", grid: Literal["both", "x"] = "both") -> None:
    """Remove the frame above and on the right, and draw a light grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis=grid, color=GRID)


def save_figure(figure: "Figure", file: Path, dpi: int = 130) -> None:
    """Write a PNG; the same numbers give the same bytes."""
    # Without this, the file would hold the version of matplotlib.
    figure.savefig(file, dpi=dpi, metadata={"Software": None})


def _draw(
    axes: "Axes",
    history: Sequence[Mapping[str, float]],
    key: str,
    label: str,
    colour: str,
    style: str,
    factor: float = 1,
) -> None:
    points = [(record["epoch"], factor * record[key]) for record in history if key in record]
    axes.plot(*zip(*points, strict=True), style, label=label, color=colour, linewidth=1.6)
