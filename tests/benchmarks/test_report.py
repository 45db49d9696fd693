"""The benchmarks' report: measurements beside their targets, and the parts of calls that miss a target."""

import json
import re
from dataclasses import asdict

import pytest
from rich.console import Console

from benchmarks.__main__ import measure
from benchmarks.speed.call_parts import measure_parts, missed
from benchmarks.speed.cases import Settings, Sizes
from benchmarks.speed.contestants import CONTESTANTS
from benchmarks.speed.cuda_parts import PARTS
from benchmarks.speed.growth import growth_verdicts
from benchmarks.speed.report import render, write_report

LOCAL = [contestant for contestant in CONTESTANTS if contestant.group != "tinybig"]
TINY = Sizes(
    shapes=((2, 16, 8, 4),),
    lengths=(8, 128),
    nodes=128,
    features=4,
    memory_length=64,
    million=(1, 512, 4, 4),
    rounds=2,
    least_seconds=1e-5,
)
pytestmark = pytest.mark.usefixtures("one_thread")


def small_results(**row):
    whole = {
        "case": "shape",
        "work": "forward",
        "shape": [2, 8, 4, 4],
        "contestant": "single hop, uni",
        "group": "head",
        "target": "uni",
        "quartiles": [0.001, 0.002, 0.003],
        "ratio": [1.0, 1.1, 1.3],
        "memory": {"extra": 3 * 2**20, "total": 2**30, "ratio": 1.5},
    }
    settings = json.loads(json.dumps(asdict(Settings())))
    return {
        "settings": settings,
        "machine": {"cores": "2"},
        "tinybig": "not installed",
        "rows": [whole | row],
        "keeps_memory": True,
        "call_parts": None,
        "cuda_parts": None,
        "loading": None,
    }


def test_report_has_the_measured_numbers():
    text = render(small_results(), {"ratios": "r.png", "lengths": "l.png"})
    line = "| single hop, uni | 2 (1–3) | 0.008 | 1.1 (1–1.3) | ≤ 1.15 | met | 3.0 (1.5 ×) |"
    assert line in text
    assert "1 of 1 targets were met" in text
    assert "tinyBIG: not installed" in text
    assert "**not met**" in render(small_results(ratio=[1.0, 1.2, 1.3]), {"ratios": "", "lengths": ""})
    failed = small_results(failure="RuntimeError: no")
    del failed["rows"][0]["ratio"]
    assert "failed: RuntimeError: no" in render(failed, {"ratios": "", "lengths": ""})


def test_loading_stands_beside_its_targets():
    loading = {
        "milliseconds": {"import": [60, 70, 200], "first": [900, 1000, 1100], "next": [20, 301, 400]},
        "shares": {
            "extractor and model": [0.8, 0.9, 0.95],
            "model alone": [0.3, 0.4, 0.5],
            "extractor alone": [0.1, 0.2, 0.3],
            "scores and labels alone": [0.01, 0.02, 0.03],
        },
    }
    results = small_results() | {"loading": loading}
    text = render(results, {"ratios": "", "lengths": ""})
    assert (
        "| `import chainhead_plugin` after `import transformers` | 70 ms (60–200) | ≤ 100 ms | met |" in text
    )
    assert "| another one | 301 ms (20–400) | ≤ 300 ms | **not met** |" in text
    assert "speed of extractor and model | 0.9 (0.8–0.95) | ≥ 0.8 | met |" in text
    assert "3 of 4 targets were met" in text
    assert "of a pipeline call's time, checks and padding | 0.2 (0.1–0.3) |" in text


def test_what_misses_its_target_is_taken_apart():
    results = small_results(case="small", shape=[1, 8, 64, 64], ratio=[3.9, 4.0, 4.1])
    [row] = [row for row in results["rows"] if row["group"] == "head"]
    assert missed(results["rows"], "cpu") == [row]
    assert missed(small_results(case="small", ratio=[2.9, 3.0, 3.1])["rows"], "cpu") == []
    parts = measure_parts([row], "cpu", "float32", seed=0, rounds=9, least_seconds=1e-3)
    [part] = parts
    assert 0 < part["maps"] < part["whole"]
    assert 0 < part["mixing"] < part["whole"]
    part |= {"floor": 5e-6, "whole": 15e-6, "maps": 3e-6, "mixing": 4e-6}
    text = render(results | {"call_parts": parts}, {"ratios": "", "lengths": ""})
    assert "| single hop, uni: a call on a small chain, 8 × 64 → 64 | 5 | 15 | 3 | 4 | 8 |" in text


@pytest.mark.parametrize(
    "contestant", [one for one in LOCAL if one.group == "head"], ids=lambda one: one.name
)
def test_every_head_can_be_taken_apart(contestant):
    rows = [{"case": "small", "shape": [1, 4, 6, 6], "contestant": contestant.name}]
    rows += [{"case": "step", "shape": [1, 1, 6, 6], "contestant": contestant.name}] * contestant.streams
    parts = measure_parts(rows, "cpu", "float32", seed=0, rounds=1, least_seconds=0)
    assert [part["case"] for part in parts] == [row["case"] for row in rows]
    assert all(min(part[name] for name in ("floor", "whole", "maps", "mixing")) > 0 for part in parts)


def test_parts_of_the_fused_hop_are_compared_with_the_product():
    seconds = dict.fromkeys(PARTS, 2e-5) | {"a copy of the input": 1e-5}
    text = render(small_results() | {"cuda_parts": {"256 → 256": seconds}}, {"ratios": "", "lengths": ""})
    assert "| a copy of the input | 10 (0.50 ×) |" in text


def test_quadratic_growth_is_not_met():
    rows = [
        small_results(
            case="length",
            shape=[256 // length, length, 4, 4],
            quartiles=[seconds] * 3,
            seconds=[seconds, None],
        )["rows"][0]
        for length, seconds in ((16, 0.001), (256, 0.016))
    ]
    assert "**not met**" in growth_verdicts(rows)
    rows[1]["seconds"] = [0.001, None]
    assert "**not met**" not in growth_verdicts(rows)


def test_a_tiny_run_end_to_end(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.__main__.import_tinybig", lambda: (None, "not installed"))
    monkeypatch.setattr("benchmarks.speed.loading._PROCESSES", 1)
    monkeypatch.setattr("benchmarks.speed.loading._CHAINS", 128)
    settings = Settings(threads=1, sizes=TINY)
    results = json.loads(json.dumps(measure(settings, Console(quiet=True))))
    assert not [row["failure"] for row in results["rows"] if "failure" in row]
    assert all(len(row["seconds"]) == TINY.rounds for row in results["rows"])
    shaped = [row for row in results["rows"] if row["case"] == "shape"]
    assert len([row for row in results["rows"] if row["case"] == "length"]) == len(LOCAL) * len(TINY.lengths)
    assert all(row["memory"]["total"] > 2**20 for row in shaped)
    report = write_report(results, tmp_path)
    text = report.read_text(encoding="utf-8")
    assert report.name == "benchmarks.md"
    for contestant in LOCAL:
        assert contestant.name in text
    assert 0 < min(results["loading"]["milliseconds"]["next"]) < 10_000
    assert results["loading"]["shares"]["model alone"][1] > 0
    assert not results["keeps_memory"]
    taken_apart = {(part["case"], part["contestant"]) for part in results["call_parts"]}
    assert taken_apart == {(row["case"], row["contestant"]) for row in missed(results["rows"], "cpu")}
    for picture in re.findall(r"\]\((images/.*?)\)", text):
        assert 5_000 < (tmp_path / picture).stat().st_size < 80_000
