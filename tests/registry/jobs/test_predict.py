"""`registry.predict` in a plain loop: the answers of a pipeline, in parts that only the same job goes on with."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import transformers
from texts_in_files import text_of

import registry
from registry.jobs.engines import computing
from registry.jobs.manifest import OutputError
from registry.jobs.parts import Store


@pytest.fixture
def predict(classifier, tmp_path):
    def run(data, model=classifier, **options):
        task = "text-classification" if model is classifier else None
        options = {"output": tmp_path / "answers", "engine": "plain", "task": task, "part_rows": 8} | options
        return registry.predict(data, model, **options)

    return run


def plain_answers(folder, texts):
    pipe = transformers.pipeline("text-classification", model=str(folder))
    return [pipe(text)[0] for text in texts]


def test_answers_are_those_of_the_pipeline_in_the_input_s_order(predict, texts, classifier):
    seen = []
    found = predict(texts, on_progress=seen.append)
    assert (found.rows, found.errors) == (30, 2)
    assert found.parts == tuple(f"part-00000-{number:06d}.parquet" for number in range(4))
    assert [progress.rows for progress in seen] == [8, 16, 24, 30]

    lines = found.lines()
    assert [line["id"] for line in lines] == [*range(29), None]
    assert {place: line["error"] for place, line in enumerate(lines) if line["error"]} == {
        7: "the input is missing",
        29: "line 30 is no JSON: Unterminated string starting at: line 1 column 12 (char 11)",
    }
    good = [line for line in lines if not line["error"]]
    expected = plain_answers(classifier, [line["text"] for line in good])
    assert [line["label"] for line in good] == [answer["label"] for answer in expected]
    np.testing.assert_allclose([line["score"] for line in good], [a["score"] for a in expected], rtol=1e-5)


def test_a_job_goes_on_with_the_parts_that_are_missing(predict, texts, tmp_path, monkeypatch):
    whole = predict(texts).lines()
    folder = tmp_path / "answers"
    (folder / "_complete.json").unlink()
    (folder / "part-00000-000001.parquet").unlink()
    (folder / "part-00000-000003.parquet").write_bytes(b"PAR1 damaged")
    (folder / "_unfinished-1").touch()
    kept = (folder / "part-00000-000000.parquet").stat().st_mtime_ns

    seen = []
    again = predict(texts, on_progress=seen.append)
    assert again.lines() == whole
    assert seen[-1] == (4, 30, 2, 14)
    assert (folder / "part-00000-000000.parquet").stat().st_mtime_ns == kept
    assert not (folder / "_unfinished-1").exists()

    monkeypatch.setattr(computing, "answered", None)
    assert predict(texts) == again


def test_a_job_goes_on_after_an_error(predict, texts, tmp_path, monkeypatch):
    write = Store.write

    def full(store, name, content):
        if name == "part-00000-000002.parquet":
            raise OSError(28, "No space left on device")
        write(store, name, content)

    monkeypatch.setattr(Store, "write", full)
    with pytest.raises(OSError, match="No space left"):
        predict(texts)
    monkeypatch.undo()
    seen = []
    assert predict(texts, on_progress=seen.append).rows == 30
    assert seen[-1].computed == 14


@pytest.mark.parametrize(
    ("options", "changed"),
    [({"batch_size": 4}, "options"), ({"keep": ["id"]}, "keep"), ({"options": {"top_k": 2}}, "call")],
)
def test_another_job_is_refused_or_begins_anew(predict, texts, tmp_path, options, changed):
    predict(texts)
    before = sorted(file.name for file in (tmp_path / "answers").iterdir())
    with pytest.raises(OutputError, match=rf"predictions of something else \({changed} changed\)"):
        predict(texts, **options)
    assert sorted(file.name for file in (tmp_path / "answers").iterdir()) == before
    seen = []
    predict(texts, overwrite=True, on_progress=seen.append, **options)
    assert seen[-1].computed == 30


def test_other_inputs_and_other_weights_are_another_job(predict, texts, classifier, tmp_path):
    predict(texts)
    texts.write_text('{"id": 1, "text": "good"}\n', "utf-8")
    with pytest.raises(OutputError, match=r"\(input changed\)"):
        predict(texts)


def test_files_of_others_are_not_touched(predict, texts, tmp_path):
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "thesis.docx").touch()
    with pytest.raises(OutputError, match=r"holds thesis\.docx, which no job wrote"):
        predict(texts, overwrite=True)
    assert [file.name for file in (tmp_path / "answers").iterdir()] == ["thesis.docx"]


def test_a_row_without_a_result_ends_the_job_that_was_told_to(predict, texts):
    with pytest.raises(registry.RowError, match=r"texts\.jsonl, row 8: the input is missing"):
        predict(texts, on_error="raise")


def test_a_file_that_is_damaged_half_way_keeps_what_came_before(predict, tmp_path):
    pq.write_table(pa.table({"text": ["good"] * 20}), tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes(b"PAR1")
    found = predict([tmp_path / "a.parquet", tmp_path / "b.parquet"])
    assert (found.rows, found.errors) == (21, 1)
    assert "b.parquet cannot be read any further" in found.lines()[-1]["error"]
    with pytest.raises(registry.RowError, match=r"b\.parquet cannot be read"):
        predict([tmp_path / "a.parquet", tmp_path / "b.parquet"], on_error="raise", overwrite=True)


def test_a_key_stands_in_for_the_other_columns(predict, texts):
    found = predict(texts, keep=["id"], file_format="jsonl")
    assert list(found.lines()[0]) == ["id", "label", "score", "error"]
    assert [line["id"] for line in found.lines()][:29] == [*range(29)]


def test_tables_and_object_stores(predict):
    frame = pd.DataFrame({"id": range(10), "words": [text_of(number) for number in range(10)]})
    found = predict(frame, column="words", output="memory://bucket/answers")
    assert [line["id"] for line in found.lines()] == [*range(10)]
    with pytest.raises(ValueError, match=r"columns id, words: say with column"):
        predict(frame)
    with pytest.raises(ValueError, match=r"no column text, it has id, words"):
        predict(frame, column="text")


def test_a_model_of_the_zoo_takes_series(predict, tmp_path):
    nodes = np.random.default_rng(0).normal(size=(3, 9, 12))
    rows = [{"key": number, "nodes": series.tolist()} for number, series in enumerate(nodes)]
    rows.append({"key": 3, "nodes": [[1.0, 2.0]]})
    file = tmp_path / "series.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    found = predict(file, "chainhead-japanese-vowels", keep=["key"])
    expected = transformers.pipeline(model="chainhead-japanese-vowels", task="time-series-classification")
    answers = expected([series.astype(np.float32) for series in nodes], top_k=1)
    lines = found.lines()
    assert [line["label"] for line in lines[:3]] == [answer[0]["label"] for answer in answers]
    np.testing.assert_allclose(
        [line["score"] for line in lines[:3]], [answer[0]["score"] for answer in answers], rtol=1e-5
    )
    assert "12" in lines[3]["error"]


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("no-such-model", {}, "there is no model no-such-model"),
        (None, {"task": None}, "is no model of the zoo: say its task"),
        (None, {"task": "text-clasification"}, "there is no pipeline for 'text-clasification'"),
        (None, {"engine": "spark"}, "engine is 'spark'"),
        (None, {"keep": "id"}, "expected a list"),
        (None, {"file_format": "csv"}, "file_format is 'csv'"),
    ],
)
def test_mistakes_are_told_before_anything_is_written(
    predict, texts, classifier, tmp_path, model, options, message
):
    options = options if model is None else {"task": "text-classification"} | options
    with pytest.raises(ValueError, match=message):
        predict(texts, model or classifier, **options)
    assert not (tmp_path / "answers").exists()


def test_another_model_under_the_same_name_answers_nothing(predict, texts, classifier, monkeypatch):
    from registry.jobs import pipelines

    monkeypatch.setattr(pipelines, "digest_of", lambda _: "another")
    with pytest.raises(ValueError, match="not those that the job was started with"):
        predict(texts)


def test_without_ray_the_message_says_what_to_install(predict, texts, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "ray\[data\]"'):
        predict(texts, engine="ray")


def test_it_asks_for_nothing_before_it_is_called():
    code = "import registry, sys; registry.predict; print({'torch', 'ray', 'pyarrow', 'pandas'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "spark"}, "engine is 'spark', expected 'ray' or 'plain'"),
        ({"workers": 0}, "workers is 0, expected a whole number of at least 1"),
        ({"cpus": -1}, "cpus is -1, expected a number of at least 0"),
        ({"gpus": float("nan")}, "gpus is nan, expected a number of at least 0"),
    ],
)
def test_where_a_job_cannot_run(predict, texts, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        predict(texts, **options)
    assert not (tmp_path / "answers").exists()


@pytest.mark.parametrize("address", ["127.0.0.1:1", "[::1]:1"])
def test_an_address_at_which_nothing_listens_is_told_at_once(address):
    from registry.jobs.engines.cluster import connected

    with pytest.raises(ConnectionError, match="no cluster of Ray answers at"), connected("it", address):
        pass


def test_a_cluster_that_does_not_answer_leaves_the_output_as_it_was(predict, texts, tmp_path):
    before = predict(texts).lines()
    files = {file.name: file.read_bytes() for file in (tmp_path / "answers").iterdir()}
    dead = {"engine": "ray", "address": "127.0.0.1:1", "part_rows": 4}

    with pytest.raises(ConnectionError, match="no cluster of Ray answers at"):
        predict(texts, overwrite=True, **dead)
    assert {file.name: file.read_bytes() for file in (tmp_path / "answers").iterdir()} == files
    assert predict(texts).lines() == before

    with pytest.raises(ConnectionError, match="no cluster of Ray answers at"):
        predict(texts, output=tmp_path / "new", **dead)
    assert not (tmp_path / "new").exists()
