"""Launches past Triton's search hand over what Triton's hand over."""

import pytest
import torch

from tests.support.triton_programs import run_triton_program

pytest.importorskip("triton", reason="Triton is not installed on this platform")

from chainhead_plugin.chain.kernels.launching import compiled, launch
from chainhead_plugin.chain.kernels.tiles.sizes import cdiv, next_power_of_2


@pytest.fixture(scope="module")
def launches(tmp_path_factory):
    return run_triton_program("launches_without_device", tmp_path_factory.mktemp("triton"))


def test_every_variant_of_a_kernel_is_launched_as_triton_launches_it(launches):
    assert launches["different"] == []
    if launches["known"]:
        # A variant that took another's kernel would be found here.
        assert launches["found"] == launches["kernels"] == launches["variants"]


def test_hooks_are_told_and_debugged_kernels_are_others(launches):
    assert launches["unheard"] == []
    assert launches["debugged"]


def test_triton_is_passed_over_only_where_that_is_asked_for(launches):
    if launches["known"]:
        assert launches["passed_over"] == ["fused"]


def test_kernels_of_unknown_versions_are_left_to_triton(launches):
    assert not launches["known_in_another_version"]


def test_interpreted_kernels_are_left_to_triton():
    called = []

    class Kernel:
        def __getitem__(self, grid):
            return lambda *given, **constants: called.append((grid, given, constants))

    kernel = Kernel()
    assert not compiled.can_launch(kernel)
    launch.launch(kernel, 2, torch.zeros(1), 3, None, BLOCK=4)
    assert called == [((2,), (3, None), {"BLOCK": 4})]


def test_sizes_are_those_of_triton():
    import triton

    for size in range(1, 70):
        assert next_power_of_2(size) == triton.next_power_of_2(size)
        assert [cdiv(total, size) for total in range(200)] == [
            triton.cdiv(total, size) for total in range(200)
        ]
