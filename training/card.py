"""Render the model card from what was measured."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from .candidates import CHAIN, NO_HOPS
from .published import DATA, LICENSE, NAME, SOURCE, SUMMARY, TASK

_TEMPLATE = Path(__file__).with_name("japanese_vowels_card.md.j2")


def render_card(results: Mapping[str, Any], config: Mapping[str, Any], file: Path) -> None:
    """Write the card.

    Parameters
    ----------
    results : mapping
        As `measure` gives them.
    config : mapping
        The model's configuration, as saved.
    file : Path
    """
    chain = results["models"][CHAIN]
    front_matter = ModelCardData(
        license=LICENSE,
        library_name="transformers",
        tags=["chainhead", TASK, "time-series", "tinybig"],
        metrics=["accuracy"],
        model_name=NAME,
        eval_results=[
            EvalResult(
                task_type=TASK,
                dataset_type="japanese-vowels",
                dataset_name="Japanese Vowels",
                dataset_split="test",
                metric_type="accuracy",
                metric_name="test accuracy",
                metric_value=chain["test_accuracy"][0],
            )
        ],
    )
    card = ModelCard.from_template(
        front_matter,
        template_str=_TEMPLATE.read_text("utf-8"),
        name=NAME,
        summary=SUMMARY,
        data=DATA,
        source=SOURCE,
        license=LICENSE,
        config=config,
        chain=chain,
        no_hops=results["models"][NO_HOPS],
        **results,
    )
    file.write_text(card.content.rstrip() + "\n", encoding="utf-8")
