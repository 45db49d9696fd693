"""The speed benchmark measures what it states: calls in turns, the contestants, and the reference for comparison."""

import importlib.util
import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks.min_gru import MinGRU
from benchmarks.speed import tinybig_peer
from benchmarks.speed.cases import Settings, plan
from benchmarks.speed.contestants import CONTESTANTS, FLOOR, DenseChain, build, named
from benchmarks.speed.work import calls_of
from benchmarks.timing import SLOW_ROUNDS, calibrate, interleave, quartiles, ratios

ROOT = Path(__file__).parents[2]
HEADS = [contestant for contestant in CONTESTANTS if contestant.group == "head"]
LOCAL = [contestant for contestant in CONTESTANTS if contestant.group != "tinybig"]
pytestmark = pytest.mark.usefixtures("one_thread")


class FakeClock:
    def __init__(self):
        self.now, self.calls = 0.0, []

    def __call__(self):
        return self.now

    def work(self, name, seconds):
        def call():
            self.calls.append(name)
            self.now += seconds

        return call


def run_fake(costs, rounds, least_seconds=0.0, seed=0):
    clock = FakeClock()
    calls = {name: clock.work(name, seconds) for name, seconds in costs.items()}
    result = interleave(calls, rounds, random.Random(seed), least_seconds=least_seconds, clock=clock)
    return clock, *result


def test_calls_take_turns_in_a_new_order_every_round():
    costs = {"a": 0.01, "b": 0.02, "c": 0.03, "d": 0.04}
    clock, seconds, failures = run_fake(costs, rounds=6)
    assert not failures
    for name, cost in costs.items():
        assert seconds[name] == pytest.approx([cost] * 6)
    turns = clock.calls[3 * 4 :]
    orders = [tuple(turns[i : i + 4]) for i in range(0, len(turns), 4)]
    assert all(sorted(order) == list("abcd") for order in orders)
    assert len(set(orders)) > 1
    assert run_fake(costs, rounds=6)[0].calls == clock.calls
    assert run_fake(costs, rounds=6, seed=1)[0].calls != clock.calls


def test_short_calls_are_repeated_and_slow_ones_sit_out():
    clock, seconds, _ = run_fake({"short": 0.03125, "long": 1.0}, rounds=SLOW_ROUNDS + 2, least_seconds=0.25)
    assert seconds["long"] == pytest.approx([1.0] * SLOW_ROUNDS + [None] * 2)
    assert seconds["short"] == pytest.approx([0.03125] * (SLOW_ROUNDS + 2))
    assert clock.calls.count("short") == 3 + 8 * (SLOW_ROUNDS + 2)


@pytest.mark.parametrize(
    ("costs", "expected"),
    [((0.03125, 0.015625, 0.03125), (0.015625, 64)), ((16.0, 0.015625), (16.0, 1))],
    ids=["fast", "slow"],
)
def test_calibration_warms_up(costs, expected):
    clock, costs = FakeClock(), iter(costs)

    def call():
        clock.now += next(costs)

    assert calibrate(call, 1.0, clock) == expected


def test_failures_are_recorded():
    def fail():
        raise RuntimeError("no such kernel\nand more")

    seconds, failures = interleave({"a": fail, "b": lambda: None}, 2, random.Random(0))
    assert failures == {"a": "RuntimeError: no such kernel"}
    assert list(seconds) == ["b"]


def test_medians_and_ratios_of_rounds():
    assert quartiles([5.0, 1.0, None, 3.0, 2.0, 4.0]) == (2.0, 3.0, 4.0)
    assert quartiles([2.0]) == (2.0, 2.0, 2.0)
    assert ratios([2.0, None, 9.0], [1.0, 5.0, 3.0]) == [2.0, 3.0]


@pytest.mark.parametrize("contestant", LOCAL, ids=lambda contestant: contestant.name)
@pytest.mark.parametrize(("m", "n"), [(6, 6), (8, 4)])
def test_contestants_have_one_interface(contestant, m, n):
    module = build(contestant, (2, 9, m, n), torch.float32, "cpu")
    x = torch.randn(2, 9, m)
    with torch.no_grad():
        assert calls_of(module, x, n, "forward")().shape == (2, 9, n)
    gradients = calls_of(module, x, n, "forward+backward")()
    assert [gradient.shape for gradient in gradients] == [x.shape, *(w.shape for w in module.parameters())]
    assert all(gradient.abs().sum() > 0 for gradient in gradients)
    if contestant.streams:
        with torch.no_grad():
            assert calls_of(module, x, n, "step")()[0].shape == (2, n)


def test_streaming_contestants_are_the_uni_directional_ones():
    for contestant in HEADS:
        assert contestant.streams is not contestant.build(2, 2, 2).chain.bi_directional


ONE_MATRIX = [one for one in HEADS if one.build(2, 2, 2).interdependence_matrix().ndim == 2]


@pytest.mark.parametrize("contestant", ONE_MATRIX, ids=lambda contestant: contestant.name)
@pytest.mark.parametrize("n", [3, 7])
def test_dense_form_equals_head(contestant, n):
    head = contestant.build(5, n, 12).double()
    x = torch.randn(2, 12, 5, dtype=torch.float64)
    torch.testing.assert_close(DenseChain(head, 12)(x), head(x))


def test_min_gru_equals_its_recurrence():
    module = MinGRU(5, 4).double()
    x = 3 * torch.randn(2, 30, 5, dtype=torch.float64)
    gate, candidate = module.gate_and_candidate(x).chunk(2, -1)
    z, g = gate.sigmoid(), torch.where(candidate >= 0, candidate + 0.5, candidate.sigmoid())
    h, expected = torch.zeros(2, 4, dtype=torch.float64), []
    for t in range(30):
        h = (1 - z[:, t]) * h + z[:, t] * g[:, t]
        expected.append(h)
    torch.testing.assert_close(module(x), torch.stack(expected, 1))


def test_min_gru_in_half_precision():
    x = torch.randn(2, 30, 5)
    module = MinGRU(5, 4)
    exact = module(x)
    y = module.bfloat16()(x.bfloat16())
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y.float(), exact, atol=0.05, rtol=0.05)


FAKE_TINYBIG = {
    "__init__.py": "__version__ = '9'\nfrom . import head, data",
    "data/__init__.py": "from .time_series_dataloader import time_series_dataloader\nimport torchtext\n"
    "from torchtext.vocab import GloVe",
    "data/time_series_dataloader.py": "raise SyntaxError"
    if sys.version_info < (3, 12)
    else "time_series_dataloader=0",
    "head/__init__.py": "",
    "head/chain_based_heads.py": """
import torch
class chain_interdependence_head(torch.nn.Module):
    def __init__(self, m, n, chain_length, with_relu, with_softmax):
        super().__init__()
        print("noise")
        self.linear = torch.nn.Linear(m * chain_length, n * chain_length)
    def forward(self, x):
        print("noise")
        return self.linear(x)
""",
}


def test_tinybig_takes_part_where_it_is(tmp_path, monkeypatch, capsys):
    for path, text in FAKE_TINYBIG.items():
        file = tmp_path / "tinybig" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    before = {name for name in sys.modules if name.partition(".")[0] in ("tinybig", "torchtext")}
    for name in before:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    try:
        assert tinybig_peer.import_tinybig()[1] == "9"
        assert "torchtext" not in sys.modules or importlib.util.find_spec("torchtext")
        module = build(named("tinyBIG, single hop, uni"), (2, 9, 6, 4), torch.float32, "cpu")
        assert module(torch.randn(2, 9, 6)).shape == (2, 9, 4)
        assert module.first_call_seconds > 0
        assert capsys.readouterr().out == ""
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "tinybig"]:
            del sys.modules[name]


def test_tinybig_may_be_missing(monkeypatch):
    monkeypatch.setattr(tinybig_peer.importlib.util, "find_spec", lambda name: None)
    assert tinybig_peer.import_tinybig() == (None, "not installed")
    with pytest.raises(ImportError, match="not installed"):
        tinybig_peer.TinyBigHead(2, 2, 2, {})


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's settings")
def test_memory_is_kept_when_asked_to():
    code = """
import resource, torch
from benchmarks.speed.allocator import keep_memory
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        torch.empty(2**24).fill_(1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
anew = faults()
assert keep_memory()
kept = [faults() for _ in range(3)]
assert min(kept) < anew / 100, (kept, anew)
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_every_contestant_has_a_part_in_a_full_plan():
    parts = plan(Settings(full=True), with_tinybig=True)
    assert {one.name for part in parts for one, _ in part.entries} == {one.name for one in CONTESTANTS}
    assert all(part.entries[0][0].name == FLOOR for part in parts)
    assert {part.case for part in parts} == {"shape", "length", "memory", "million", "small", "step"}


def test_targets_are_named_for_every_head():
    from benchmarks.speed.targets import SHAPE

    assert {one.target for one in HEADS} == set(SHAPE)
