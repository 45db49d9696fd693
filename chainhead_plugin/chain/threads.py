"""The number of CPU threads that torch computes with, for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def num_threads(count: int | None) -> Iterator[None]:
    """Within a `with` block, let torch use this number of CPU threads. The number affects how sums are rounded.

    Parameters
    ----------
    count : int, optional
        At least 1; None changes nothing.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(before if count is None else count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
