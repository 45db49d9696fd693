"""Model cards of models that were trained on a table: the model, the data and the test."""

from collections.abc import Mapping, Sequence
from typing import Any

from huggingface_hub import ModelCardData

from ...hub.card_text import card_text


def table_card(
    name: str,
    task: str,
    *,
    answers: str,
    arguments: str,
    plan: str,
    summary: str,
    said: Sequence[str],
    results: str,
) -> str:
    """Render a model card.

    Parameters
    ----------
    name : str
        Name of the model's folder.
    task : str
        Task of the model's pipeline, such as "time-series-classification".
    answers : str
        The task that the model was trained for: "classification", "regression" or "forecasting".
    arguments : str
        Arguments of `chainhead predict` in the card's example.
    plan : str
        Name of the file that holds the plan of the training, with every guess and choice.
    summary : str
        A description of the model, in Markdown.
    said : sequence of str
        Sentences about the data.
    results : str
        Scores, in Markdown.

    Returns
    -------
    str
        The card in Markdown, with its YAML header.
    """
    data = ModelCardData(
        library_name="transformers",
        pipeline_tag=f"time-series-{answers}",
        tags=["chainhead", f"time-series-{answers}", "time-series", "tinybig"],
    )
    facts: Mapping[str, Any] = {
        "task": task,
        "arguments": arguments,
        "plan": plan,
        "summary": summary,
        "said": said,
        "results": results,
    }
    return card_text(data, name, "table", facts)
