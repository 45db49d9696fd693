"""Limits on time: no kind of chain grows like a dense matrix, and no filter takes as long as many linear layers."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from growth_in_length import TIMES

from benchmarks.speed.contestants import CONTESTANTS, FLOOR, build, named
from benchmarks.speed.work import calls_of
from benchmarks.timing import interleave, quartiles, ratios

ROOT = Path(__file__).parents[2]
HEADS = [contestant for contestant in CONTESTANTS if contestant.group == "head"]
SPECTRAL = [contestant for contestant in HEADS if contestant.target == "spectral"]
pytestmark = pytest.mark.usefixtures("one_thread")


def timed(shapes, heads, rounds=5):
    """Seconds of heads and nn.Linear for each shape, all in turns in one run."""
    calls = {}
    for shape in shapes:
        x = torch.randn(*shape[:3])
        for contestant in (named(FLOOR), *heads):
            module = build(contestant, shape, torch.float32, "cpu")
            calls[contestant.name, shape] = calls_of(module, x, shape[3], "forward")
    with torch.no_grad():
        seconds, failures = interleave(calls, rounds, random.Random(0))
    assert not failures
    return seconds


def retry(check):
    """Once more if it fails: a busy machine may be busy in all rounds of one run."""
    assert check() or check()


GROWTHS = [(one.name, 4096) for one in HEADS] + [
    (one.name, length) for one in SPECTRAL for length in (256, 20_000)
]
QUADRATIC = ("dense A", 256)


@pytest.fixture(scope="module")
def growths():
    run = subprocess.run(
        [sys.executable, "-m", "tests.support.growth_in_length"],
        cwd=ROOT,
        input=json.dumps([*GROWTHS, QUADRATIC]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return dict(zip([*GROWTHS, QUADRATIC], json.loads(run.stdout), strict=True))


@pytest.mark.parametrize("asked", GROWTHS, ids=lambda asked: f"{asked[0]}, {asked[1]} nodes")
def test_no_kind_is_quadratic_in_the_length(growths, asked):
    """Hold time over 16 times the length to 4 times what is linear: a quarter of what is quadratic."""
    assert growths[asked] <= 4 * TIMES


def test_what_is_quadratic_would_be_seen(growths):
    assert growths[QUADRATIC] > 4 * TIMES


@pytest.mark.timing
def test_no_filter_costs_much_more_than_a_linear_layer():
    shape = (16, 1024, 128, 128)
    filters = [one for one in HEADS if one not in SPECTRAL]

    def check():
        seconds = timed((shape,), filters)
        costs = {
            one.name: quartiles(ratios(seconds[one.name, shape], seconds[FLOOR, shape]))[1] for one in filters
        }
        return max(costs.values()) <= 8

    retry(check)
