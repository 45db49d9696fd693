"""Promise 9: one model serves many threads and processes, for any length of time."""

import sys

import pytest


@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux does")
def test_eight_threads_and_four_processes_for_a_while(full, run_program):
    report = run_program("serving.py", 600 if full else 8, timeout=1500)
    assert report["threads"] == 8
    assert report["processes"] == 4
    assert report["failures"] == []
    assert report["dropped"] == 0
    assert report["requests"] > 100
    assert max(report["memory"]) < 20
