"""Render a model card from a recipe and what was measured."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from ...hub.card_text import card_text
from ..candidates.peers import CHAIN
from ..metrics import Metric
from ..recipe import Recipe
from .verdict import verdict

_TEMPLATE = Path(__file__).with_name("recipe_card.md.j2")
_RANDOM_CHAIN = _TEMPLATE.with_name("recipe_card_random.md.j2")
_CARD_DEFAULTS = {
    "data": "Not described.",
    "license": "other",
}


def render_card(
    recipe: Recipe,
    results: Mapping[str, Any],
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
    results : mapping
        As `measure` gives them.
    config : mapping
        The model's configuration, as saved.
    pictures : str
        What the pictures' names begin with, relative to the card.
    samples : str, optional
        For models that ship with the package, the file with an example of every label.
    in_zoo : bool
        Whether the card stands among those of the zoo, not beside the model.
    """
    task, words = recipe.task, recipe.task.words
    card = {**_CARD_DEFAULTS, "summary": words.summary, **recipe.card}
    chain = results["models"][CHAIN]
    metrics = [metric for metric in task.metrics if metric.is_measured(chain)]
    templates = [_TEMPLATE.read_text("utf-8")]
    if words.use is not None:
        templates.append(words.use.read_text("utf-8"))
    if recipe.is_random_chain:
        templates.append(_RANDOM_CHAIN.read_text("utf-8"))

    front_matter = ModelCardData(
        license=card["license"],
        license_name=card.get("license_name"),
        license_link=card.get("license_link"),
        library_name="transformers",
        pipeline_tag=None if task.is_series else task.name,
        base_model=card.get("base_model"),
        tags=[
            "chainhead",
            task.name,
            *(["time-series"] if task.is_series else []),
            "tinybig",
        ],
        metrics=[metric.name for metric in metrics],
        model_name=recipe.name,
        eval_results=[
            EvalResult(
                task_type=task.name,
                dataset_type=str(recipe.data) if isinstance(recipe.data, str) else recipe.name,
                dataset_name=card.get("dataset", recipe.name),
                dataset_split="test",
                metric_type=metric.name,
                metric_name=f"test {metric.title}",
                metric_value=chain[f"test_{metric.name}"][0],
            )
            for metric in metrics
            if chain[f"test_{metric.name}"][0] is not None
        ],
    )
    facts: dict[str, Any] = {
        "recipe": recipe,
        "percent": _percent,
        "data_source": card.get("source", "").strip(),
        "task": task.pipeline_task,
        "of_nodes": task.of_nodes,
        "stratified": task.is_stratified,
        "words": words,
        "card": card,
        "config": config,
        "chain": chain,
        "folder": recipe.name,
        "pictures": pictures,
        "samples": samples,
        "in_zoo": in_zoo,
        "training": results["recipe"],
        "metric": metrics[0],
        "others": metrics[1:],
        "tested": f"test_{metrics[0].name}",
        "unit": " %" if metrics[0].percent else f" {card['unit']}" if "unit" in card else "",
        "in_one_go": [model["title"] for model in results["models"].values() if model["parameters"] is None],
        "notes": [
            f"{model['title']}: {', '.join(model['notes'])}"
            for model in results["models"].values()
            if "notes" in model
        ],
        "fully_measured": [
            model
            for model in results["models"].values()
            if all(metric.is_measured(model) for metric in metrics)
        ],
        "heading": _heading(metrics[0], card.get("unit")),
        "verdict": verdict(results["models"], metrics[0], results.get("baselines"), results.get("not_run")),
        **{key: value for key, value in results.items() if key != "recipe"},
    }
    return card_text(front_matter, recipe.name, templates, facts)


def _percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f}"


def _heading(metric: Metric, unit: str | None) -> str:
    heading = f"{metric.title} in percent" if metric.percent else metric.in_unit(unit)
    return heading[0].upper() + heading[1:]
