"""Work that is shared among threads of Python, while torch and its matrix products use a single thread in each.

Threads of torch's own would wait for each other after every operation, and each wait takes long if another program or
another thread of this one uses the core.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


@contextmanager
def one_torch_thread() -> Iterator[int]:
    """Within a `with` block, let torch use a single CPU thread.

    Yields
    ------
    int
        The number of threads that torch used before, and uses again afterwards.
    """
    threads = torch.get_num_threads()
    if threads > 1:
        torch.set_num_threads(1)
    try:
        yield threads
    finally:
        if threads > 1:
            torch.set_num_threads(threads)


def in_threads(function: Callable[[Item], Result], items: Sequence[Item], threads: int) -> list[Result]:
    """Return `function` of every item, in the order of the items.

    Parameters
    ----------
    function : callable
        Spends its time in code that releases Python's global lock, as NumPy, torch and compiled functions do.
    items : sequence
    threads : int
        The most threads to use. With one thread or one item no thread is started.
    """
    threads = min(threads, len(items))
    if threads <= 1:
        return [function(item) for item in items]
    with ThreadPoolExecutor(threads, "chainhead") as pool:
        return list(pool.map(function, items))
