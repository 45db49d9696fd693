"""Draw how a model's answer changes while a series arrives."""

from pathlib import Path
from typing import Any

import numpy as np

from ...explain.style import LABELS, REFERENCE
from ..candidates.inputs.inputs import Inputs
from ..data.examples import Examples
from .figures import new_figure, open_axes, save_figure

_SHOWN = 3


def draw_stream(model: Any, inputs: Inputs, examples: Examples, file: Path) -> None:
    """Draw a series of each of the first three labels, and below it every label's probability at every node.

    Parameters
    ----------
    model : RandomChainForSequenceClassification
    inputs : Inputs
        The model's preprocessing.
    examples : Examples
        The test part; the first series of each label is drawn.
    file : Path
        A PNG.
    """
    names, labels = examples.names, examples.labels
    firsts = [int(np.argmax(labels == label)) for label in np.unique(labels)[:_SHOWN]]
    figure = new_figure(2.2 * len(firsts) + 0.6, 3.2)
    grid = figure.subplots(2, len(firsts), sharex="col", sharey="row", squeeze=False, height_ratios=(2, 3))
    for (above, below), place in zip(grid.T, firsts, strict=True):
        nodes = np.asarray(examples.inputs[place])
        above.plot(np.arange(1, len(nodes) + 1), nodes, color=REFERENCE, linewidth=1)
        above.set_title(f"true: {names[labels[place]]}", fontsize=10)
        answers = _answers(model, inputs, nodes)
        for label, name in enumerate(names):
            colour = LABELS[label % len(LABELS)]
            below.plot(
                np.arange(1, len(nodes) + 1), 100 * answers[:, label], color=colour, label=name, linewidth=1.6
            )
        below.set(xlabel="nodes so far", ylim=(-3, 103))
        open_axes(above)
        open_axes(below)
    grid[0, 0].set_ylabel("the series")
    grid[1, 0].set_ylabel("probability in %")
    grid[1, -1].legend(frameon=False, fontsize=8)
    save_figure(figure, file, dpi=80)


def _answers(model: Any, inputs: Inputs, nodes: Any) -> Any:
    """Return the probabilities [nodes, labels] after each node."""
    from ...streams.random_chain_stream import RandomChainStream

    stream = RandomChainStream(model, inputs.preprocessor)
    return np.stack([stream.update(node).numpy() for node in nodes])
