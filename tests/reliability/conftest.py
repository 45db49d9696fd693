"""Runs programs in new processes, which a test may kill, limit and watch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fresh_processes import run_script

FOLDER = Path(__file__).parents[1] / "support"


@pytest.fixture(scope="session")
def full(request):
    """Whether to run the stated counts, not samples of them."""
    return request.config.getoption("--full")


@pytest.fixture(scope="session")
def run_program():
    """Run a script of the support folder; return the JSON that it writes last.

    Most scripts find their libraries imported already. Where `imports` is what a test looks at, they import all.
    """

    def run(script, *arguments, imports=False, timeout=600, **environment):
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", **environment}
        if imports:
            done = subprocess.run(
                [sys.executable, FOLDER / script, *map(str, arguments)],
                capture_output=True,
                text=True,
                env=environment,
                timeout=timeout,
                check=False,
            )
        else:
            done = run_script(
                FOLDER / script, *arguments, environment=environment, offline=True, timeout=timeout
            )
        assert done.returncode == 0, (
            f"exit status {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        )
        return json.loads(done.stdout.splitlines()[-1])

    return run
