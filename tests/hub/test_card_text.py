import pytest
from huggingface_hub import ModelCard, ModelCardData

from chainhead_plugin.hub.card_text import card_text

DATA = ModelCardData(library_name="transformers", tags=["chainhead"])


def text_of(*templates, **facts):
    return card_text(DATA, "mine", templates, facts)


def test_sections_stand_in_one_order_and_empty_blocks_leave_no_heading():
    text = text_of(
        "{% block limits %}- none{% endblock %}{% block use %}Run it.{% endblock %}"
        "{% block introduction %}A {{ kind }} model.{% endblock %}{% block results %}{% endblock %}",
        kind="small",
    )
    assert text.startswith(
        "---\nlibrary_name: transformers\ntags:\n- chainhead\n---\n\n# mine\n\nA small model.\n\n## Use"
    )
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Use",
        "## Limits",
        "## Citation",
    ]
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert ModelCard(text, ignore_metadata_errors=False).data.library_name == "transformers"


def test_a_later_template_replaces_a_block():
    first = "{% block introduction %}First.{% endblock %}{% block use %}Old.{% endblock %}"
    text = text_of(first, "{% block use %}New.{% endblock %}")
    assert "Old." not in text
    assert "First.\n\n## Use\n\nNew.\n\n## Citation" in text


def test_the_source_of_data_is_cited_beside_the_head():
    block = "{% block introduction %}A model.{% endblock %}"
    assert text_of(block, data_source="Author (2020).").endswith("The data:\n\n> Author (2020).\n")
    assert "The data:" not in text_of(block)
    assert "tinyBIG](https://github.com/jwzhanggy/tinyBIG)" in text_of(block)


def test_a_block_that_no_card_has_is_refused():
    with pytest.raises(ValueError, match="cards have no block 'usage': expected one of introduction, use"):
        text_of("{% block usage %}{% endblock %}")
