"""Peak memory of a call beyond its input and weights.

On the CPU, the growth of the resident set from just before the call to its peak, in a process that does
nothing else: it counts scratch space of libraries and memory that the allocator keeps, not only tensors. `python -m
benchmarks.speed.memory` reads jobs and forks a child for each before it has run anything with threads itself. On
CUDA, the number that the allocator of torch reports.
"""

import contextlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from .contestants import build, named
from .work import calls_of

_WARM_LENGTH = 64


def cuda_peak(call: Callable[[], object]) -> int:
    """Bytes that torch's allocator held at the most during a call, beyond those before it."""
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    call()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


def can_measure() -> bool:
    """Whether this system tells a process' resident set and can fork."""
    return Path("/proc/self/statm").exists() and hasattr(os, "fork")


def cpu_peaks(jobs: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Measure jobs in turn.

    Parameters
    ----------
    jobs : sequence of dict
        With `contestant`, `shape`, `work`, `dtype`, `threads` and `seed`.

    Yields
    ------
    dict
        With `extra`, bytes beyond input and weights, and `total`, bytes of the whole process; None if the
        job failed.
    """
    if not jobs:
        return
    root = Path(__file__).parents[2]
    paths = os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "benchmarks.speed.memory"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": paths},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("".join(json.dumps(job) + "\n" for job in jobs))
        process.stdin.close()
        for _ in jobs:
            line = process.stdout.readline()
            yield json.loads(line) if line else {"extra": None, "total": None}


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _peak_resident() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _measure(job: dict[str, Any]) -> dict[str, Any]:
    torch.set_num_threads(job["threads"])
    torch.manual_seed(job["seed"])
    contestant, dtype = named(job["contestant"]), getattr(torch, job["dtype"])
    _, length, m, n = job["shape"]
    for shape in ((1, min(length, _WARM_LENGTH), m, n), tuple(job["shape"])):
        x = torch.randn(*shape[:3], dtype=dtype)
        call = calls_of(build(contestant, shape, dtype, "cpu"), x, n, job["work"])
        with contextlib.suppress(OSError):  # where the peak cannot be reset, it is that of a small process
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        before = _resident()
        with torch.set_grad_enabled(job["work"] == "forward+backward"):
            call()
    peak = _peak_resident()
    return {"extra": max(0, peak - before), "total": peak}


def _main() -> None:
    jobs = [json.loads(line) for line in sys.stdin]
    if any(named(job["contestant"]).group == "tinybig" for job in jobs):
        from .tinybig_peer import import_tinybig

        import_tinybig()
    for job in jobs:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(writer, json.dumps(_measure(job)).encode())
            finally:
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as answer:
            text = answer.read()
        os.waitpid(child, 0)
        sys.stdout.write((text or json.dumps({"extra": None, "total": None})) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _main()
