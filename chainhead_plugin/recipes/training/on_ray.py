"""The runs of a recipe, spread over workers of Ray, which keep them in the folder where one process would.

The results are then gathered as ever, from runs that are all there. A run has a seed of its own and the threads that it
would have in one process, so that its weights are the same, bit for bit.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from registry.jobs.engines.cluster import connected

from ..candidates.peers import CHAIN
from ..errors import RecipeError
from ..recipe import Recipe
from .measuring import IN_ONE_GO
from .runs import Runs

_PURPOSE = "--engine ray"


class _Piece(NamedTuple):
    """A part of the work: a run to validate a rate, a run for the test, or all of a peer without the Trainer."""

    kind: str
    name: str
    rate: float | None = None
    number: int = 0


def spread_runs(
    runs: Runs,
    peers: Sequence[str],
    *,
    address: str | None = None,
    workers: int | None = None,
    on_pieces: Callable[[int, int], None] = lambda *_: None,
) -> None:
    """Do all runs of a recipe that are not kept yet.

    Parameters
    ----------
    runs : Runs
        Their folder is one that all machines of the cluster reach under the same name.
    peers : sequence of str
    address : str, optional
        Of a cluster; by default one is started on this machine.
    workers : int, optional
        By default as many as there are processors for, if each has the threads of the recipe.
    on_pieces : callable
        Called with the numbers of finished and of planned pieces; each is a run, or a peer without the Trainer.

    Raises
    ------
    Exception
        What a run raised in its worker, as it would have in one process; of several, the first in their order.
    """
    import torch

    threads = runs.recipe.threads or torch.get_num_threads()
    trained = [CHAIN, *(name for name in peers if name not in IN_ONE_GO)]
    with connected(_PURPOSE, address, None if workers is None else workers * threads) as ray:
        count = workers or max(1, int(ray.cluster_resources().get("CPU", 1) // threads))
        first = [
            _Piece("validate", name, rate, number)
            for name in trained
            for rate, number in itertools.product(runs.rates(name), range(runs.validations))
        ]
        in_one_go = [_Piece("peer", name) for name in peers if name in IN_ONE_GO]
        total = len(first) + len(in_one_go) + len(trained) * len(runs.recipe.seeds)
        pool = _pool(ray, runs, threads, count)
        try:
            done = _do(ray, pool, first, lambda done: on_pieces(done, total))
            # The rates are chosen here, from runs that are all kept.
            last = [
                _Piece("final", name, runs.choose(name)[0], seed)
                for name in trained
                for seed in runs.recipe.seeds
            ]
            _do(ray, pool, [*last, *in_one_go], lambda new: on_pieces(done + new, total))
        finally:
            for worker in pool:
                ray.kill(worker)


def _pool(ray: Any, runs: Runs, threads: int, count: int) -> list[Any]:
    remote = ray.remote(num_cpus=threads, max_restarts=-1, max_task_retries=-1)(_Worker)
    return [remote.remote(runs.recipe, runs.folder.absolute(), threads) for _ in range(count)]


def _do(ray: Any, pool: list[Any], pieces: list[_Piece], on_done: Callable[[int], None]) -> int:
    """Give each worker a piece whenever it has none, and wait for all; return how many there were."""
    waiting = dict(enumerate(pieces))
    running: dict[Any, tuple[int, Any]] = {}
    idle, failed = list(pool), dict[int, BaseException]()
    finished = 0
    while running or (waiting and not failed):
        while idle and waiting and not failed:
            place = min(waiting)
            worker = idle.pop()
            running[worker.run.remote(waiting.pop(place))] = place, worker
        [ready], _ = ray.wait(list(running), num_returns=1)
        place, worker = running.pop(ready)
        idle.append(worker)
        try:
            ray.get(ready)
        except ray.exceptions.RayTaskError as error:
            failed[place] = error.cause or error
        except ray.exceptions.RayActorError as error:
            failed[place] = RecipeError(f"a worker cannot begin: {error}")
        finished += 1
        on_done(finished)
    if failed:
        raise failed[min(failed)]
    return finished


class _Worker:
    """Does runs in a process of its own."""

    def __init__(self, recipe: Recipe, folder: Path, threads: int) -> None:
        import torch

        from ..data.load import load_data

        torch.set_num_threads(threads)
        self._runs = Runs(recipe, load_data(recipe), folder)

    def run(self, piece: _Piece) -> None:
        """Do a piece of the work, whose results are then kept."""
        from ...storage.quiet import quiet_transformers
        from .measuring import run_in_one_go

        with quiet_transformers():
            if piece.kind == "peer":
                run_in_one_go(piece.name, self._runs)
            elif piece.kind == "validate":
                self._runs.validate(piece.name, piece.rate, piece.number)
            else:
                self._runs.test(self._runs.final(piece.name, piece.rate, piece.number))
