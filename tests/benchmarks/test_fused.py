"""The measurement of the fused kernels, tried out on a few nodes in Triton's interpreter."""

import dataclasses
import json

import pytest
import torch
from rich.console import Console
from typer.testing import CliRunner

import benchmarks.fused.__main__ as command
from benchmarks.fused.contestants import CHANNELS, LEARNED_EXPONENTIAL, contestant
from benchmarks.fused.report import render
from benchmarks.fused.targets import GROUPS, SHAPES, limit
from benchmarks.fused.timings import Timer, is_served
from benchmarks.speed.contestants import build
from chainhead_plugin.chain.kernels import channel_linear, mixed_products

pytest.importorskip("triton", reason="Triton is not installed on this platform")

NAMES = ("exponential, bi", "inverse, uni", CHANNELS.name)


def measured(minutes=1.0):
    shape = (1, 33, 8, 4)
    return command.measure(
        Timer("cpu", 0, 1, 0.0), minutes, Console(quiet=True), names=NAMES, shapes=(shape,), lengths=(9,)
    )


def test_a_run_checks_and_measures_everything():
    results = measured()
    assert results["mistakes"] == []
    assert results["unmeasured"] == []
    assert [row["contestant"] for row in results["shapes"]] == ["nn.Linear", *NAMES] * 2
    assert all("fused" in row for row in results["shapes"] if row["contestant"] in NAMES)
    assert {row["work"] for row in results["small"]} == {"forward", "step"}
    assert len(results["tiles"]) > 3
    text = render(json.loads(json.dumps(results)))
    assert "failed" not in text
    assert "right at every length" in text


def test_limits_are_judged_and_parts_without_time_are_named():
    results = measured(minutes=-1)
    assert results["unmeasured"][-1] == "tiles, 8 → 4"
    timing = {"microseconds": [30.0] * 3, "ratio": [1.3, 1.45, 1.6]}
    row = {"shape": [64, 1024, 256, 256], "work": "forward", "contestant": NAMES[0]}
    results["shapes"] = [row | {"auto": timing | {"ratio": [2.0] * 3}, "fused": timing}]
    text = render(results)
    assert "1 of 1 targets were met" in text
    assert "| ≤ 1.5 | met |" in text
    assert "no time left for: forward, 8 → 4" in text


def test_wrong_results_are_told_and_not_timed(monkeypatch):
    for module, kernel, output in (
        (mixed_products, "mixed_products_kernel", 4),
        (channel_linear, "channel_linear_kernel", 3),
    ):
        monkeypatch.setattr(module, kernel, _Wrong(getattr(module, kernel), output))
    results = measured()
    assert {mistake["contestant"] for mistake in results["mistakes"]} == set(NAMES)
    assert results["shapes"] == []
    assert "**wrong**" in render(results)


class _Wrong:
    """A kernel whose results are off by a tenth."""

    def __init__(self, kernel, output):
        self.kernel = kernel
        self.output = output

    def __getitem__(self, grid):
        def launch(*given, **options):
            self.kernel[grid](*given, **options)
            given[self.output].mul_(1.1)

        return launch


@pytest.mark.parametrize(
    "name", ["inverse with decay, bi", "inverse with learned decay, uni", LEARNED_EXPONENTIAL.name]
)
def test_fused_forms_are_timed_wherever_there_are_any(name):
    head = build(contestant(name), (2, 64, 8, 8), torch.bfloat16, "cpu")
    x = torch.zeros(2, 64, 8, dtype=torch.bfloat16)
    assert is_served(head, x)


def test_every_target_has_a_contestant():
    for name in GROUPS:
        assert contestant(name).group == "head"
        for shape in SHAPES:
            assert 1 < limit(name, shape, "forward") <= limit(name, shape, "forward+backward")
    assert limit("inverse, uni", (1, 8, 8, 4), "forward") is None
    assert dataclasses.is_dataclass(contestant("inverse, uni"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="a device is there")
def test_without_a_device_the_command_says_so():
    import typer

    app = typer.Typer()
    app.command()(command.main)
    done = CliRunner().invoke(app, [])
    assert done.exit_code == 2
    assert "no CUDA device" in done.output
