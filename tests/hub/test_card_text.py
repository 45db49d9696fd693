"""The text of all cards comes from one template: a fixed order of sections, and no empty section."""

import pytest
from huggingface_hub import ModelCard, ModelCardData
from jinja2 import UndefinedError

from chainhead_plugin.estimators.tables.card import table_card
from chainhead_plugin.hub.card_text import card_text, cell

DATA = ModelCardData(library_name="transformers", tags=["chainhead"])
FACTS = {
    "summary": "A small model.",
    "arguments": "mine test.csv",
    "plan": "training.yaml",
    "task": "time-series-classification",
    "said": ["Two columns."],
    "results": "None.",
}


def headings(text):
    return [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]


def test_the_form_of_a_card():
    text = card_text(DATA, "mine", "table", FACTS)
    assert text.startswith(
        "---\nlibrary_name: transformers\ntags:\n- chainhead\n---\n\n# mine\n\nA small model.\n\n## Use\n\n```bash"
    )
    assert headings(text) == ["Use", "Data", "Results", "Citation"]
    assert text.endswith(" in `chainhead-plugin`.\n")
    assert "\n\n\n" not in text
    assert ModelCard(text, ignore_metadata_errors=False).data.library_name == "transformers"


def test_a_section_without_text_is_left_out():
    text = card_text(DATA, "mine", "table", FACTS | {"said": [], "results": ""})
    assert headings(text) == ["Use", "Citation"]


@pytest.mark.parametrize("missing", sorted(FACTS))
def test_a_value_that_is_missing_is_told(missing):
    facts = {name: value for name, value in FACTS.items() if name != missing}
    with pytest.raises(UndefinedError, match=f"'{missing}' is undefined"):
        card_text(DATA, "mine", "table", facts)


def test_the_card_of_a_table():
    text = table_card(
        "mine",
        "time-series-forecasting",
        answers="forecasting",
        arguments="mine table.csv",
        plan="training.yaml",
        summary="A forecaster.",
        said=["Two columns.", "Nine rows."],
        results="None.",
    )
    assert "## Data\n\n- Two columns.\n- Nine rows.\n\n## Results\n\nNone.\n" in text


def test_foreign_text_in_a_cell():
    assert cell("a|b\nc <b>") == r"a\|b c &lt;b&gt;"
