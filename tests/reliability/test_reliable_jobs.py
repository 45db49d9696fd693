"""Promise 13: of a job whose workers, nodes and drivers are killed, no row is lost or doubled."""

import sys

import pytest

pytest.importorskip("ray", reason="the extra ray is not installed")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="kills processes as Linux does")
def test_kills_lose_and_double_nothing(full, run_program, tmp_path):
    kills, rows, model = (20, 6000, "classifier") if full else (3, 2000, "lengths")
    found = run_program("killed_jobs.py", tmp_path, 1, kills, rows, model, imports=True, timeout=3000)
    assert sum(found["kills"].values()) == kills
    assert min(found["kills"].values()) >= kills // 3
    assert found["jobs"] >= 1
    assert {name: found[name] for name in ("lost", "doubled", "different")} == {
        "lost": 0,
        "doubled": 0,
        "different": 0,
    }
