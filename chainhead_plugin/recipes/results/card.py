"""Render the card of a recipe's model from its measured results."""

import math
from collections.abc import Mapping
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from ...hub.card_text import card_text
from ..candidates.peers import CHAIN
from ..metrics.metric import Metric
from ..recipe import Recipe
from ..task import CardWords
from ..training.report import Report
from .verdict import verdict

# The texts of a card that a recipe may leave out.
_CARD_DEFAULTS: Mapping[str, Any] = {
    "about": "",
    "data": "Not described.",
    "license": "other",
    "source": "",
    "input": "",
    "model": "Its configuration is in `config.json`.",
    "matrix": "",
    "choice": "",
    "limits": (),
    "unit": None,
}


def render_card(
    recipe: Recipe,
    report: Report,
    config: Mapping[str, Any],
    *,
    pictures: str = "",
    samples: str | None = None,
    in_zoo: bool = False,
) -> str:
    """Return the card's text.

    Parameters
    ----------
    recipe : Recipe
    report : Report
        The results of `measure`.
    config : mapping
        The model's configuration, as saved.
    pictures : str
        The beginning of the pictures' paths, relative to the card.
    samples : str, optional
        For models that ship with the package, the file with examples of the test part.
    in_zoo : bool
        Whether the card is in the zoo's folder of cards, and not beside the model.

    Returns
    -------
    str
        Markdown with a front matter.
    """
    task, words = recipe.task, recipe.task.words
    card = {**_CARD_DEFAULTS, "summary": words.summary, **{k: v for k, v in recipe.card.items() if v}}
    models, metric = report.models, report.metric

    facts: dict[str, Any] = {
        "recipe": recipe,
        "card": card,
        "words": words,
        "task": task.pipeline_task,
        "of_nodes": task.of_nodes,
        "stratified": task.is_stratified,
        "config": config,
        "inputs": _inputs(words, config),
        "pictures": pictures,
        "samples": samples,
        "in_zoo": in_zoo,
        "metric": metric,
        "metrics": report.metrics,
        "seeds": report.seeds,
        "training": report.training,
        "machine": report.machine,
        "versions": report.versions,
        "models": models,
        "fully_measured": [
            model
            for model in models.values()
            if all(metric.name in model.outcomes for metric in report.metrics)
        ],
        "chain": models[CHAIN],
        "baselines": report.baselines,
        "encoder": report.frozen.get("encoder"),
        "backbone": report.frozen.get("backbone"),
        "findings": report.findings,
        "in_one_go": [model.title for model in models.values() if model.parameters is None],
        "notes": [f"{model.title}: {', '.join(model.notes)}" for model in models.values() if model.notes],
        "unit": _unit(metric, card["unit"]),
        "heading": _heading(metric, card["unit"]),
        "percent": _percent,
        "verdict": verdict(report),
    }
    return card_text(_front_matter(recipe, report, card), recipe.name, "recipe", facts)


def _front_matter(recipe: Recipe, report: Report, card: Mapping[str, Any]) -> ModelCardData:
    task = recipe.task
    # The values of the first seed, whose weights are published.
    measured = {metric: report.models[CHAIN].outcomes[metric.name].values[0] for metric in report.metrics}
    return ModelCardData(
        license=card["license"],
        license_name=card.get("license_name"),
        license_link=card.get("license_link"),
        library_name="transformers",
        pipeline_tag=None if task.is_series else task.name,
        base_model=card.get("base_model"),
        tags=["chainhead", task.name, *(["time-series"] if task.is_series else []), "tinybig"],
        metrics=[metric.name for metric in report.metrics],
        model_name=recipe.name,
        eval_results=[
            EvalResult(
                task_type=task.name,
                dataset_type=str(recipe.data) if isinstance(recipe.data, str) else recipe.name,
                dataset_name=card.get("dataset", recipe.name),
                dataset_split="test",
                metric_type=metric.name,
                metric_name=f"test {metric.title}",
                metric_value=value,
            )
            for metric, value in measured.items()
            if not math.isnan(value)
        ],
    )


def _inputs(words: CardWords, config: Mapping[str, Any]) -> str:
    """Return the lines of the code example that make a model's inputs."""
    features = f", {config['m']}" if config["m"] > 1 else ""
    lines = words.inputs.replace("{features}", features).splitlines()
    if not config.get("num_time_features"):
        lines = [line for line in lines if "{time_features}" not in line]
    return "\n".join(lines).replace("{time_features}", "")


def _percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f}"


def _unit(metric: Metric, unit: str | None) -> str:
    if metric.percent:
        return " %"
    return f" {unit}" if unit else ""


def _heading(metric: Metric, unit: str | None) -> str:
    heading = f"{metric.title} in percent" if metric.percent else metric.in_unit(unit)
    return heading[0].upper() + heading[1:]
