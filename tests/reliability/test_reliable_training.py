"""Promise 12: an interrupted training continues, and ends with the weights of an uninterrupted training."""

import os
import shutil
import sys
from pathlib import Path

import pytest

linux = pytest.mark.skipif(sys.platform != "linux", reason="forks and limits processes as Linux does")


@pytest.fixture(scope="module")
def outcomes(full, run_program, tmp_path_factory):
    """How trainings ended that were cut, and with which weights they went on, in every mode."""
    trials = 125 if full else 5
    parent = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else tmp_path_factory.mktemp("training")
    folder = parent / f"interrupted-training-{os.getpid()}"
    try:
        return trials, run_program("interrupted_training.py", folder, trials, timeout=3000)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@linux
@pytest.mark.parametrize("mode", ["calls", "times", "errors", "file-size"])
def test_it_goes_on_with_the_same_weights(outcomes, mode):
    trials, found = outcomes
    assert sum(found[mode].values()) == trials
    assert {outcome.partition(": ")[2] for outcome in found[mode]} == {"the same weights"}
    # Most of them were cut, not finished before.
    assert (
        sum(count for outcome, count in found[mode].items() if not outcome.startswith("finished"))
        > trials / 4
    )
