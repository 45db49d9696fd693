"""BatchNorm over two processes beside BatchNorm of the joined batch on one, for whoever has a process group of two."""

import copy

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from chainhead_plugin import ChainHeadConfig, ChainHeadForSequenceClassification

EVEN = [[1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1]]
UNEVEN = [[1, 1, 1, 1, 1], [0, 0, 1, 1, 1], [1, 0, 0, 0, 0], [1, 1, 1, 0, 0]]
ON_ONE = [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
# How many of the four chains the first process has.
CASES = {
    "no padding": (EVEN, 2),
    "padding": (UNEVEN, 2),
    "padding on one process": ([*EVEN[:2], *UNEVEN[2:]], 2),
    "no real nodes on one process": (ON_ONE, 2),
    "no chains on one process": (UNEVEN, 4),
}


def build():
    torch.manual_seed(0)
    config = ChainHeadConfig(
        m=3, hidden_sizes=[6, 5], num_labels=3, with_batch_norm=True, normalisation="pre-batch"
    )
    return ChainHeadForSequenceClassification(config).double().train()


def steps(model, inputs, labels, weight):
    """Three steps; the loss is a sum over chains, so that it does not matter how these are dealt out."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        logits = model(*inputs).logits
        loss = nn.functional.cross_entropy(logits, labels, reduction="sum") * weight
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return logits.detach()


def difference(case, rank):
    """Return in words what differs on this process: outputs, gradients, running statistics or weights."""
    mask, first = CASES[case]
    torch.manual_seed(1)
    inputs = (torch.randn(4, 5, 3, dtype=torch.float64), torch.tensor(mask))
    labels = torch.tensor([0, 2, 1, 2])
    expected = build()
    model = nn.SyncBatchNorm.convert_sync_batchnorm(copy.deepcopy(expected))
    logits = steps(expected, inputs, labels, 1.0)
    part = slice(0, first) if rank == 0 else slice(first, 4)
    own = tuple(tensor[part] for tensor in inputs)
    # DDP takes the mean over processes.
    found = steps(DistributedDataParallel(model), own, labels[part], 2.0)
    pairs = {"logits": (found, logits[part])}
    pairs |= {name: (value, expected.state_dict()[name]) for name, value in model.state_dict().items()}
    pairs |= {
        f"gradient of {name}": (value.grad, expected.get_parameter(name).grad)
        for name, value in model.named_parameters()
    }
    told = []
    for name, (value, wanted) in pairs.items():
        far = (value.double() - wanted.double()).abs().max().item() if value.numel() else 0.0
        if not far < 1e-12:
            told.append(f"{name} by {far}")
    return ", ".join(told)
