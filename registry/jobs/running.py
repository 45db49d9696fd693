"""Runs a job to its end: what is there is kept, what is missing is computed, and the whole is checked."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from typing import Any, Literal, NamedTuple

from .engines.cluster import connected, require, require_ray
from .engines.computing import Part
from .engines.plain_loop import parts_in_a_loop
from .manifest import OutputError, begin, belongs, finish, summary_of
from .parts import Store, part_name
from .predictions import Predictions
from .work import JobOptions, Work

Engine = Literal["ray", "plain"]
_PACKAGES = ("torch", "transformers", "numpy")
_PURPOSE = "predicting on a cluster"
# Yields parts as they are computed, from the work, its options, the output and the names of the files that are there.
_PartsOf = Callable[[Work, JobOptions, Store, set[str]], Generator[Part, None, None]]


class Progress(NamedTuple):
    """How far a job is.

    Attributes
    ----------
    parts, rows, errors : int
        That are in the output, of this run and of those before.
    computed : int
        How many of the rows this run answered.
    """

    parts: int = 0
    rows: int = 0
    errors: int = 0
    computed: int = 0

    def after(self, part: Part) -> Progress:
        """Return the progress with one part more."""
        rows = part.rows or 0
        return Progress(
            self.parts + 1,
            self.rows + rows,
            self.errors + part.errors,
            self.computed + (rows if part.computed else 0),
        )


@dataclass(frozen=True)
class Where:
    """Where a job is computed, on which its output does not depend.

    Attributes
    ----------
    engine : {"ray", "plain"}
    address : str or None
        Of a cluster; None for one on this machine.
    workers : int or None
        How many models at a time; None for as many as there are processors, or GPUs if each takes one.
    cpus, gpus : float
        What each takes.
    """

    engine: Engine = "ray"
    address: str | None = None
    workers: int | None = None
    cpus: float = 1
    gpus: float = 0

    def __post_init__(self) -> None:
        if self.engine not in ("ray", "plain"):
            raise ValueError(f"engine is {self.engine!r}, expected 'ray' or 'plain'")
        workers = self.workers
        if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
            raise ValueError(f"workers is {workers!r}, expected a whole number of at least 1")
        for name in ("cpus", "gpus"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
                raise ValueError(f"{name} is {value!r}, expected a number of at least 0")


def run_job(
    work: Work,
    options: JobOptions,
    output: str,
    where: Where,
    *,
    overwrite: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Predictions:
    """Compute the parts of a job that are missing in its output.

    Parameters
    ----------
    work : Work
    options : JobOptions
    output : str
        A folder, or an address that fsspec knows. Other machines have to reach it under the same name.
    where : Where
    overwrite : bool
        Whether the output of another job is replaced.
    on_progress : callable
        Called after every part.

    Raises
    ------
    OutputError
        If the output belongs to something else.
    RowError
        If a row has no result, and errors are raised.
    """
    if where.engine == "ray":
        require_ray(_PURPOSE)
        if output.startswith("memory:"):
            raise ValueError(f"{output} is memory of this process alone, which workers cannot write to")
    else:
        require("writing predictions", "pyarrow")
    store = Store(output)
    pinned = _pinned(work, options)
    begun = belongs(store, pinned, overwrite=overwrite)
    found = summary_of(store) if begun else None
    if found is not None and {part["name"] for part in found["parts"]} <= store.names():
        return Predictions(output, found["rows"], found["errors"], _names(found))

    progress = Progress()
    done: dict[str, Part] = {}
    ends: dict[int, int] = {}
    with _engine(where) as parts_of:
        # The output of another job is removed only once there is something to compute with.
        if not begun:
            begin(store, pinned)

        with closing(parts_of(work, options, store, store.names())) as parts:
            for part in parts:
                if part.rows is None:
                    ends[part.source] = part.number
                    continue
                name = part_name(part.source, part.number, options.file_format)
                if name not in done:
                    done[name] = part
                    progress = progress.after(part)
                    on_progress(progress)

    _check_whole(work, options, done, ends)
    store.tidy()
    summary = {
        "rows": progress.rows,
        "errors": progress.errors,
        "parts": [
            {"name": name, "rows": done[name].rows, "errors": done[name].errors} for name in sorted(done)
        ],
    }
    finish(store, summary)
    return Predictions(output, progress.rows, progress.errors, _names(summary))


def _names(summary: dict[str, Any]) -> tuple[str, ...]:
    return tuple(part["name"] for part in summary["parts"])


def _pinned(work: Work, options: JobOptions) -> dict[str, Any]:
    versions = {name: metadata.version(name) for name in _PACKAGES}
    versions["python"] = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {**work.pinned(), "options": options.pinned(), "versions": versions}


@contextmanager
def _engine(where: Where) -> Iterator[_PartsOf]:
    """Within a `with` block, be ready to compute parts."""
    if where.engine == "plain":
        yield parts_in_a_loop
        return
    processors = None if where.workers is None else math.ceil(where.workers * max(1.0, where.cpus))
    with connected(_PURPOSE, where.address, processors) as ray:
        from .engines.on_ray import Pool, parts_on_ray

        size = where.workers or _most_workers(ray.cluster_resources(), where)
        yield partial(parts_on_ray, pool=Pool(size=size, cpus=where.cpus, gpus=where.gpus))


def _most_workers(resources: dict[str, float], where: Where) -> int:
    fits = [
        resources.get(name, 0) // taken for name, taken in (("CPU", where.cpus), ("GPU", where.gpus)) if taken
    ]
    if not fits or min(fits) < 1:
        raise ValueError(
            f"no worker fits the cluster: each takes {where.cpus:g} CPUs and {where.gpus:g} GPUs, and the cluster has "
            f"{resources.get('CPU', 0):g} and {resources.get('GPU', 0):g}"
        )
    return int(min(fits))


def _check_whole(work: Work, options: JobOptions, done: dict[str, Part], ends: dict[int, int]) -> None:
    """Check that every chunk of every source has its part, whatever happened to workers."""
    wanted = {
        part_name(source, number, options.file_format)
        for source in range(len(work.sources()))
        for number in range(ends.get(source, -1))
    }
    if ends.keys() != set(range(len(work.sources()))) or wanted != done.keys():
        raise OutputError("parts are missing: start the same job again, which computes them")
