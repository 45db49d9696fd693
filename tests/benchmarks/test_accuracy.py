"""The accuracy benchmark: its data sets, the rows of its tables and its report. Classifiers are tested elsewhere."""

import json
import re

import numpy as np
import pytest

from benchmarks.accuracy import threads
from benchmarks.accuracy.contestants import CONTESTANTS, as_taken
from benchmarks.accuracy.measuring import measure
from benchmarks.accuracy.report import accuracy, render, write_report
from benchmarks.accuracy.sets import SHIPPED, find_sets, load_split


def row(name, model, seed, right, seconds):
    facts = {"train": 60, "test": 100, "channels": 1, "shortest": 20, "longest": 30, "labels": 2}
    return {
        "set": name,
        "facts": facts,
        "model": model,
        "seed": seed,
        "accuracy": right,
        "fit": seconds,
        "predict": seconds,
    }


@pytest.fixture
def results():
    rows = []
    for name in ("A", "B"):
        rows += [row(name, "MiniRocket", seed, 0.9, 1.0) for seed in (0, 1)]
        rows += [row(name, "ChainHeadClassifier", seed, 0.89 + 0.02 * seed, 1.5) for seed in (0, 1)]
        rows += [row(name, "QUANT", seed, 0.95 if name == "A" else 0.8, 4.0) for seed in (0, 1)]
    rows[-1] = {
        "set": "B",
        "facts": rows[0]["facts"],
        "model": "QUANT",
        "seed": 1,
        "error": "MemoryError: no",
    }
    models = ["ChainHeadClassifier", "MiniRocket", "QUANT"]
    return {"machine": {"Python": "3"}, "models": models, "sets": ["A", "B"], "seeds": 2, "rows": rows}


def test_report_says_where_it_loses(results):
    text = render(results)
    assert "A (5.0 behind QUANT)" in text
    assert "B (" not in text.split("## Where it loses")[1].split("##")[0]
    assert "| A | 90.0 ± 1.4 | 90.0 | **95.0** |" in text
    assert "| median | 1.5 | 1 | 4 |" in text
    assert "QUANT on B, seed 1: MemoryError: no." in text
    assert "| A | 60 | 100 | 1 | 20–30 | 2 |" in text
    assert accuracy(results, "A", "Hydra") is None


def test_runs_of_another_version_are_named(results):
    machine = {"Python": "3", "chainhead": "1.0", "date": "2030-01-01"}
    rows = [each | {"machine": machine} for each in results["rows"]]
    rows[0] |= {"machine": machine | {"chainhead": "1.1", "date": "2030-02-02"}}
    assert "chainhead 1." not in render(results | {"machine": machine, "rows": rows[1:]})
    told = render(results | {"machine": machine, "rows": rows})
    assert "MiniRocket on A: chainhead 1.1, 2030-02-02." in told


def test_sets_that_nothing_was_chosen_on_have_a_section_of_their_own(results):
    apart = {"aside": results | {"sets": ["B"]}}
    text = render(results | {"sets": ["A"]} | apart)
    heading = "## On sets that nothing was chosen on"
    assert heading not in render(results)
    before, section = text.split(heading)
    assert "| B |" not in before
    assert re.search(r"\| B \|.* 80\.0 \|", section.split("## ")[0])
    assert "| A |" not in section.split("## ")[0]


def test_report_and_picture_are_written(results, tmp_path):
    report = write_report(results, tmp_path)
    assert report.read_text("utf-8") == render(json.loads((tmp_path / "accuracy.json").read_text("utf-8")))
    assert (tmp_path / "images" / "accuracy.svg").stat().st_size > 1000


def test_sets_are_found(tmp_path):
    found = find_sets([], None)
    assert tuple(found) == SHIPPED
    folder = tmp_path / "Mine"
    folder.mkdir()
    (folder / "Mine_TRAIN.ts").write_text("")
    assert find_sets(["Mine", "GunPoint"], tmp_path) == {"Mine": folder, "GunPoint": found["GunPoint"]}
    with pytest.raises(ValueError, match="there is no set Yours"):
        find_sets(["Yours"], tmp_path)
    with pytest.raises(ValueError, match="there is no folder"):
        find_sets([], tmp_path / "no")


def test_official_splits_are_read():
    split = load_split("JapaneseVowels", find_sets(["JapaneseVowels"], None)["JapaneseVowels"])
    assert split.facts() == {
        "train": 270,
        "test": 370,
        "channels": 12,
        "shortest": 7,
        "longest": 26,
        "labels": 9,
    }


def test_peers_of_one_length_get_zeros_at_the_end():
    series = [np.ones((2, 3), np.float32), np.ones((2, 7), np.float32)]
    assert as_taken(CONTESTANTS["ChainHeadClassifier"], series, 5) is series
    padded = as_taken(CONTESTANTS["QUANT"], series, 5)
    assert padded.shape == (2, 2, 5)
    np.testing.assert_array_equal(padded.sum((1, 2)), [6, 10])


def test_rows_come_once_in_an_order_of_their_own():
    sets = find_sets(["GunPoint"], None)
    names = ["ChainHeadClassifier", "QUANT"]
    rows = list(measure(sets, names, [0]))
    assert {found["model"] for found in rows} == set(names)
    assert all(found["accuracy"] >= 0.9 and found["fit"] > 0 for found in rows)
    assert list(measure(sets, names, [0], rows)) == []


def test_times_with_threads_come_once_and_are_told_as_ratios(monkeypatch, results):
    monkeypatch.setattr(threads, "LARGE", {"made": (10, 30)})
    monkeypatch.setattr(threads, "_TURNS", 1)
    (row,) = threads.measure_threads({})
    assert set(row["seconds"]) == {f"{model}, {n}" for model in (threads.OURS, "MiniRocket") for n in (1, 2)}
    assert all(len(turns) == 1 and turns[0] > 0 for turns in row["seconds"].values())
    assert not list(threads.measure_threads({}, [row]))

    seconds = {"ChainHeadClassifier, 1": [3.0], "ChainHeadClassifier, 2": [1.5]}
    seconds |= {"MiniRocket, 1": [2.0], "MiniRocket, 2": [1.0]}
    machine = {"chainhead": "1.1", "date": "2030-01-01"}
    text = render(results | {"threads": [{"threads of": "A", "seconds": seconds, "machine": machine}]})
    assert "Measured with chainhead 1.1, 2030-01-01." in text
    assert "| A | 3 | 1.5 | 2 | 1 | 1.5 | 1.5 | 0.75 |" in text
