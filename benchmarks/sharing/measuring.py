"""Times of heads on one long chain, by one process and by several that share it, in turns.

All processes are started once. In every turn as many of them as take part make their nodes, meet, and mix; the time is
that of the slowest.
"""

import os
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

import torch
from torch import Tensor, distributed, multiprocessing
from torch.distributed import ProcessGroup

from chainhead_plugin import ChainInterdependenceHead
from chainhead_plugin.parallel import parallelize_sequence, sum_gradients

HEADS: dict[str, dict[str, Any]] = {
    "single hop": {},
    "channel hops 0, 1, 1,000": {"channel_hops": [0, 1, 1000]},
    "running sum": {"with_inverse_approx": True},
    "decay 0.9": {"with_inverse_approx": True, "decay": 0.9},
    "decay 0.45, bi-directional": {"with_inverse_approx": True, "decay": 0.45, "bi_directional": True},
}
# Nodes at which results are compared, in each of as many parts as there are processes at the most.
_SAMPLES = 1000


@dataclass(frozen=True)
class Plan:
    """What is measured.

    Attributes
    ----------
    nodes : int
        Of the chain; the largest number of processes divides it.
    features : int
        Of every node, before and after the head.
    processes : tuple of int
        How many share the chain, each in turn; among them 1.
    rounds : int
    seed : int
        Of nodes, weights and the order of turns.
    """

    nodes: int
    features: int = 2
    processes: tuple[int, ...] = (1, 2, 4)
    rounds: int = 3
    seed: int = 0


def measure(plan: Plan) -> list[dict[str, Any]]:
    """Run the plan.

    Returns
    -------
    list of dict
        A row for each head, number of processes and round: `head`, `processes`, `round`; seconds on the clock,
        `forward` and `both` passes, with the gradients of all added up; `cpu` seconds of both; and `difference`: the
        largest from the outputs of one process in the same round, relative to the largest output.
    """
    context = multiprocessing.get_context("spawn")
    queue = context.SimpleQueue()
    most = max(plan.processes)
    with tempfile.TemporaryDirectory() as folder:
        address = f"file://{os.path.join(folder, 'meeting')}"
        workers = [
            context.Process(target=_work, args=(plan, rank, address, queue), daemon=True)
            for rank in range(most)
        ]
        for worker in workers:
            worker.start()
        rows: list[dict[str, Any]] = queue.get()
        for worker in workers:
            worker.join()
    return rows


def _work(plan: Plan, rank: int, address: str, queue: Any) -> None:
    torch.set_num_threads(1)
    most = max(plan.processes)
    distributed.init_process_group(
        "gloo", init_method=address, rank=rank, world_size=most, timeout=timedelta(minutes=30)
    )
    groups = {count: distributed.new_group(list(range(count))) for count in plan.processes}
    order = Random(plan.seed)  # noqa: S311  (no secret)
    rows = []
    for turn in range(plan.rounds):
        for name in order.sample(sorted(HEADS), len(HEADS)):
            found = {}
            for count in order.sample(plan.processes, len(plan.processes)):
                if rank < count:
                    found[count] = _turn(plan, name, rank, count, groups[count])
                distributed.barrier()
            if rank == 0:
                rows += _rows(name, turn, found)
    if rank == 0:
        queue.put(rows)
    distributed.destroy_process_group()


def _turn(
    plan: Plan, name: str, rank: int, count: int, group: ProcessGroup
) -> tuple[dict[str, float], Tensor]:
    """Return the seconds of the slowest process, and outputs at some nodes of all."""
    most = max(plan.processes)
    parts, length = most // count, plan.nodes // most
    # The same nodes, whoever has them.
    x = torch.empty(1, parts * length, plan.features)
    for part in range(parts):
        generator = torch.Generator().manual_seed(plan.seed * most + rank * parts + part)
        torch.randn(length, plan.features, generator=generator, out=x[0, part * length : (part + 1) * length])
    x.requires_grad_()
    torch.manual_seed(plan.seed)
    head = ChainInterdependenceHead(
        plan.features, plan.features, 1, with_relu=False, with_softmax=False, **HEADS[name]
    )
    if count > 1:
        parallelize_sequence(head, group)

    gradient = torch.ones(1, x.size(1), plan.features)
    distributed.barrier(group)
    start, before = time.perf_counter(), time.process_time()
    y = head(x)
    forward = time.perf_counter() - start
    y.backward(gradient)
    if count > 1:
        sum_gradients(head, group)
    both, cpu = time.perf_counter() - start, time.process_time() - before
    seconds = torch.tensor([forward, both, cpu], dtype=torch.float64)
    distributed.all_reduce(seconds, op=distributed.ReduceOp.MAX, group=group)

    place = torch.linspace(0, length - 1, min(length, _SAMPLES), dtype=torch.float64).long()
    samples = y.detach()[0].unflatten(0, (parts, length))[:, place]
    everyone = [torch.empty_like(samples) for _ in range(count)]
    distributed.all_gather(everyone, samples.contiguous(), group=group)
    return dict(zip(("forward", "both", "cpu"), seconds.tolist(), strict=True)), torch.cat(everyone)


def _rows(name: str, turn: int, found: dict[int, tuple[dict[str, float], Tensor]]) -> list[dict[str, Any]]:
    whole = found[1][1]
    scale = whole.abs().max()
    return [
        {"head": name, "processes": count, "round": turn, **seconds}
        | {"difference": ((samples - whole).abs().max() / scale).item()}
        for count, (seconds, samples) in sorted(found.items())
    ]
