"""The cards of models that were trained on a table: what they are, what was read, how they were tested."""

from collections.abc import Mapping, Sequence
from typing import Any

from huggingface_hub import ModelCardData

from ..hub.card_text import card_text


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
    """Render the card.

    Parameters
    ----------
    name : str
        The folder's.
    task : str
        Of the model's pipeline.
    answers : str
        What the model was trained for: "classification", "regression" or "forecasting".
    arguments : str
        Of `chainhead predict`, in the example.
    plan : str
        Name of the file with everything that was guessed and chosen.
    summary : str
    said : sequence of str
        Sentences about the data, as they were read.
    results : str
        Scores, in Markdown.
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
