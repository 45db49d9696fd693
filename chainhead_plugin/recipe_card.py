"""Render a model card from a recipe and what was measured."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from .recipe import SEGMENTATION, Recipe
from .recipe_peers import CHAIN, NO_HOPS

_TEMPLATE = Path(__file__).with_name("recipe_card.md.j2")
_PREPROCESSORS = {
    "time-series-classification": ("extractor", "AutoFeatureExtractor"),
    SEGMENTATION: ("extractor", "AutoFeatureExtractor"),
    "image-classification": ("processor", "AutoImageProcessor"),
    "text-classification": ("tokenizer", "AutoTokenizer"),
}
_CARD_DEFAULTS = {
    "summary": "A classifier.",
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
    """
    card = {**_CARD_DEFAULTS, **recipe.card}
    chain = results["models"][CHAIN]
    name, auto_preprocessor = _PREPROCESSORS[recipe.task]
    front_matter = ModelCardData(
        license=card["license"],
        license_name=card.get("license_name"),
        license_link=card.get("license_link"),
        library_name="transformers",
        pipeline_tag=None if recipe.task.startswith("time-series") else recipe.task,
        tags=[
            "chainhead",
            recipe.task,
            *(["time-series"] if recipe.task.startswith("time") else []),
            "tinybig",
        ],
        metrics=["accuracy"],
        model_name=recipe.name,
        eval_results=[
            EvalResult(
                task_type=recipe.task,
                dataset_type=str(recipe.data) if isinstance(recipe.data, str) else recipe.name,
                dataset_name=card.get("dataset", recipe.name),
                dataset_split="test",
                metric_type="accuracy",
                metric_name="test accuracy",
                metric_value=chain["test_accuracy"][0],
            )
        ],
    )
    rendered = ModelCard.from_template(
        front_matter,
        template_str=_TEMPLATE.read_text("utf-8"),
        recipe=recipe,
        task=recipe.task,
        of_nodes=recipe.task == SEGMENTATION,
        card=card,
        config=config,
        chain=chain,
        folder=recipe.name,
        preprocessor=name,
        auto_preprocessor=auto_preprocessor,
        pictures=pictures,
        samples=samples,
        training=results["recipe"],
        verdict=verdict(results["models"]),
        **{key: value for key, value in results.items() if key != "recipe"},
    )
    text: str = rendered.content
    return text.rstrip() + "\n"


def verdict(models: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Say in sentences how the model stands against its peers: better, no better, or within the spread."""
    chain = models[CHAIN]
    sentences = []
    if NO_HOPS in models:
        peer = models[NO_HOPS]
        sentences.append(
            "The same head without hops (a chain matrix of ones on the diagonal alone) tells what the chain itself "
            f"brings: {_points(chain, peer)}, next to a standard deviation over the seeds of "
            f"{100 * max(chain['test_accuracy_sd'], peer['test_accuracy_sd']):.1f}."
        )
    rivals = [models[name] for name in _SEQUENCE_PEERS if name in models]
    if rivals:
        best = max(rivals, key=lambda model: model["test_accuracy_mean"])
        difference = chain["test_accuracy_mean"] - best["test_accuracy_mean"]
        if difference >= 0:
            outcome = "The chain head is at least as accurate as"
        elif -difference <= best["test_accuracy_sd"]:
            outcome = "The chain head is within one standard deviation of"
        else:
            outcome = "**The chain head is less accurate than**"
        sentences.append(
            f"{outcome} the best of LSTM, GRU and Conv1d ({best['title']}: {_points(chain, best)}), with "
            f"{chain['parameters']:,} weights against {best['parameters']:,}."
        )
    return sentences


def _points(chain: Mapping[str, Any], peer: Mapping[str, Any]) -> str:
    return f"{100 * (chain['test_accuracy_mean'] - peer['test_accuracy_mean']):+.1f} points"
