"""Runs heads on whole chains and on chains that four processes share, and compares them.

`compare` prints {case: what differs}; an empty text means that outputs and gradients are those of one process.
"""

import copy
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import product
from typing import Any

import torch
from chains import HEADS
from torch import Tensor, distributed, multiprocessing, nn

from chainhead_plugin import ChainInterdependenceHead
from chainhead_plugin.parallel import gather_nodes, parallelize_sequence, split_nodes, sum_gradients

PROCESSES = 4
WIDTH = 3
EVERY = 1
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
# Of the largest value of one process.
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


def cases() -> Iterator[tuple[str, dict[str, Any], tuple[Any, ...]]]:
    """Yield a name, the options of a head, and (length, split, padding, batch, dtype) of its chains."""
    number = 0
    for place, ((kind, options), length, split) in enumerate(product(HEADS.items(), LENGTHS, SPLITS)):
        if kind in REFUSED or (EVERY > 1 and place % EVERY):
            continue
        padding, batch = PADDING[number % len(PADDING)], BATCHES[number // 2 % len(BATCHES)]
        dtype = list(TOLERANCE)[number // 3 % 2]
        number += 1
        yield f"{kind}, {length} {split}, {padding}, {batch} {dtype}", options, (length, split, padding, batch, dtype)


def results(head: nn.Module, x: Tensor, mask: Tensor | None, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Return a head's outputs and the gradient of x, from a loss in which every output has a weight of its own."""
    x = x.detach().requires_grad_()
    y = head(x, mask)
    (y * weights).sum().backward()
    return y.detach(), x.grad


def difference(options: dict[str, Any], rows: tuple[Any, ...], seed: int) -> str:
    """Return what differs on this process."""
    length, split, padding, batch, dtype = rows
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    settings = {"with_softmax": False, "with_relu": False, "enable_bias": True, **options}
    whole = ChainInterdependenceHead(WIDTH, 2 + seed % 3, length, dtype=dtype, **settings)
    shared = parallelize_sequence(copy.deepcopy(whole))
    x = torch.randn(batch, length, WIDTH, dtype=dtype, generator=generator)
    weights = torch.randn(batch, length, whole.n, dtype=dtype, generator=generator)
    mask = mask_of(padding, batch, length)

    lengths = split_lengths(length, split)

    def own(tensor: Tensor) -> Tensor:
        return split_nodes(tensor, lengths=lengths)

    expected, expected_grad = results(whole, x, mask, weights)
    found, grad = results(shared, own(x), None if mask is None else own(mask), own(weights))
    sum_gradients(shared)

    pairs = {"outputs": (found, own(expected), expected), "gradient of x": (grad, own(expected_grad), expected_grad)}
    for name, parameter in whole.named_parameters():
        gradient = dict(shared.named_parameters())[name].grad
        pairs[f"gradient of {name}"] = (gradient, parameter.grad, parameter.grad)
    for name, buffer in whole.named_buffers():
        pairs[name] = (dict(shared.named_buffers())[name], buffer, buffer)
    return told_of(pairs, TOLERANCE[dtype])


def told_of(pairs: dict[str, tuple[Tensor, Tensor, Tensor]], most: float) -> str:
    """Return which of (found, expected, of which values it is a part) differ by more than `most`, relatively."""
    told = []
    for name, (found, expected, scale) in pairs.items():
        if found.shape != expected.shape or found.dtype != expected.dtype:
            told.append(f"{name} {tuple(found.shape)} instead of {tuple(expected.shape)}")
        elif found.numel():
            error = ((found - expected).abs().max() / scale.abs().max().clamp(min=1e-30)).item()
            if not error <= most:
                told.append(f"{name} differs by {error:.2g}")
    return ", ".join(told)


def run(name: str, check: Callable[..., str], *arguments: Any) -> tuple[str, str]:
    """Return a case's name and what a check tells of it on the first process that it tells something of."""
    try:
        told = check(*arguments)
    except Exception:
        told = traceback.format_exc()[-1200:]
    return name, told


def compare(rank: int) -> dict[str, str]:
    """Compare all kinds of heads."""
    return dict(
        run(name, difference, options, rows, seed) for seed, (name, options, rows) in enumerate(cases())
    )


def in_processes(work: Callable[[int], dict[str, str]]) -> dict[str, str]:
    """Do work in as many processes as share chains; return what the first has told that tells something."""
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    address = f"file://{os.path.abspath('meeting')}"
    everyone = [context.Process(target=_work, args=(work, rank, address, queue)) for rank in range(PROCESSES)]
    for process in everyone:
        process.start()
    told: dict[str, str] = {}
    for _ in everyone:
        rank, found = queue.get()
        told |= {name: f"process {rank}: {text}" for name, text in found.items() if text}
        told = dict.fromkeys(found, "") | told
    for process in everyone:
        process.join()
    return told


def _work(work: Callable[[int], dict[str, str]], rank: int, address: str, queue: Any) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=address, rank=rank, world_size=PROCESSES, timeout=timedelta(seconds=60)
    )
    try:
        found = work(rank)
    except Exception:
        found = {"all": traceback.format_exc()}
    queue.put((rank, found))
    distributed.destroy_process_group()


def main(name: str) -> None:
    """Print what a function of this module tells."""
    sys.stdout.write(json.dumps(in_processes(globals()[name])) + "\n")
