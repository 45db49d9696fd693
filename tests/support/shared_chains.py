"""Heads on whole chains and on chains that four processes share, compared.

All checks return {case: what differs}; an empty text means that outputs and gradients are those of one process.
"""

import copy
import os
import traceback
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import product
from typing import Any

import torch
from chains import HEADS
from torch import Tensor, distributed, multiprocessing, nn

from chainhead_plugin import ChainInterdependenceHead
from chainhead_plugin.parallel import parallelize_sequence, split_nodes, sum_gradients

PROCESSES = 4
LENGTHS = (1, 2, 3, 63, 64, 65, 700)
# Shares of a chain's nodes; what is left over goes to the last process.
SPLITS = {
    "even": (0.25, 0.25, 0.25),
    "uneven": (0.1, 0.55, 0.03),
    "empty within": (0.4, 0.0, 0.0),
    "all in the second": (0.0, 1.0, 0.0),
    "single nodes": (0.0, 0.02, 0.02),
}
PADDING = ("none", "left", "right", "both")
BATCHES = (1, 3, 0)
OUTPUTS, GRADIENT = "outputs", "gradient of x"
# Of the largest value of one process in float64.
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-6}
# No exchange of a few sums makes it.
REFUSED = {"inverse-bi"}


def split_lengths(length: int, split: str) -> list[int]:
    """How many nodes every process has."""
    lengths = [int(share * length) for share in SPLITS[split]]
    if split == "single nodes" and length > 2:
        lengths = [0, 1, 1]
    return [*lengths, length - sum(lengths)]


def mask_of(padding: str, batch: int, length: int) -> Tensor | None:
    """Rows of different lengths, one of them without real nodes if there are several."""
    if padding == "none":
        return None
    mask = torch.ones(batch, length, dtype=torch.long)
    for row in range(batch):
        cut = (row + 1) * length // (batch + 2)
        if padding in ("left", "both"):
            mask[row, :cut] = 0
        if padding in ("right", "both"):
            mask[row, length - cut // 2 :] = 0
    if batch > 2:
        mask[1] = 0
    return mask


def cases(every: int) -> Iterator[tuple[str, dict[str, Any], tuple[Any, ...]]]:
    """Yield a name, the options of a head, and (length, split, padding, batch, dtype) of its chains.

    Of all kinds, lengths and splits every so many; the rest takes turns.
    """
    number = 0
    for place, ((kind, options), length, split) in enumerate(product(HEADS.items(), LENGTHS, SPLITS)):
        if kind in REFUSED or place % every:
            continue
        padding, batch = PADDING[number % len(PADDING)], BATCHES[number // 2 % len(BATCHES)]
        dtype = list(TOLERANCE)[number // 3 % 2]
        number += 1
        yield (
            f"{kind}, {length} {split}, {padding}, {batch} {dtype}",
            options,
            (length, split, padding, batch, dtype),
        )


def results(head: nn.Module, x: Tensor, mask: Tensor | None, weights: Tensor) -> dict[str, Tensor]:
    """Return a head's outputs, buffers, and gradients of a loss in which every output has a weight of its own."""
    x = x.detach().requires_grad_()
    y = head(x, mask)
    (y * weights).sum().backward()
    if head.sharding is not None:
        sum_gradients(head)
    gradients = {f"gradient of {name}": parameter.grad for name, parameter in head.named_parameters()}
    return {OUTPUTS: y.detach(), GRADIENT: x.grad, **gradients, **dict(head.named_buffers())}


def difference(options: dict[str, Any], rows: tuple[Any, ...], seed: int) -> str:
    """Return what differs on this process."""
    length, split, padding, batch, dtype = rows
    torch.manual_seed(seed)
    plain = {"m": 3, "n": 2 + seed % 3, "chain_length": length, "with_softmax": False, "with_relu": False}
    # Before BatchNorm a bias has no effect.
    plain["enable_bias"] = not options.get("with_batch_norm", False)
    whole = ChainInterdependenceHead(**plain | options, dtype=dtype)
    whole.train(whole.dropout is None)  # processes drop nodes of their own
    draw = torch.randn
    if dtype == torch.float32:
        # Sums of positive numbers, which do not cancel.
        draw = torch.rand
        for weight in whole.reconciliation.parameters():
            weight.data.abs_()
    exact, shared = copy.deepcopy(whole).double(), parallelize_sequence(copy.deepcopy(whole))
    x, mask = draw(batch, length, whole.m, dtype=dtype), mask_of(padding, batch, length)
    weights = draw(batch, length, whole.n, dtype=dtype)

    lengths = split_lengths(length, split)

    def own(tensor: Tensor) -> Tensor:
        return split_nodes(tensor, lengths=lengths)

    one = results(whole, x, mask, weights)
    expected = one if dtype == torch.float64 else results(exact, x.double(), mask, weights.double())
    found = results(shared, own(x), None if mask is None else own(mask), own(weights))
    told = []
    for name, wanted in expected.items():
        # Rounded as one process rounds, where that is by more.
        most = max(TOLERANCE[dtype], error_of(one[name], wanted, wanted))
        part = own(wanted) if name in (OUTPUTS, GRADIENT) else wanted
        told.append(told_of({name: (found[name], part, wanted)}, most))
    return ", ".join(filter(None, told))


def error_of(found: Tensor, expected: Tensor, scale: Tensor) -> float:
    """Return the largest difference, relative to the largest value of the tensor that both are a part of."""
    if not found.numel():
        return 0.0
    return ((found - expected).abs().max() / scale.abs().max().clamp(min=1e-30)).item()


def told_of(values: dict[str, tuple[Tensor, Tensor, Tensor]], most: float) -> str:
    """Return which of (found, expected, of which values both are a part) differ by more than `most`, relatively."""
    told = []
    for name, (found, expected, scale) in values.items():
        if found.shape != expected.shape:
            told.append(f"{name} {tuple(found.shape)} instead of {tuple(expected.shape)}")
        elif not error_of(found, expected, scale) <= most:
            told.append(f"{name} differs by {error_of(found, expected, scale):.2g}")
    return ", ".join(told)


def run(name: str, check: Callable[..., str], *arguments: Any) -> tuple[str, str]:
    """Return a case's name and what a check tells of it on the first process that it tells something of."""
    try:
        told = check(*arguments)
    except Exception:
        told = traceback.format_exc()[-1200:]
    return name, told


def compare(every: int) -> dict[str, str]:
    """Compare all kinds of heads."""
    return dict(
        run(name, difference, options, rows, seed) for seed, (name, options, rows) in enumerate(cases(every))
    )


def in_processes(
    work: Callable[..., dict[str, dict[str, str]]], *arguments: Any
) -> dict[str, dict[str, str]]:
    """Do work in as many processes as share chains; return by check and case what is told, and by which process."""
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    address = f"file://{os.path.abspath('meeting')}"
    processes = [
        context.Process(target=_work, args=(work, arguments, rank, address, queue))
        for rank in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    told: dict[str, dict[str, str]] = {}
    for _ in processes:
        rank, found = queue.get()
        for check, cases in found.items():
            for name, text in cases.items():
                known = told.setdefault(check, {}).setdefault(name, "")
                told[check][name] = known or (text and f"process {rank}: {text}")
    for process in processes:
        process.join()
    return told


def _work(
    work: Callable[..., dict[str, dict[str, str]]],
    arguments: tuple[Any, ...],
    rank: int,
    address: str,
    queue: Any,
) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=address, rank=rank, world_size=PROCESSES, timeout=timedelta(seconds=60)
    )
    try:
        found = work(*arguments)
    except Exception:
        found = {"all": {"": traceback.format_exc()}}
    queue.put((rank, found))
    distributed.destroy_process_group()
