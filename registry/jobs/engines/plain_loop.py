"""The plain form of a job: one part after the other, in this process. Parts are the same as on Ray."""

from __future__ import annotations

from collections.abc import Generator

from ..parts import Store
from ..work import JobOptions, Work
from .chunks import chunks_of
from .computing import Part, PartComputer


def parts_in_a_loop(
    work: Work, options: JobOptions, store: Store, names: set[str]
) -> Generator[Part, None, None]:
    """Yield the parts of a job as they are computed, and the ends of its sources."""
    compute = PartComputer(work, options, store, names)
    for source in range(len(work.sources())):
        for chunk in chunks_of(work, source, options):
            yield compute(chunk)
