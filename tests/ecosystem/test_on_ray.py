"""Work on Ray gives what one process gives. What happens to jobs that are killed is tested in tests/reliability/."""

import json

import numpy as np
import pytest
from command_line import invoke
from guides import play, sections
from recipe_writing import LABELLED, write_arrays, write_recipe
from texts_in_files import write_texts
from tiny_classifier import write_classifier

import registry

ray = pytest.importorskip("ray", reason="the extra ray is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ray")
# Ray takes 127.0.0.1 for the address of the network card.
LOOPBACK = "127.0.0.2"


@pytest.fixture(scope="module", autouse=True)
def cluster():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        ray.init(
            address="local",
            num_cpus=2,
            include_dashboard=False,
            object_store_memory=80 * 2**20,
            _node_ip_address=LOOPBACK,
            log_to_driver=False,
            logging_level="ERROR",
        )
        yield
        ray.shutdown()


def test_parts_are_those_of_a_plain_loop(tmp_path):
    classifier = tmp_path / "classifier"
    write_classifier(classifier)
    paths = [tmp_path / "texts.jsonl", tmp_path / "more.jsonl"]
    for file, count in zip(paths, (30, 40), strict=True):
        write_texts(file, count)
    with paths[1].open("a", encoding="utf-8") as stream:
        stream.write('{"id": 40, "text": null}\n{"id": 41')
    given = {"task": "text-classification", "part_rows": 8}
    plain = registry.predict(paths, classifier, output=tmp_path / "plain", engine="plain", **given)
    seen = []
    # A part that is there already is not computed again.
    first = tmp_path / "ray" / plain.parts[0]
    registry.predict(paths, classifier, output=first.parent, engine="plain", **given)
    for file in first.parent.iterdir():
        if file != first and file.name != "_manifest.json":
            file.unlink()
    found = registry.predict(
        paths, classifier, output=first.parent, workers=1, on_progress=seen.append, **given
    )
    assert (found.rows, found.errors, found.parts) == (72, 2, plain.parts)
    assert found.lines() == plain.lines()
    assert seen[-1] == (len(plain.parts), 72, 2, 64)


def test_the_command_of_the_guide_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    texts = ["good and cheap", "bad , slow"] * 3
    rows = "".join(f'r{number},"{text}"\n' for number, text in enumerate(texts))
    (tmp_path / "reviews.csv").write_text(f"key,text\n{rows}", "utf-8")
    [told] = play(sections("scale.md")["Predictions for many inputs"])
    assert "reviews.parquet: 6 inputs in 1 part\n" in told


def test_an_error_of_a_worker_is_told_as_in_one_process(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.jsonl").write_text('{"nodes": [[1, 2,\n', "utf-8")
    given = ["predict", "chainhead-japanese-vowels", "broken.jsonl", "--engine", "ray", "--workers", "1"]
    told = invoke(*given, "--output", "answers", "--on-error", "raise", code=1)
    assert "broken.jsonl" in told
    assert "Traceback" not in told


def kept_runs(folder):
    """Return the weights of all runs, and their metrics without times, by the names of their files."""
    found = {}
    for file in sorted(folder.glob(".runs/*/*")):
        if file.name == "weights.safetensors":
            found[f"{file.parent.name}/{file.name}"] = file.read_bytes()
        elif file.name in ("test.json", "measured.json"):
            measured = json.loads(file.read_text("utf-8"))["measured"]
            metrics = {name: value for name, value in measured.items() if "seconds" not in name}
            found[f"{file.parent.name}/{file.name}"] = metrics
    return found


def test_the_runs_of_a_recipe_are_those_of_one_process(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name, count in (("train", 24), ("test", 8)):
        labels = np.arange(count) % 2
        series = rng.normal(0, 1, (count, 6)) + labels[:, None] * np.arange(6)
        write_arrays(tmp_path / f"{name}.npz", (series, np.array(["flat", "steep"])[labels]))
    changes = {"data": {"train": "train.npz", "test": "test.npz"}, "seeds": [0, 1], "peers": ["lstm", "mlp"]}
    recipe = write_recipe(tmp_path, LABELLED, changes)
    invoke("compare", recipe, "--output", "plain")
    expected = kept_runs(tmp_path / "plain")
    assert len([name for name in expected if name.endswith("weights.safetensors")]) == 6

    # A run that fails is told alike, the others are kept, and one process goes on with them.
    last = sorted(name for name in expected if name.startswith("mlp"))[-1].partition("/")[0]
    blocked = tmp_path / "spread" / ".runs" / last
    blocked.parent.mkdir(parents=True)
    blocked.touch()
    given = ["compare", recipe, "--output", "spread"]
    assert last in invoke(*given, "--engine", "ray", "--workers", "1", code=1)
    others = {name: found for name, found in expected.items() if not name.startswith(last)}
    assert kept_runs(tmp_path / "spread") == others

    times = {file: file.stat().st_mtime_ns for file in blocked.parent.glob("*/weights.safetensors")}
    assert len(times) == 5
    blocked.unlink()
    invoke(*given)
    assert kept_runs(tmp_path / "spread") == expected
    assert times == {file: file.stat().st_mtime_ns for file in times}


def test_mistakes_of_spreading(tmp_path):
    recipe = write_recipe(tmp_path, LABELLED, {})
    assert "without --engine ray" in invoke("compare", recipe, "--workers", "2", code=2)
