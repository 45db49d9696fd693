"""Texts from tables, JSON and text files."""

import pandas as pd
import pytest

from chainhead_plugin.tables import Reading, Schema, TableError, TableSpec, load_texts, schema_of_texts


def read(file, content, spec=None, **reading):
    file.write_text(content, "utf-8")
    found, spec = load_texts(file, spec, Reading(**reading))
    return [(text.text, text.label) for text in found]


def test_tables(tmp_path):
    file = tmp_path / "a.csv"
    content = 'text,label,source\n"NA, or\nnot",007,x\ngood,NA,y\n'
    assert read(file, content) == [("NA, or\nnot", "007"), ("good", "NA")]
    found, spec = load_texts(file)
    assert (found[1].row, found[1].fields) == (4, {"source": "y"})
    assert (spec.text, spec.label) == ("text", ("label",))
    assert read(file, content, TableSpec(text="source")) == [("x", "007"), ("y", "NA")]
    assert read(file, "review\ngood\nbad\n") == [("good", ""), ("bad", "")]
    assert read(file, "TEXT,Label,n\ngood,u,1\nbad,v,2\n") == [("good", "u"), ("bad", "v")]
    frame = pd.DataFrame({"text": ["a", "b"], "label": [1, 0]})
    assert [(text.text, text.label) for text in load_texts(frame)[0]] == [("a", "1"), ("b", "0")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,label\na,u\n,v\n", "a.csv, row 3, column text is empty, but a text needs a value"),
        ("text,label\na,u\nb,\n", "a.csv, row 3, column label is empty, but a table with labels"),
        ("a,b\nx,y\n", "a.csv has no column text, but a, b: name the column of texts as text"),
    ],
)
def test_tables_without_texts(tmp_path, content, message):
    with pytest.raises(TableError, match=message):
        read(tmp_path / "a.csv", content)


def test_lines_and_documents(tmp_path):
    assert read(tmp_path / "a.txt", "one, two\n\nthree\n") == [("one, two", ""), ("three", "")]
    assert read(tmp_path / "a.txt", "one\ntwo\n", format="document") == [("one\ntwo\n", "")]
    assert [text.row for text in load_texts(tmp_path / "a.txt")[0]] == [1, 2]
    with pytest.raises(TableError, match=r"a.txt: there are no texts in it"):
        read(tmp_path / "a.txt", "\n")


def test_json(tmp_path):
    content = '{"text": "a", "label": 1, "n": 2}\n"b"\n'
    assert read(tmp_path / "a.jsonl", content) == [("a", "1"), ("b", "")]
    assert load_texts(tmp_path / "a.jsonl")[0][0].fields == {"n": 2}
    assert read(tmp_path / "a.json", '["a", {"text": "b"}]') == [("a", ""), ("b", "")]
    with pytest.raises(TableError, match=r"a.jsonl, row 2 holds 5, expected a text"):
        read(tmp_path / "a.jsonl", '"a"\n5\n')
    with pytest.raises(TableError, match=r"a.jsonl, row 2 has no field text .did you mean txt..; it has txt"):
        read(tmp_path / "a.jsonl", '"a"\n{"txt": "b"}\n')
    with pytest.raises(TableError, match=r"a.jsonl, row 2 is no JSON"):
        read(tmp_path / "a.jsonl", '"a"\n"b\n')


def test_names_travel_with_a_model(tmp_path):
    (tmp_path / "a.csv").write_text("review,stars,who\ngood,5,x\nbad,1,y\n")
    found, spec = load_texts(tmp_path / "a.csv", TableSpec(text="review", label="stars", drop="who"))
    schema = Schema.from_dict(schema_of_texts(found, spec).to_dict())
    assert (schema.text, schema.label) == ("review", ("stars",))
    (tmp_path / "b.csv").write_text("id,review\n1,good\n")
    (tmp_path / "c.jsonl").write_text('{"stars": "5", "review": "good"}\n')
    assert [text.text for text in load_texts(tmp_path / "b.csv", schema)[0]] == ["good"]
    assert load_texts(tmp_path / "c.jsonl", schema, labelled=True)[0][0].label == "5"
    with pytest.raises(TableError, match="missing stars; unknown id"):
        load_texts(tmp_path / "b.csv", schema, labelled=True)
    (tmp_path / "d.csv").write_text("Review,n\ngood,1\n")
    with pytest.raises(TableError, match=r"missing review; .* \(is review called Review here\?\)"):
        load_texts(tmp_path / "d.csv", schema)
    (tmp_path / "e.txt").write_text("good\n")
    plain, spec = load_texts(tmp_path / "e.txt", schema)
    assert plain[0].text == "good"
    assert schema_of_texts(plain, spec) is None
