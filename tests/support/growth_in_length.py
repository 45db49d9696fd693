"""Measures how the time of chains grows with their length: ``python -m tests.support.growth_in_length``.

It runs in a separate process, which keeps freed memory. Otherwise the process would request new memory pages for the
longer chain only, and that time would count too.
"""

import json
import sys
import time

import torch

from benchmarks.speed.allocator import keep_memory
from benchmarks.speed.contestants import Contestant, named

TIMES, WIDTH, ROUNDS = 16, 16, 5


def least_processor_seconds(contestant: Contestant, length: int) -> float:
    """Processor time of a forward pass on one thread: what else the machine does hardly counts."""
    module = contestant.build(WIDTH, WIDTH, length)
    x, seconds = torch.randn(1, length, WIDTH), []
    for _ in range(ROUNDS):
        start = time.process_time()
        module(x)
        seconds.append(time.process_time() - start)
    return min(seconds)


def growth(name: str, length: int) -> float:
    """Time of a chain TIMES as long over that of one of `length`; the lesser of two measurements."""
    contestant = named(name)
    return min(
        least_processor_seconds(contestant, TIMES * length) / least_processor_seconds(contestant, length)
        for _ in range(2)
    )


if __name__ == "__main__":
    keep_memory()
    torch.set_num_threads(1)
    with torch.no_grad():
        print(json.dumps([growth(*asked) for asked in json.load(sys.stdin)]))  # noqa: T201 - for the test
