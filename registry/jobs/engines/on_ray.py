"""A job on Ray Data: tasks read sources as chunks, and a pool of actors, each with the model, computes parts.

Chunks wait for actors in Ray's object store, and reading waits while it is full, so that memory is bounded. Rows never
come to the process that started the job: it collects the places of parts alone.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

from ..parts import Store
from ..work import JobOptions, Work
from .chunks import chunks_of
from .computing import Part, PartComputer

_COLUMN = "chunk"


@dataclass(frozen=True, kw_only=True)
class Pool:
    """The actors of a job.

    Attributes
    ----------
    size : int
        How many actors there are at most, each with a model of its own.
    cpus, gpus : float
        What an actor takes of its machine.
    """

    size: int
    cpus: float = 1
    gpus: float = 0


def parts_on_ray(
    work: Work, options: JobOptions, store: Store, names: set[str], pool: Pool
) -> Generator[Part, None, None]:
    """Yield the parts of a job as they are computed, and the ends of its sources.

    Ray has to be connected. A worker or a machine that is lost loses nothing: its chunks are read and computed again.

    Raises
    ------
    Exception
        What a worker raised, as a plain loop would raise it.
    """
    import ray
    from ray.data import ActorPoolStrategy, DataContext, TaskPoolStrategy, from_items
    from ray.exceptions import RayTaskError

    context = DataContext.get_current()
    log = logging.getLogger("ray.data")
    level, bars, size = log.level, context.enable_progress_bars, context.target_max_block_size
    log.setLevel(logging.ERROR)
    context.enable_progress_bars = False
    # Ray would gather chunks into blocks of 128 MiB, which go to one actor each.
    context.target_max_block_size = 1
    # Everything that travels is put into the object store once.
    shared = ray.put((work, options, store, names))
    count = len(work.sources())
    try:
        sources = from_items([{"source": number} for number in range(count)], override_num_blocks=count)
        # Reading shares the processors with the actors: they wait for each other, not for the same cores.
        chunks = sources.map_batches(
            _read,
            fn_kwargs={"shared": [shared]},
            batch_size=1,
            num_cpus=0,
            compute=TaskPoolStrategy(size=max(1, min(count, pool.size))),
        )
        parts = chunks.map_batches(
            _Actor,
            fn_constructor_kwargs={"shared": [shared]},
            batch_size=1,
            num_cpus=pool.cpus,
            num_gpus=pool.gpus,
            compute=ActorPoolStrategy(min_size=1, max_size=pool.size),
        )
        for row in parts.iter_rows():
            yield row["part"].content
    except RayTaskError as error:
        raise _raised_by_worker(error) from error
    finally:
        context.enable_progress_bars, context.target_max_block_size = bars, size
        log.setLevel(level)


@dataclass(frozen=True)
class _Sealed:
    """A value that Ray Data passes on as it is, and does not turn into columns."""

    content: Any


def _read(batch: dict[str, Any], *, shared: list[Any]) -> Iterator[dict[str, Any]]:
    """Yield the chunks of a source, each as a block of its own."""
    work, options = _received(shared)[:2]
    for source in batch["source"]:
        for chunk in chunks_of(work, int(source), options):
            yield {_COLUMN: [_Sealed(chunk)]}


class _Actor:
    def __init__(self, *, shared: list[Any]) -> None:
        self._compute = PartComputer(*_received(shared))

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        return {"part": [_Sealed(self._compute(sealed.content)) for sealed in batch[_COLUMN]]}


def _received(shared: list[Any]) -> tuple[Work, JobOptions, Store, set[str]]:
    import ray

    found: tuple[Work, JobOptions, Store, set[str]] = ray.get(shared[0])
    return found


def _raised_by_worker(error: Any) -> BaseException:
    """Return the error behind those that Ray wraps around it."""
    cause: BaseException = error
    while (inner := getattr(cause, "cause", None) or cause.__cause__) is not None:
        cause = inner
    return cause
