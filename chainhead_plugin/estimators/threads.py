"""The number of CPU threads that scikit-learn's `n_jobs` stands for."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def threads_of(n_jobs: Any) -> Iterator[None]:
    """Within a `with` block, let torch use as many CPU threads as `n_jobs` says.

    Parameters
    ----------
    n_jobs : int, optional
        None changes nothing, -1 stands for all cores, -2 for all cores but one.

    Raises
    ------
    ValueError
        If `n_jobs` is 0 or not a whole number.
    """
    if n_jobs is None:
        yield
        return
    if not isinstance(n_jobs, int) or isinstance(n_jobs, bool) or n_jobs == 0:
        raise ValueError(f"n_jobs must be a whole number other than 0, or None, got {n_jobs!r}")
    count = n_jobs if n_jobs > 0 else max(1, (os.cpu_count() or 1) + 1 + n_jobs)
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
