"""Runs every model on two processes, by DDP and FSDP in several ways, and compares it with the plain model.

Prints {way: {model: difference}}. An empty text means that predictions and gradients equal the plain model's. The way
"joined batch norm" has cases in place of models.
"""

import json
import os
import sys
import tempfile
import traceback
import warnings
from functools import partial

import joined_batch_norm
import torch
import wrapped_models
from torch import distributed, multiprocessing
from torch.distributed.fsdp import (
    FullyShardedDataParallel,
    MixedPrecision,
    MixedPrecisionPolicy,
    fully_shard,
)
from torch.distributed.fsdp.wrap import ModuleWrapPolicy
from torch.nn.parallel import DistributedDataParallel

from chainhead_plugin import ChainInterdependenceHead

PROCESSES = 2


def fsdp(model, **options):
    return FullyShardedDataParallel(model, device_id=torch.device("cpu"), **options)


def sharded(model, **options):
    for head in [module for module in model.modules() if isinstance(module, ChainInterdependenceHead)]:
        fully_shard(head, **options)
    return fully_shard(model, **options)


HALF = MixedPrecision(param_dtype=torch.bfloat16, buffer_dtype=torch.float32)
BY_HEAD = ModuleWrapPolicy({ChainInterdependenceHead})
# way: (wrapper, largest difference)
WAYS = {
    "ddp": (partial(DistributedDataParallel, find_unused_parameters=True), 1e-5),
    "fsdp": (partial(fsdp, use_orig_params=True), 1e-5),
    "fsdp flat": (fsdp, 1e-5),  # torch: all of its weights are trained, or none
    "fsdp by layer": (partial(fsdp, auto_wrap_policy=BY_HEAD, use_orig_params=True), 1e-5),
    "fsdp bfloat16": (partial(fsdp, auto_wrap_policy=BY_HEAD, mixed_precision=HALF), 0.1),
    "fsdp2": (sharded, 1e-5),
    "fsdp2 bfloat16": (partial(sharded, mp_policy=MixedPrecisionPolicy(param_dtype=torch.bfloat16)), 0.1),
}


def difference(kind, way, rank):
    """Return what differs on this process; gradients by the sum of their norms, which shards keep."""
    wrap, most = WAYS[way]
    model, inputs = wrapped_models.build(kind)
    expected, gradients = wrapped_models.results_of_halves(model, inputs)
    model.zero_grad()
    wrapped = wrap(model)
    out = wrapped(**wrapped_models.halves(inputs)[rank])
    out["loss"].backward()
    found = wrapped_models.predictions(out).float()
    far = (found - expected.split(2)[rank]).abs().max().item()
    scale = max(1.0, expected.abs().max().item())
    if not far <= most * scale:
        return f"predictions differ by {far}"
    # Every process has the mean of both; of shards each has a part.
    squares = sum(
        _local(weight.grad).double().square().sum()
        for weight in wrapped.parameters()
        if weight.grad is not None
    )
    squares = torch.as_tensor(squares, dtype=torch.float64)
    if way != "ddp":
        distributed.all_reduce(squares)
    wanted = sum(gradient.double().square().sum() for gradient in gradients.values()) / PROCESSES**2
    if not abs(squares.sqrt() - wanted.sqrt()) <= 10 * most * max(wanted.sqrt(), 1e-3):
        return f"gradients have the norm {squares.sqrt():g} instead of {wanted.sqrt():g}"
    return ""


def _local(tensor):
    return tensor.to_local() if hasattr(tensor, "to_local") else tensor


def told_by_all(check, rank):
    """Return what a check tells on the first process that it tells anything on."""
    try:
        told = check(rank)
    except Exception:
        told = traceback.format_exc()[-800:]
    everyone = [None] * PROCESSES
    distributed.all_gather_object(everyone, told)
    return next(filter(None, everyone), "")


def work(rank, address, results):
    warnings.simplefilter("ignore")  # torch warns of FSDP on CPUs
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=PROCESSES)
    checks = {way: {kind: partial(difference, kind, way) for kind in wrapped_models.MODELS} for way in WAYS}
    checks["joined batch norm"] = {
        case: partial(joined_batch_norm.difference, case) for case in joined_batch_norm.CASES
    }
    found = {
        way: {kind: told_by_all(check, rank) for kind, check in of.items()} for way, of in checks.items()
    }
    if rank == 0:
        results.put(found)
    distributed.destroy_process_group()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        context = multiprocessing.get_context("fork")
        queue = context.SimpleQueue()
        address = f"file://{os.path.join(folder, 'meeting')}"
        others = [context.Process(target=work, args=(rank, address, queue)) for rank in range(PROCESSES)]
        for process in others:
            process.start()
        answer = queue.get()
        for process in others:
            process.join()
    sys.stdout.write(json.dumps(answer) + "\n")
