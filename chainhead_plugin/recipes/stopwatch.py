"""How long something takes, whatever else the machine is doing."""

import time

import torch


class Stopwatch:
    """Counts from its construction.

    Where one thread computes on the CPU, which is then busy all the time, this is the time that the processor worked
    for this process: other programs make it no longer. Else it is the time that has passed.

    Parameters
    ----------
    threads : int, optional
        Of the CPU; None for as many as torch takes.
    """

    def __init__(self, threads: int | None) -> None:
        is_alone = threads == 1 and not torch.cuda.is_available()
        self._clock = time.process_time if is_alone else time.perf_counter
        self._start = self._clock()

    @property
    def seconds(self) -> float:
        """How long it has been running."""
        return self._clock() - self._start
