"""Promise 2: the classes are registered exactly once, by any number of calls from any thread or process.

See also tests/house/test_registration.py.
"""

import os

import pytest


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_hundred_times_from_threads_and_processes_of_every_kind(run_program):
    assert run_program("registering.py", imports=True) == {
        "threads": 100,
        "forked": 4,
        "spawned": 4,
        "workers": 8,
    }
