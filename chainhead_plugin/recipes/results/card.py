"""Render a model card from a recipe and what was measured."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from ..candidates.peers import CHAIN, NO_HOPS
from ..data.examples import require
from ..metrics import Metric
from ..recipe import Recipe

_TEMPLATE = Path(__file__).with_name("recipe_card.md.j2")
_CARD_DEFAULTS = {
    "data": "Not described.",
    "license": "other",
}
_SEQUENCE_PEERS = ("lstm", "gru", "conv1d")


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
    use = None
    if words.use is not None:
        template = require("jinja2", "jinja2").Template(words.use.read_text("utf-8"))
        use = template.render(
            recipe=recipe, config=config, samples=samples, folder=recipe.name, columns=results["columns"]
        )
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
    rendered = ModelCard.from_template(
        front_matter,
        template_str=_TEMPLATE.read_text("utf-8"),
        recipe=recipe,
        task=task.name,
        of_nodes=task.of_nodes,
        words=words,
        card=card,
        config=config,
        chain=chain,
        folder=recipe.name,
        pictures=pictures,
        samples=samples,
        in_zoo=in_zoo,
        training=results["recipe"],
        use=use,
        metric=metrics[0],
        others=metrics[1:],
        tested=f"test_{metrics[0].name}",
        unit=" %" if metrics[0].percent else f" {card['unit']}" if "unit" in card else "",
        heading=_heading(metrics[0], card.get("unit")),
        verdict=verdict(results["models"], metrics[0], results.get("baselines")),
        **{key: value for key, value in results.items() if key != "recipe"},
    )
    text: str = rendered.content
    return text.rstrip() + "\n"


def _heading(metric: Metric, unit: str | None) -> str:
    heading = f"{metric.title} in percent" if metric.percent else metric.in_unit(unit)
    return heading[0].upper() + heading[1:]


def verdict(
    models: Mapping[str, Mapping[str, Any]],
    metric: Metric,
    baselines: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[str]:
    """Say in sentences how the model stands against its peers: better, no better, or within the spread."""
    chain = models[CHAIN]
    sentences = []
    if NO_HOPS in models:
        gap, deviation = metric.difference(chain, models[NO_HOPS])
        spread = (
            "of one seed"
            if deviation is None
            else f"next to a standard deviation over the seeds of {deviation}"
        )
        sentences.append(
            "The same head without hops (a chain matrix of ones on the diagonal alone) tells what the chain itself "
            f"brings: {gap}, {spread}."
        )
    rivals = [models[name] for name in _SEQUENCE_PEERS if name in models]
    if rivals:
        best = metric.best(rivals)
        mean = f"test_{metric.name}_mean"
        if not metric.better(best[mean], chain[mean]):
            outcome = "The chain head is at least as accurate as"
        elif abs(chain[mean] - best[mean]) <= (best[f"test_{metric.name}_sd"] or 0.0):
            outcome = "The chain head is within one standard deviation of"
        else:
            outcome = "**The chain head is less accurate than**"
        sentences.append(
            f"{outcome} the best of LSTM, GRU and Conv1d ({best['title']}: {metric.difference(chain, best)[0]}), with "
            f"{chain['parameters']:,} weights against {best['parameters']:,}."
        )
    if baselines:
        tested = f"test_{metric.name}"
        title, value = min(
            ((title, baseline[tested]) for title, baseline in baselines.items()), key=lambda pair: pair[1]
        )
        mean = chain[f"{tested}_mean"]
        # Nothing can be a percentage of the error of a naive forecast of a constant.
        gap = f"{mean:+.3g}" if value == 0 else f"{100 * (mean / value - 1):+.1f} %"
        sentences.append(f"Against the best forecast without weights ({title}) it has {gap} {metric.title}.")
    return sentences
