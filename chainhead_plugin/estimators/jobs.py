"""The number of CPU threads that scikit-learn's `n_jobs` stands for."""

import os
from typing import Any

from .parameters import plain


def threads_of(n_jobs: Any) -> int | None:
    """Return the number of CPU threads that `n_jobs` stands for, None for as many as torch uses anyway.

    Parameters
    ----------
    n_jobs : int, optional
        -1 stands for all cores, -2 for all cores but one; None changes nothing.

    Raises
    ------
    ValueError
        If `n_jobs` is 0 or not a whole number.
    """
    n_jobs = plain(n_jobs)
    if n_jobs is None:
        return None
    if not isinstance(n_jobs, int) or isinstance(n_jobs, bool) or n_jobs == 0:
        raise ValueError(f"n_jobs must be a whole number other than 0, or None, got {n_jobs!r}")
    return n_jobs if n_jobs > 0 else max(1, (os.cpu_count() or 1) + 1 + n_jobs)
