"""How fast the zoo's models train and predict beside their peers, into the cards: ``python -m release.speed``."""

import argparse
import json
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from rich.progress import track
from torch import nn

from benchmarks.machine import describe
from benchmarks.timing import interleave, quartiles, ratios
from chainhead_plugin.recipes.candidates.peers import CHAIN
from chainhead_plugin.recipes.data.load import load_data
from chainhead_plugin.recipes.recipe import Recipe
from chainhead_plugin.recipes.recipe_files import load_recipe, shipped_recipes
from chainhead_plugin.recipes.results.output import write_json
from chainhead_plugin.recipes.training.fitting.trainer import Batches
from chainhead_plugin.recipes.training.runs import Runs

from .publish import ROOT, write_card

_ROUNDS, _STEPS, _PREDICTED = 7, 4, 512


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the models in turn, and render the cards anew."""
    parser = argparse.ArgumentParser(prog="python -m release.speed", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="by default all models of the zoo")
    options = parser.parse_args(arguments)
    names = options.names or shipped_recipes()
    for name in track(names, description="Measuring"):
        recipe = load_recipe(name)
        file = ROOT / "model_cards" / f"{name}.json"
        results = json.loads(file.read_text("utf-8"))
        write_json(file, {**results, "speed": measure_speed(recipe, list(results["models"])[1:])})
        write_card(recipe, ROOT)


def measure_speed(recipe: Recipe, peers: list[str], rounds: int = _ROUNDS) -> dict[str, Any]:
    """Time training steps and predictions of all models in turns, preprocessing left out.

    Returns
    -------
    dict
        Of "models": the quartiles of every model's milliseconds for a training step and for a prediction, and
        those of its time over the chain head's in the same round. Besides, the settings and the machine.
    """
    if recipe.pretraining:
        # The weights of a frozen backbone make no difference here, nor does the time that it takes itself.
        recipe = replace(recipe, pretraining={**recipe.pretraining, "max_steps": 1})

    batch_size = int(recipe.training.get("per_device_train_batch_size", 8))
    threads = recipe.threads or 1
    torch.set_num_threads(threads)
    torch.manual_seed(0)

    with tempfile.TemporaryDirectory() as folder:
        runs = Runs(recipe, load_data(recipe), Path(folder))
        train, test = runs.data.train, runs.data.test

        steps = [
            list(range(start, start + batch_size)) for start in range(0, _STEPS * batch_size, batch_size)
        ]
        steps = [step for step in steps if step[-1] < len(train.labels)]

        make = Batches(runs.inputs, recipe.task, [train])
        batches = [make(step) for step in steps]
        count = min(_PREDICTED, len(test.labels))
        held_out = Batches(runs.inputs, recipe.task, [test])(list(range(count)))
        held_out.pop(recipe.task.targets)

        calls: dict[tuple[str, str], Callable[[], object]] = {}
        for name, candidate in runs.candidates(peers=peers).items():
            calls[name, "training"] = _training(candidate.build().train(), batches)
            calls[name, "prediction"] = _prediction(candidate.build().eval(), held_out)
        seconds, failures = interleave(calls, rounds, random.Random(0))  # noqa: S311 - no secret depends on it
    if failures:
        raise RuntimeError(f"{recipe.name}: {failures}")

    calls_of = {"training": len(steps), "prediction": 1}
    models = {
        name: {
            work: {
                "milliseconds": _scaled(quartiles(seconds[name, work]), 1000 / calls_of[work]),
                "ratio": _scaled(quartiles(ratios(seconds[name, work], seconds[CHAIN, work])), 1),
            }
            for work in ("training", "prediction")
        }
        for name in (CHAIN, *peers)
    }
    facts = {"batch": batch_size, "predicted": count, "threads": threads, "rounds": rounds}
    return {**facts, "machine": describe("cpu"), "models": models}


def _training(model: nn.Module, batches: Sequence[dict[str, Any]]) -> Callable[[], object]:
    optimizer = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad])

    def steps() -> None:
        for batch in batches:
            outputs = model(**batch)
            outputs["loss"].backward()
            optimizer.step()
            optimizer.zero_grad()

    return steps


def _prediction(model: nn.Module, inputs: dict[str, Any]) -> Callable[[], object]:
    def predict() -> object:
        with torch.no_grad():
            return model(**inputs)

    return predict


def _scaled(values: Sequence[float], factor: float) -> list[float]:
    return [float(f"{value * factor:.4g}") for value in values]


if __name__ == "__main__":
    main()
