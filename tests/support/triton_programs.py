"""Runs programs that compile Triton kernels without a device, each in a process that does not interpret them."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run_triton_program(module, cache):
    """Return the JSON that a module of `tests.support` writes; `cache` is a folder for what Triton compiles."""
    if importlib.util.find_spec("triton.knobs") is None:
        pytest.skip("this Triton compiles nothing without a device")
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    environment["TRITON_CACHE_DIR"] = str(cache)
    done = subprocess.run(
        [sys.executable, "-m", f"tests.support.{module}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
