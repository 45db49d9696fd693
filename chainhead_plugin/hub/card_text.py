"""Rendering of model cards: one template for all kinds of cards."""

import html
import re
from collections.abc import Mapping
from typing import Any, Literal

from huggingface_hub import ModelCardData

from .card_template import TEMPLATE
from .results_template import RESULTS

# Control characters, and characters that turn the direction of writing around and so can show another text.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

CardKind = Literal["pushed", "recipe", "table"]


def card_text(data: ModelCardData, name: str, kind: CardKind, facts: Mapping[str, Any]) -> str:
    """Render a model card.

    Parameters
    ----------
    data : ModelCardData
        The front matter.
    name : str
        The card's title.
    kind : {"pushed", "recipe", "table"}
        Whether the model is pushed, was trained by a recipe, or was trained on a table.
    facts : mapping
        The values that the template names for this kind.

    Returns
    -------
    str
        Markdown, with one line feed at its end. A section without text is left out.

    Raises
    ------
    jinja2.UndefinedError
        If `facts` lacks a value that the template names.
    """
    from jinja2 import DictLoader, Environment, StrictUndefined

    # Markdown, not HTML: foreign text is escaped by `cell`.
    environment = Environment(  # noqa: S701
        loader=DictLoader({"card": TEMPLATE, "results": RESULTS}),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cell"] = cell
    template = environment.get_template("card")
    text = template.render(facts, kind=kind, name=name, front_matter=data.to_yaml())
    return text.strip() + "\n"


def cell(value: object) -> str:
    """Return foreign text as a table's cell or a sentence shows it: on one line, without markup or links of its own."""
    text = " ".join(_UNSEEN.sub(" ", str(value).encode("utf-8", "replace").decode()).split())
    return html.escape(text, quote=False).replace("|", "\\|").replace("](", "]\\(")
