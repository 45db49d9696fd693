"""Measure the time of a computation, undisturbed by other programs if that is possible."""

import time

import torch


class Stopwatch:
    """Counts seconds from its construction.

    If a single thread computes on the CPU, it counts the time that the processor works for this process, which other
    programs do not prolong. Otherwise it counts the time that passes.

    Parameters
    ----------
    threads : int, optional
        Threads of the CPU; None for torch's own number of them.
    """

    def __init__(self, threads: int | None) -> None:
        is_alone = threads == 1 and not torch.cuda.is_available()
        self._clock = time.process_time if is_alone else time.perf_counter
        self._start = self._clock()

    @property
    def seconds(self) -> float:
        """The seconds since its construction."""
        return self._clock() - self._start
