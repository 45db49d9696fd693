"""What Triton makes of the fused kernels for Hopper's devices: compiled here, though it cannot run here."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Bytes of a multiprocessor, and registers of a thread if two programs of 256 threads are to share it.
SHARED, REGISTERS = 227 * 1024, 128


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    triton = pytest.importorskip("triton", reason="Triton is not installed on this platform")
    if importlib.util.find_spec("triton.knobs") is None:
        pytest.skip(f"Triton {triton.__version__} does not say where its assembler is")
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    environment["TRITON_CACHE_DIR"] = str(tmp_path_factory.mktemp("triton"))
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.compiled_for_hopper"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


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
