"""Sets out of packages: their parts, what is missing, and the files that the benchmark reads."""

import numpy as np

from benchmarks.accuracy import package_sets
from benchmarks.accuracy.package_sets import SOURCES, Source, _halves, write_sets
from benchmarks.accuracy.sets import find_sets, load_split


def test_halves_hold_every_label_and_share_no_series():
    labels = np.array(list("aabbbabc"))
    series = [np.full((1, 4), number, np.float32) for number in range(8)]
    split = _halves("Made", series, labels)
    assert [int(each[0, 0]) for each in split.train] == [0, 2, 4, 5, 7]
    assert [int(each[0, 0]) for each in split.test] == [1, 3, 6]
    assert list(split.train_labels) == list("abbac")
    assert list(split.test_labels) == list("abb")


def test_written_sets_are_those_that_the_benchmark_reads(monkeypatch, tmp_path):
    series = [
        np.random.default_rng(length).normal(size=(2, length)).astype(np.float32) for length in range(4, 12)
    ]
    split = _halves("Made", series, np.array(list("aabbbaba")))
    sources = {
        "Made": Source("numpy", "made", lambda site: split if (site / "numpy").is_dir() else None),
        "Missing": Source("no-such-package", "none", lambda site: split),
    }
    monkeypatch.setattr(package_sets, "SOURCES", sources)
    told = dict(write_sets(tmp_path))
    assert told == {
        "Made": "4 to train, 4 to test, from numpy",
        "Missing": "left out: pip install --no-deps no-such-package",
    }
    read = load_split("Made", find_sets(["Made"], tmp_path)["Made"])
    assert list(read.train_labels) == list(split.train_labels)
    for part in ("train", "test"):
        for found, expected in zip(getattr(read, part), getattr(split, part), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert [path.name for path in tmp_path.iterdir()] == ["Made"]


def test_growth_curves_of_girls_and_boys(tmp_path):
    folder = tmp_path / "fdatools" / "_data"
    folder.mkdir(parents=True)
    np.savez(folder / "growth.npz", hgtm=np.ones((31, 39)), hgtf=np.zeros((31, 54)))
    split = SOURCES["Growth"].read(tmp_path)
    assert split.facts() == {
        "train": 47,
        "test": 46,
        "channels": 1,
        "shortest": 31,
        "longest": 31,
        "labels": 2,
    }
    assert all(
        (each == 1).all() == (label == "boy")
        for each, label in zip(split.test, split.test_labels, strict=True)
    )
