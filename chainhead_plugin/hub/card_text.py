"""The form that all model cards have: front matter, title, introduction, and sections in one order."""

from collections.abc import Mapping, Sequence
from typing import Any

from huggingface_hub import ModelCardData

# Blocks of templates, in the order of the card, and the headings of those that begin a section.
_HEADINGS = {
    "introduction": None,
    "use": "Use",
    "input": None,
    "data": "Data",
    "data_and_licence": "Data and licence",
    "model": "Model",
    "training": "Training",
    "results": "Results",
    "limits": "Limits",
    "licence": "Licence",
    "citation": "Citation",
}

# What templates share: the source of the head, which all cards name.
_SHARED = """\
{% block citation %}
The chain interdependence head comes from [tinyBIG](https://github.com/jwzhanggy/tinyBIG) (RPN: Reconciled \
Polynomial Network) by Jiawei Zhang; this is the implementation in `chainhead-plugin`.
{%- if data_source %} The data:

> {{ data_source }}
{%- endif %}
{% endblock %}
"""


def card_text(data: ModelCardData, name: str, templates: Sequence[str], facts: Mapping[str, Any]) -> str:
    """Render a model card.

    Parameters
    ----------
    data : ModelCardData
        The front matter.
    name : str
        The card's title.
    templates : sequence of str
        Jinja texts that consist of blocks: each is a section of the card, or a paragraph without a heading. A block
        replaces the block of the same name in an earlier template. A block without text leaves its section out.
    facts : mapping
        What the templates tell; `data_source`, if given, is cited beside the head.

    Returns
    -------
    str
        Markdown, with one line feed at its end.

    Raises
    ------
    ValueError
        If a template has a block that cards do not have.
    """
    from jinja2 import Template

    blocks: dict[str, str] = {}
    for text in (_SHARED, *templates):
        template = Template(text)
        context = template.new_context(dict(facts))
        for block, render in template.blocks.items():
            if block not in _HEADINGS:
                raise ValueError(f"cards have no block {block!r}: expected one of {', '.join(_HEADINGS)}")
            blocks[block] = "".join(render(context)).strip()

    parts = [f"---\n{data.to_yaml()}\n---", f"# {name}"]
    for block, heading in _HEADINGS.items():
        if blocks.get(block):
            parts += [blocks[block]] if heading is None else [f"## {heading}", blocks[block]]
    return "\n\n".join(parts) + "\n"
