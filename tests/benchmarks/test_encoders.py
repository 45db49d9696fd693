"""The benchmark of encoders trains the stated models, and its table holds the rows of a run."""

import pytest
import torch

from benchmarks.encoders.models import ENCODERS, HEADS
from benchmarks.encoders.report import BEGIN, END, put_into
from benchmarks.encoders.training import SETS, load, train


@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_head_classifies_the_same_series(encoder):
    series = torch.randn(2, 96, 1)
    for head in HEADS:
        assert ENCODERS[encoder](head, 1, 96, 3)(series).shape == (2, 3)


def test_a_training_and_the_table_of_it():
    values, labels = load("GunPoint", "train")
    assert values.shape == (50, 150, 1)
    assert len(labels) == 50
    assert torch.allclose(values.std(1, correction=0), torch.ones(50, 1), atol=1e-4)
    row = train("PatchTST", "own head", "GunPoint", 0, steps=1)
    assert 0 <= row["accuracy"] <= 1
    rows = [row | {"head": head, "accuracy": share} for head in HEADS for share in (0.5, 0.7)]
    page = put_into(f"before\n{BEGIN}\nold\n{END}\nafter", rows)
    assert "old" not in page
    assert page.startswith("before")
    assert page.endswith("after")
    assert page.count("60.0 ± 10.0") == 3
    assert {name for names in SETS.values() for name in names} == {
        "ACSF1",
        "BasicMotions",
        "GunPoint",
        "ItalyPowerDemand",
    }
