"""Test examples that ship beside a model of the zoo, with its answers."""

from typing import Any

import numpy as np

from chainhead_plugin.pipelines.segmentation import segments_of
from chainhead_plugin.recipes.data.node_labels import IGNORED
from chainhead_plugin.recipes.recipe import Recipe
from chainhead_plugin.recipes.tasks.forecasting import Forecasting
from chainhead_plugin.recipes.training.fitting.predicting import predict, predicted_labels, scores
from chainhead_plugin.recipes.training.measuring import Measured


def samples_of(recipe: Recipe, measured: Measured) -> dict[str, Any]:
    """Return examples of the test part, ready for JSON, with source and licence of the data."""
    card, make = recipe.card, _MAKERS[recipe.task.samples]
    samples = make(recipe, measured)
    return {"source": card["source"], "license": card["license"], "model": recipe.name, "samples": samples}


def _label_samples(recipe: Recipe, measured: Measured) -> list[dict[str, Any]]:
    """Every label's first test example that the model names right, with the scores that it gives.

    Where it names none right, the first example of that label.
    """
    test = measured.data.test
    named = scores(measured.model, measured.inputs, test.inputs).argmax(-1).numpy()
    first = np.array(
        [
            np.argmax((test.labels == label) * (1 + (named == label)))  # the first of the largest
            for label in range(len(test.names))
        ]
    )

    chosen = test.take(first)
    return [
        {
            "label": test.names[label],
            "test_index": int(index),
            recipe.task.reads: _as_json(example),
            "scores": row,
        }
        for index, label, example, row in zip(
            first,
            chosen.labels,
            chosen.inputs,
            scores(measured.model, measured.inputs, chosen.inputs).tolist(),
            strict=True,
        )
    ]


def _segment_samples(_: Recipe, measured: Measured) -> list[dict[str, Any]]:
    """Return few test chains in which every label occurs, with their true and their predicted segments."""
    test = measured.data.test
    found = [{*labels.tolist()} - {IGNORED} for labels in test.labels]
    missing, chosen = set[int]().union(*found), list[int]()
    while missing:
        chosen.append(max(range(len(found)), key=lambda index: len(found[index] & missing)))
        missing -= found[chosen[-1]]

    part = test.take(np.array(chosen))
    names = dict(enumerate(test.names))
    return [
        {
            "test_index": index,
            "nodes": _as_json(chain),
            "segments": segments_of(true[: len(chain)], names),
            "predicted": segments_of(named[: len(chain)], names),
        }
        for index, chain, true, named in zip(
            chosen,
            part.inputs,
            part.labels,
            predicted_labels(measured.model, measured.inputs, part),
            strict=True,
        )
    ]


def _forecast_samples(recipe: Recipe, measured: Measured) -> list[dict[str, Any]]:
    """The first window of the test part and a window from its middle, with the model's forecasts."""
    test = measured.data.test
    places = np.array([0, len(test.labels) // 2])
    chosen = test.take(places)
    forecasts = predict(measured.model, measured.inputs, chosen.inputs, Forecasting()).numpy()
    return [
        {
            "test_index": int(place),
            "rows": [[None if np.isnan(cell) else float(str(cell)) for cell in row] for row in window],
            "happened": [[float(str(cell)) for cell in row] for row in happened],
            "forecast": forecast.tolist(),
        }
        for place, window, happened, forecast in zip(
            places, chosen.inputs, chosen.labels, forecasts, strict=True
        )
    ]


def _as_json(example: Any) -> Any:
    """Return an example as a pipeline takes it: a series of a single feature as plain numbers, not as a column."""
    if isinstance(example, str):
        return example
    return example.squeeze(1).tolist() if example.shape[1:] == (1,) else example.tolist()


_MAKERS = {"labels": _label_samples, "segments": _segment_samples, "forecasts": _forecast_samples}
