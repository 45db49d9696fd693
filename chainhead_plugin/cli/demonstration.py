"""`chainhead demo`: predictions of the embedded checkpoint for real chains, as a table and a picture, offline."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..plugin import CHECKPOINTS

MODEL = "chainhead-japanese-vowels"
SAMPLES = CHECKPOINTS / "japanese_vowels_samples.json"
_SHADES, _ASCII_SHADES = " ░▒▓█", " .:*#"


class Prediction(NamedTuple):
    """The scores of the model for a real chain, and the speaker who is the right label."""

    nodes: Sequence[Sequence[float]]
    label: str
    scores: Mapping[str, float]

    @property
    def predicted(self) -> str:
        """The label with the highest score."""
        return max(self.scores, key=self.scores.__getitem__)


def run(console: Console, picture: Path | None) -> None:
    """Predict the shipped chains and show the results.

    Parameters
    ----------
    console : rich.console.Console
        Where to print.
    picture : Path, optional
        Also draw the results into this image file; needs matplotlib.

    Raises
    ------
    ModuleNotFoundError
        If `picture` is given and matplotlib is missing.
    ValueError
        If the picture's format is unknown or its folder missing.
    """
    if picture is not None:
        from ..explain.picture_file import check_picture

        check_picture(picture)
    start = time.perf_counter()
    with console.status("Importing torch and transformers, loading the model"):
        predictions = predict()
    seconds = time.perf_counter() - start
    labels = list(predictions[0].scores)
    ascii_only = console.options.ascii_only
    console.print(_table(predictions, "" if ascii_only else "✓ ", "" if ascii_only else "✗ "))
    console.print(_heat_map(predictions, labels, _ASCII_SHADES if ascii_only else _SHADES))
    right = sum(prediction.predicted == prediction.label for prediction in predictions)
    console.print(
        f"{right} of {len(predictions)} right. {MODEL} on the CPU: {seconds:.1f} s with imports, no network."
    )
    if picture is not None:
        _draw(predictions, labels, picture)
        console.print(f"Picture: {picture}")


def predict() -> list[Prediction]:
    """Run the embedded checkpoint's pipeline on the chains that ship with it."""
    from transformers import pipeline
    from transformers.utils import logging

    import registry

    logging.disable_progress_bar()
    registry.load_plugins()
    classify = pipeline(
        "time-series-classification", model=str(registry.checkpoint_path(MODEL)), device="cpu"
    )
    samples: list[dict[str, Any]] = json.loads(SAMPLES.read_text("utf-8"))["samples"]
    outputs = classify([sample["nodes"] for sample in samples], top_k=None, batch_size=len(samples))
    names = [classify.model.config.id2label[index] for index in range(classify.model.config.num_labels)]
    return [
        Prediction(
            sample["nodes"],
            sample["label"],
            {name: next(o["score"] for o in output if o["label"] == name) for name in names},
        )
        for sample, output in zip(samples, outputs, strict=True)
    ]


def _table(predictions: Sequence[Prediction], tick: str, cross: str) -> Table:
    table = Table(title="Japanese vowels: which of nine speakers says /ae/?", title_justify="left")
    table.add_column("chain")
    table.add_column("frames", justify="right")
    table.add_column("spoken by")
    table.add_column("predicted")
    table.add_column("score", justify="right")
    table.add_column("")
    for number, prediction in enumerate(predictions, start=1):
        score = prediction.scores[prediction.predicted]
        right = prediction.predicted == prediction.label
        table.add_row(
            str(number),
            str(len(prediction.nodes)),
            prediction.label,
            prediction.predicted,
            f"{score:.1%}",
            Text(f"{tick}right", "green") if right else Text(f"{cross}wrong", "red"),
        )
    return table


def _heat_map(predictions: Sequence[Prediction], labels: Sequence[str], shades: str) -> Table:
    """Return a table of shaded cells, one for every score, with a row for each chain and a column for each speaker."""
    table = Table(title="Scores: chains down, speakers across", title_justify="left", padding=(0, 0))
    table.add_column("")
    for label in labels:
        table.add_column(label.removeprefix("speaker "), justify="center", width=4)
    for number, prediction in enumerate(predictions, start=1):
        cells = [
            Text(shades[round(prediction.scores[label] * (len(shades) - 1))] * 4, "cyan") for label in labels
        ]
        table.add_row(f"{number:>2} ", *cells)
    return table


def _draw(predictions: Sequence[Prediction], labels: Sequence[str], file: Path) -> None:
    from matplotlib.figure import Figure

    from ..explain.style import AMOUNTS, MODEL as RIGHT, REFERENCE

    figure = Figure(figsize=(1.45 * len(predictions), 4), layout="constrained")
    axes = figure.subplots(2, len(predictions), height_ratios=(3, 2))
    for (chain, scores), prediction in zip(axes.T, predictions, strict=True):
        chain.imshow(list(zip(*prediction.nodes, strict=True)), aspect="auto", cmap=AMOUNTS)
        chain.set_title(prediction.label, fontsize=10)
        chain.set_xlabel(f"{len(prediction.nodes)} frames", fontsize=8)
        colours = [RIGHT if label == prediction.label else REFERENCE for label in labels]
        scores.bar(range(1, len(labels) + 1), [prediction.scores[label] for label in labels], color=colours)
        scores.set_ylim(0, 1)
        scores.set_xticks(range(1, len(labels) + 1))
        for axis in (chain, scores):
            axis.tick_params(labelsize=6)
            if prediction is not predictions[0]:
                axis.set_yticklabels([])
    axes[0][0].set_ylabel("12 features")
    axes[1][0].set_ylabel("score")
    axes[1][len(predictions) // 2].set_xlabel("speaker (blue: who spoke)", fontsize=9)
    figure.savefig(file, dpi=110)
