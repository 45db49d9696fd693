"""Pictures of a recipe's results: learning curve, comparison, chain matrix, forecasts, segments."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...checks.packages import missing_package
from ...explain.matrix_picture import draw_matrix
from ...head.chain_head import ChainInterdependenceHead
from ..candidates.peers import CHAIN
from ..data.examples import Examples
from ..errors import RecipeError
from ..task import Task

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BLUE, _ORANGE, _GREY = "#2b6cb0", "#dd6b20", "#4a5568"
_SHOWN, _CHAINS = 12, 3
_STEPS = 56


def draw_learning_curve(history: Sequence[Mapping[str, float]], task: Task, file: Path) -> None:
    """Draw loss and the validation's metric over the epochs of a Trainer's log."""
    figure = _figure(7.2, 2.9)
    left, right = figure.subplots(1, 2)
    _draw(left, history, "loss", "training", _BLUE)
    _draw(left, history, "eval_loss", "validation", _ORANGE)
    left.set(title=task.loss, xlabel="epoch", yscale="log")
    left.legend(frameon=False)
    _draw(right, history, f"eval_{task.metric.name}", "validation", _ORANGE)
    right.set(title=f"validation {task.metric.title}", xlabel="epoch")
    if task.metric.percent:
        right.set(ylim=(0, 1.02))
    _open(left)
    _open(right)
    _save(figure, file)


def draw_comparison(
    models: Mapping[str, Mapping[str, Any]], task: Task, file: Path, unit: str | None = None
) -> None:
    """Draw every model on the test part, each seed a dot, in the task's metric."""
    metric = task.metric
    key, factor = f"test_{metric.name}", 100 if metric.percent else 1
    figure = _figure(6.4, 0.6 + 0.42 * len(models))
    axes = figure.subplots()
    for row, (name, model) in enumerate(models.items()):
        colour = _BLUE if name == CHAIN else _GREY
        values = [factor * value for value in model[key]]
        axes.plot(values, [row] * len(values), "o", color=colour, alpha=0.45, markeredgewidth=0)
        axes.plot([factor * model[f"{key}_mean"]], [row], "|", color=colour, markersize=16)
    axes.set_yticks(range(len(models)), [model["title"] for model in models.values()])
    axes.set(xlabel=f"test {metric.in_unit(unit)}: seeds, and their mean", ylim=(len(models) - 0.5, -0.5))
    _open(axes, grid="x")
    _save(figure, file)


def draw_forecast(
    forecasts: NDArray[Any], values: NDArray[Any], name: str, unit: str | None, file: Path
) -> None:
    """Draw forecasts against what happened, over the last steps of the test part.

    Parameters
    ----------
    forecasts, values : array [windows, future steps, targets]
        Of windows one step apart. The first target's are drawn, every window's where the one before ends.
    name : str
        The target's.
    unit : str, optional
    file : Path
    """
    steps = values.shape[1]
    chosen = np.arange(len(values) - 1, -1, -steps)[: max(1, _STEPS // steps)][::-1]
    axis = (np.arange(-len(chosen) * steps, 0) + 1).reshape(len(chosen), steps)
    figure = _figure(7.2, 2.9)
    axes = figure.subplots()
    axes.plot(axis.ravel(), values[chosen, :, 0].ravel(), color=_GREY, linewidth=1.2, label="what happened")
    style = "o" if steps == 1 else "-"
    for own, forecast in zip(axis, forecasts[chosen, :, 0], strict=True):
        axes.plot(own, forecast, style, color=_BLUE, markersize=3.5, linewidth=1.6)
    ahead = f"forecast, {steps} step{'s' if steps > 1 else ''} ahead"
    axes.plot([], [], style, color=_BLUE, label=ahead)
    axes.set(xlabel="steps before the end of the test part", ylabel=f"{name}{f', {unit}' if unit else ''}")
    axes.legend(frameon=False, ncols=2, loc="upper left")
    axes.margins(y=0.2)
    _open(axes)
    _save(figure, file)


def draw_chain_matrix(head: ChainInterdependenceHead, file: Path) -> None:
    """Draw the head's interdependence matrix for a short chain.

    Of channels with hops of their own the sum, as no two share a place; of learned decays the mean.
    """
    matrix = head.interdependence_matrix(_SHOWN).numpy(force=True)
    if matrix.ndim == 3:
        matrix = matrix.sum(0) if head.chain.kind == "channel_hops" else matrix.mean(0)
    whole = (matrix == matrix.round()).all()
    figure = _figure(4.6, 3.9)
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
    axes.tick_params(which="both", length=0, labelcolor=_GREY)
    figure.colorbar(image, shrink=0.85)
    _save(figure, file)


def draw_first_segments(examples: Examples, predicted: NDArray[np.int64], file: Path) -> None:
    """Draw the true labels of the first chains' nodes, and the predicted ones."""
    lengths = [len(chain) for chain in examples.inputs[:_CHAINS]]
    true, named = (
        [row[:length] for row, length in zip(labels, lengths, strict=False)]
        for labels in (examples.labels, predicted)
    )
    _save(draw_segments(true, named, examples.names), file)


def require_matplotlib() -> None:
    """Find out before hours of training whether their results can be drawn.

    Raises
    ------
    RecipeError
        If matplotlib is missing.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ModuleNotFoundError as error:
        raise RecipeError(missing_package("drawing", "matplotlib")) from error


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _open(axes: "Axes", grid: Literal["both", "x"] = "both") -> None:
    """Leave the frame open above and on the right, and draw a light grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis=grid, color="0.92")


def _save(figure: "Figure", file: Path) -> None:
    # Without the version of matplotlib in the file, the same numbers give the same bytes.
    figure.savefig(file, dpi=130, metadata={"Software": None})


def _draw(axes: "Axes", history: Sequence[Mapping[str, float]], key: str, label: str, colour: str) -> None:
    points = [(record["epoch"], record[key]) for record in history if key in record]
    axes.plot(*zip(*points, strict=True), label=label, color=colour, linewidth=1.6)


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
