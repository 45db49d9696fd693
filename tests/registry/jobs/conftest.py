"""A tiny classifier, and a file of texts for it."""

import json

import pytest
from texts_in_files import text_of
from tiny_classifier import write_classifier

pytest.importorskip("pyarrow", reason="the extra ray is not installed")


@pytest.fixture(scope="session")
def classifier(tmp_path_factory):
    """Return the folder of a model of transformers alone."""
    folder = tmp_path_factory.mktemp("classifier")
    write_classifier(folder)
    return folder


@pytest.fixture
def texts(tmp_path):
    """Return a file of 30 texts, of which the eighth is missing and the last line is cut off."""
    file = tmp_path / "texts.jsonl"
    rows = [{"id": number, "text": text_of(number) if number != 7 else None} for number in range(29)]
    lines = [json.dumps(row) for row in rows]
    file.write_text("\n".join([*lines, '{"id": 29, "te']), "utf-8")
    return file
