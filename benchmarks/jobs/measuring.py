"""Times a pipeline alone, a job in a loop and jobs on Ray, in turns, on the same texts."""

from __future__ import annotations

import logging
import os
import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

import registry

MODEL, TASK = "chainhead-sentiment", "text-classification"
ALONE, SORTED, LOOP = "pipeline alone", "pipeline alone, sorted by length", "job in a loop"
# Some are words of the model's vocabulary, some are not.
WORDS = ["good", "bad", "cheap", "dear", "slow", "not", "the", "a", "film", "plot", "dull", "bright", "again"]


@dataclass(frozen=True)
class Plan:
    """What is measured.

    Attributes
    ----------
    rows : int
        Number of texts, of 5 to 100 words.
    rounds, seed : int
    workers : tuple of int
        Numbers of workers of Ray, one thread each.
    part_rows, batch_size : int
    """

    rows: int = 16_000
    rounds: int = 3
    seed: int = 0
    workers: tuple[int, ...] = (1, 2)
    part_rows: int = 250
    batch_size: int = 32

    @property
    def forms(self) -> list[str]:
        """The names of all forms, in the order of the table."""
        return [ALONE, SORTED, LOOP, *map(on_ray, self.workers)]


class Measured(NamedTuple):
    """The speed of a form in a round.

    Attributes
    ----------
    rate : float
        Rows a second on the clock; of a job in the second half of its parts, when all workers have started.
    cpu : float or None
        CPU milliseconds a row in the same time, of the process or of the only worker; None for several workers.
    whole : float
        Seconds for everything, with the start of workers and the loading of the model.
    """

    form: str
    rate: float
    cpu: float | None
    whole: float


def on_ray(workers: int) -> str:
    """Return the name of the form with a number of workers."""
    return f"job on Ray, {workers} worker{'s' if workers > 1 else ''}"


def measure(plan: Plan) -> Iterator[Measured]:
    """Yield every form in every round, in an order by chance."""
    import ray
    import torch
    from transformers import pipeline
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    torch.set_num_threads(1)
    chance = random.Random(plan.seed)  # noqa: S311 - texts, and turns
    texts = [" ".join(chance.choices(WORDS, k=chance.randint(5, 100))) for _ in range(plan.rows)]
    registry.load_plugins()
    pipe = pipeline(TASK, model=MODEL, device="cpu")
    ray.init(
        address="local",
        num_cpus=max(plan.workers),
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    try:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "texts.parquet")
            pq.write_table(pa.table({"text": texts}), file)
            for turn in range(plan.rounds):
                for form in chance.sample(plan.forms, len(plan.forms)):
                    output = Path(folder, f"{turn}-{plan.forms.index(form)}")
                    if form in (ALONE, SORTED):
                        yield _of_pipeline(plan, form, pipe, texts)
                    else:
                        yield _of_job(plan, form, file, output)
    finally:
        ray.shutdown()


def _of_pipeline(plan: Plan, form: str, pipe: Any, texts: list[str]) -> Measured:
    """Time the pipeline's own work: calls with batches, as they come or as a job makes them."""
    batches = []
    for first in range(0, len(texts), plan.part_rows):
        part = texts[first : first + plan.part_rows]
        if form == SORTED:
            part = sorted(part, key=len)
        batches += [part[at : at + plan.batch_size] for at in range(0, len(part), plan.batch_size)]
    start, cpu = time.perf_counter(), time.process_time()
    for batch in batches:
        pipe(batch, batch_size=len(batch))
    seconds, spent = time.perf_counter() - start, time.process_time() - cpu
    return Measured(form, len(texts) / seconds, 1000 * spent / len(texts), seconds)


def _of_job(plan: Plan, form: str, file: Path, output: Path) -> Measured:
    in_a_loop = form == LOOP
    count = 1 if in_a_loop else next(number for number in plan.workers if on_ray(number) == form)
    cpu_of = _own_cpu if in_a_loop else _cpu_of_workers
    seen: list[tuple[int, float, dict[int, float]]] = []
    start = time.perf_counter()
    registry.predict(
        file,
        MODEL,
        output=output,
        engine="plain" if in_a_loop else "ray",
        workers=count,
        part_rows=plan.part_rows,
        batch_size=plan.batch_size,
        on_progress=lambda progress: seen.append((progress.rows, time.perf_counter(), cpu_of())),
    )
    whole = time.perf_counter() - start
    first, last = seen[len(seen) // 2], seen[-1]
    rows = last[0] - first[0]
    spent = sum(seconds - first[2].get(process, 0.0) for process, seconds in last[2].items())
    return Measured(form, rows / (last[1] - first[1]), 1000 * spent / rows if count == 1 else None, whole)


def _own_cpu() -> dict[int, float]:
    return {os.getpid(): time.process_time()}


def _cpu_of_workers() -> dict[int, float]:
    """Return the CPU seconds of all actors on this machine's cluster, by process."""
    import psutil

    found = {}
    for process in psutil.process_iter(["cmdline"]):
        if "".join(process.info["cmdline"] or []).startswith("ray::MapWorker"):
            times: Any = process.cpu_times()
            found[process.pid] = float(times.user + times.system)
    return found
