"""Draw what the zoo's models do, a picture per task: `python docs/draw_zoo.py`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from transformers import AutoTokenizer

import registry
from chainhead_plugin import node_contributions
from chainhead_plugin.explain.style import LABELS, MODEL, OTHER, REFERENCE, SIGNED
from chainhead_plugin.plugin import CHECKPOINTS
from chainhead_plugin.recipes.data.load import load_data
from chainhead_plugin.recipes.recipe_files import load_recipe
from chainhead_plugin.recipes.training.fitting.trainer import predict

IMAGES = Path(__file__).parent / "images"
_DAYS = 42


def main() -> None:
    """Draw five tasks on one sheet."""
    figure = Figure(figsize=(11, 6.4), layout="constrained")
    sheet = figure.subplot_mosaic(
        [
            ["series", "series", "forecast", "forecast"],
            ["images", "images", "images", "images"],
            ["text", "text", "speakers", "speakers"],
        ],
        height_ratios=[3, 2, 2],
    )
    draw_series(sheet["series"])
    draw_forecasts(sheet["forecast"])
    draw_images(sheet["images"])
    draw_text(sheet["text"])
    draw_speakers(sheet["speakers"])
    for axes in sheet.values():
        axes.title.set_fontsize(10)
    figure.savefig(IMAGES / "zoo.png", dpi=100)


def draw_series(axes: Axes) -> None:
    """Draw both gestures, and what the classifier takes them for."""
    for sample, colour in zip(_samples("gunpoint"), (MODEL, OTHER), strict=True):
        score = max(sample["scores"])
        axes.plot(sample["nodes"], color=colour, label=f"a {sample['label']}: {score:.1%}")
    axes.set(
        title="chainhead-gunpoint: time-series-classification", xlabel="frame", ylabel="hand, standardised"
    )
    axes.legend(frameon=False, fontsize=8)
    _tidy(axes)


def draw_forecasts(axes: Axes) -> None:
    """Draw the last days of the test part, each with the forecast made on the day before."""
    recipe = load_recipe("chainhead-ridership")
    test = load_data(recipe).test
    last = test.take(np.arange(len(test.labels) - _DAYS, len(test.labels)))
    inputs = recipe.task.load_inputs(registry.checkpoint_path(recipe.name))
    model = registry.create_model(recipe.name, pretrained=True)
    forecasts = predict(model, inputs, last.inputs, recipe.task).numpy()
    axes.plot(np.ravel(last.labels), color=REFERENCE, marker="o", markersize=3, linewidth=1, label="happened")
    axes.plot(np.ravel(forecasts), color=MODEL, label="forecast the day before")
    axes.set(title=f"{recipe.name}: time-series-forecasting", xlabel="day", ylabel="thousand entries")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=8, loc="lower left", ncols=2)
    _tidy(axes)


def draw_images(axes: Axes) -> None:
    """Draw an image of each class, and what the classifier takes it for."""
    samples, names = _samples("fashion-mnist"), _names("fashion-mnist")
    row = np.concatenate([np.pad(np.array(one["pixels"]), 2, constant_values=255) for one in samples], axis=1)
    axes.imshow(row, cmap="gray")
    width = row.shape[1] / len(samples)
    labels = [f"{names[int(np.argmax(one['scores']))]}\n{max(one['scores']):.0%}" for one in samples]
    axes.set_xticks(width * (np.arange(len(samples)) + 0.5), labels, fontsize=8)
    axes.set(title="chainhead-fashion-mnist: image-classification", yticks=[])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def draw_text(axes: Axes) -> None:
    """Draw the words of two sentences, with what each adds to the answer as its colour."""
    name = "chainhead-sentiment"
    model = registry.create_model(name, pretrained=True)
    tokenizer: Any = AutoTokenizer.from_pretrained(registry.checkpoint_path(name))
    colours = colormaps[SIGNED]
    for line, sample in enumerate(reversed(_samples("sentiment"))):
        inputs = tokenizer([sample["text"]], return_tensors="pt")
        explained = node_contributions(model, dict(inputs), target=1, method="integrated_gradients")
        added = explained.nodes[0]
        largest = added.abs().max()
        words = tokenizer.convert_ids_to_tokens(inputs["input_ids"][0])
        place = 0.0
        for word, value in zip(words, (added / largest).tolist(), strict=True):
            text = word.replace("▁", "").replace("Ġ", "").removeprefix("##")
            axes.text(
                place,
                line,
                text,
                fontsize=10,
                va="center",
                bbox={"facecolor": colours(0.5 + 0.35 * value), "edgecolor": "none", "pad": 2.5},
            )
            place += 0.19 * len(text) + 0.22
        answer = ["negative", "positive"][int(np.argmax(sample["scores"]))]
        told = f"{answer}, {max(sample['scores']):.0%}; blue words speak for positive, red ones for negative"
        axes.text(0, line + 0.38, told, fontsize=8, color=REFERENCE)
    axes.set(
        title=f"{name}: text-classification",
        xlim=(-0.1, 8),
        ylim=(-0.5, 1.75),
    )
    axes.set_axis_off()


def draw_speakers(axes: Axes) -> None:
    """Draw who speaks when in a test chain, in truth and as segmented."""
    sample, names = _samples("speakers")[0], _names("speakers")
    strips = [_strip(sample[key], names) for key in ("segments", "predicted")]
    colours = ListedColormap(LABELS)
    last = len(names) - 0.5
    axes.imshow(np.stack(strips), cmap=colours, vmin=-0.5, vmax=last, aspect="auto", interpolation="nearest")
    axes.axhline(0.5, color="white", linewidth=3)
    axes.set_yticks([0, 1], ["true", "model"])
    axes.set(title="chainhead-speakers: time-series-segmentation", xlabel="frame; numbers are speakers")
    axes.tick_params(axis="y", length=0)
    axes.spines[:].set_visible(False)
    for row, key in enumerate(("segments", "predicted")):
        for segment in sample[key]:
            middle = (segment["start"] + segment["end"] - 1) / 2
            number = segment["label"].removeprefix("speaker ")
            axes.text(middle, row, number, ha="center", va="center", fontsize=9, color="white", weight="bold")


def _strip(segments: Sequence[dict[str, Any]], names: list[str]) -> np.ndarray:
    strip = np.zeros(max(segment["end"] for segment in segments))
    for segment in segments:
        strip[segment["start"] : segment["end"]] = names.index(segment["label"])
    return strip


def _samples(stem: str) -> list[dict[str, Any]]:
    file = CHECKPOINTS / f"{stem.replace('-', '_')}_samples.json"
    samples: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))["samples"]
    return samples


def _names(stem: str) -> list[str]:
    labels = registry.model_info(f"chainhead-{stem}").config["id2label"]
    return [labels[key] for key in sorted(labels, key=int)]


def _tidy(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
