"""What Triton makes of the fused kernels for Hopper's devices: compiled here, though it cannot run here."""

import pytest

from tests.support.triton_programs import run_triton_program

# Bytes of a multiprocessor, and registers of a thread if two programs of 256 threads are to share it.
SHARED, REGISTERS = 227 * 1024, 128


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    pytest.importorskip("triton", reason="Triton is not installed on this platform")
    return run_triton_program("compiled_for_hopper", tmp_path_factory.mktemp("triton"))


def test_products_run_on_the_tensor_cores_and_nothing_is_spilled(compiled):
    for variant, kernel in compiled.items():
        assert kernel["products"] > 0, variant
        assert kernel["spilled"] == 0, variant


def test_two_programs_with_a_band_share_a_multiprocessor(compiled):
    for variant in compiled:
        if variant.startswith("channels"):
            continue
        assert compiled[variant]["registers"] <= REGISTERS, variant
        assert 2 * compiled[variant]["shared"] <= SHARED, variant


def test_tiles_of_channels_come_by_the_copy_engine_in_all_stages(compiled):
    for variant in ("channels", "channels of short chains, with everything"):
        assert compiled[variant]["copies"] > 0, variant
        # Loads that depend on another load would get half of the stages.
        assert compiled[variant]["tiles"] <= compiled[variant]["shared"] <= SHARED, variant
