"""What four processes check together of the chains that they share, beside the table of `shared_chains`."""

import copy
import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

import torch
from option_tables import OPTIONS
from shared_chains import compare, difference, mask_of, run, told_of
from torch import Tensor, distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.nn.parallel import DistributedDataParallel
from torch.utils.checkpoint import checkpoint

from chainhead_plugin import (
    ChainClassifier,
    ChainHeadConfig,
    ChainHeadForSequenceClassification,
    ChainHeadForTokenClassification,
    ChainInterdependenceHead,
)
from chainhead_plugin.parallel import (
    gather_nodes,
    group as group_module,
    parallelize_sequence,
    split_nodes,
    split_range,
    sum_gradients,
    sum_over_processes,
)

ROWS = (65, "uneven", "both", 3, torch.float64)
PLAIN = {"with_softmax": False, "with_relu": False}


def head_of(**options: object) -> ChainInterdependenceHead:
    torch.manual_seed(3)
    return ChainInterdependenceHead(4, 3, 12, dtype=torch.float64, **PLAIN, **options)


def options() -> dict[str, str]:
    """Every option of the head."""
    return dict(run(name, difference, chosen, ROWS, 5) for name, (chosen, _) in OPTIONS.items())


@contextmanager
def counted() -> Iterator[list[int]]:
    """Collect how many bytes this process sends, a number for each message or collective call."""
    sent: list[int] = []
    gather, exchange = group_module._all_gather, distributed.batch_isend_irecv

    def gathering(everyone: Tensor, own: Tensor, **keywords: object) -> object:
        sent.append(own.nbytes)
        return gather(everyone, own, **keywords)

    def exchanging(operations: list[distributed.P2POp]) -> object:
        sent.extend(one.tensor.nbytes for one in operations if one.op is distributed.isend)
        return exchange(operations)

    with (
        mock.patch.object(group_module, "_all_gather", gathering),
        mock.patch.object(distributed, "batch_isend_irecv", exchanging),
    ):
        yield sent


def communication() -> dict[str, str]:
    """Whether what a process sends is as much as its hops or sums need, at any length."""
    # Of nodes with 3 features of 8 bytes, to which the head maps before it mixes.
    node, hello, rank = 3 * 8, 64, distributed.get_rank()
    before, after = rank > 0, rank < distributed.get_world_size() - 1
    expected: dict[str, tuple[dict[str, object], list[int]]] = {
        "single hop": ({}, [node] * after + [node] * before),
        "five hops": ({"with_multihop": True, "h": 5}, [5 * node] * after + [5 * node] * before),
        "both directions": ({"bi_directional": True}, [node] * 2 * (before + after)),
        "running sum": ({"with_inverse_approx": True}, [node, node]),
        "decay": ({"with_inverse_approx": True, "decay": 0.5}, [node, node]),
        "decay, both directions": (
            {"with_inverse_approx": True, "decay": 0.4, "bi_directional": True},
            [2 * node, 2 * node],
        ),
    }

    def sent_by(chosen: dict[str, object], sizes: list[int], length: int, batch: int) -> str:
        head = parallelize_sequence(head_of(**chosen))
        x = torch.ones(batch, length, 4, dtype=torch.float64, requires_grad=True)
        with counted() as sent:
            head(x).sum().backward()
        wanted = [hello, *(batch * size for size in sizes)]
        return "" if sent == wanted else f"sent {sent} bytes instead of {wanted}"

    return dict(
        run(f"{name}, {length} nodes, batch {batch}", sent_by, chosen, sizes, length, batch)
        for name, (chosen, sizes) in expected.items()
        for length, batch in ((50, 1), (5000, 2))
    )


def _raises(kind: type[Exception], words: str, call: Callable[[], object]) -> str:
    try:
        call()
    except kind as error:
        return "" if words in str(error) else f"says {error}"
    return "raises nothing"


def _refused_by(process: int, kind: type[Exception], words: str) -> tuple[type[Exception], str]:
    """Return the error of this process where another, or this one, refuses its nodes."""
    if distributed.get_rank() == process:
        return kind, words
    return RuntimeError, f"process {process} of the group refused"


class _Pooled(nn.Module):
    def __init__(self, part: nn.Module) -> None:
        super().__init__()
        self.head = head_of()
        self.part = part


def _twice(shared: nn.Module, x: Tensor) -> None:
    x = x.clone().requires_grad_()
    (grad,) = torch.autograd.grad(shared(x).square().sum(), x, create_graph=True)
    grad.sum().backward()


def refused() -> dict[str, str]:
    """Errors that name what is wrong, on every process that they concern, before any waits for another."""
    rank = distributed.get_rank()
    shared = parallelize_sequence(head_of())
    x = torch.ones(2, 5, 4, dtype=torch.float64)
    holes = torch.ones(2, 5, dtype=torch.long)
    holes[0, 0] = rank != 1
    mesh = init_device_mesh("cpu", (2, 2), mesh_dim_names=("data", "nodes"))
    fields = {"m": 4, "hidden_sizes": [4]}
    layers = ChainHeadForTokenClassification
    models = {
        "inverse over the whole chain": (head_of(with_inverse_approx=True, bi_directional=True), "Set decay"),
        "nothing to share": (nn.Linear(3, 3), "no ChainInterdependenceHead"),
        "convolution": (_Pooled(nn.Conv1d(3, 3, 3)), "part (Conv1d) may bring nodes together"),
        "plain BatchNorm": (_Pooled(nn.BatchNorm1d(3)), "part (BatchNorm1d)"),
        "pooling": (ChainClassifier(4, 2, pooling="mean"), "(ChainClassifier) pools"),
        "pooling model": (
            ChainHeadForSequenceClassification(ChainHeadConfig(**fields)),
            "Classification) pools",
        ),
        "differences": (layers(ChainHeadConfig(**fields, with_differences=True)), "with_differences"),
        "dropout of chains": (layers(ChainHeadConfig(**fields, channel_dropout=0.5)), "channel_dropout"),
    }
    calls = {
        "flat rows": (ValueError, "flat layout holds whole chains", lambda: shared(x.flatten(1))),
        "padding between nodes": (ValueError, "held by other processes", lambda: shared(x, holes)),
        "a whole number": (
            *_refused_by(2, TypeError, "floating point"),
            lambda: shared(x.long() if rank == 2 else x),
        ),
        "an array": (
            *_refused_by(1, TypeError, "NumPy array"),
            lambda: shared(x.numpy() if rank == 1 else x),
        ),
        "batches": (ValueError, "differ in batch", lambda: shared(x[: 1 + (rank == 1)])),
        "dtypes": (ValueError, "float64, float32", lambda: shared(x.float() if rank == 1 else x)),
        "a mesh of two dimensions": (
            ValueError,
            'mesh["nodes"]',
            lambda: parallelize_sequence(head_of(), mesh),
        ),
        "no group": (TypeError, "got a str", lambda: parallelize_sequence(head_of(), "all")),
        "lengths": (ValueError, "add up to the 5 nodes", lambda: split_nodes(x, lengths=[1, 1, 1, 1])),
        "second derivatives": (RuntimeError, "once_differentiable", lambda: _twice(shared, x)),
        "pickling": (TypeError, "save state_dict()", lambda: torch.save(shared, io.BytesIO())),
        "hops too large": (
            ValueError,
            "use fewer hops",
            lambda: parallelize_sequence(head_of(with_multihop=True, h=900, self_scaling=9.0))(
                x.repeat(1, 200, 1)
            ),
        ),
        **{
            name: (ValueError, words, lambda model=model: parallelize_sequence(model))
            for name, (model, words) in models.items()
        },
    }
    return dict(run(name, _raises, *call) for name, call in calls.items())


def _gradients(model: nn.Module, x: Tensor) -> dict[str, Tensor]:
    model(x).square().sum().backward()
    return {name: parameter.grad for name, parameter in model.named_parameters()}


def _in_a_mesh() -> str:
    """Rows are shared along one dimension of a mesh, and batches along the other."""
    mesh = init_device_mesh("cpu", (2, 2), mesh_dim_names=("data", "nodes"))
    model = nn.Sequential(head_of(), nn.ReLU(), nn.Linear(3, 2, dtype=torch.float64))
    x = torch.randn(4, 33, 4, dtype=torch.float64)
    expected = _gradients(copy.deepcopy(model), x)
    shared = parallelize_sequence(model, mesh["nodes"])
    own = split_nodes(x.chunk(2)[mesh["data"].get_local_rank()], mesh["nodes"])
    _gradients(shared, own)
    sum_gradients(shared)
    found = {name: parameter.grad for name, parameter in shared.named_parameters()}
    return told_of({name: (found[name], expected[name], expected[name]) for name in found}, 1e-12)


def _in_ddp() -> str:
    """DistributedDataParallel takes the mean of gradients, which a loss times the number of processes makes a sum."""
    model = head_of(with_inverse_approx=True, decay=0.3)
    x = torch.randn(2, 41, 4, dtype=torch.float64)
    expected = _gradients(copy.deepcopy(model), x)
    shared = DistributedDataParallel(parallelize_sequence(model))
    loss = shared(split_nodes(x)).square().sum()
    (distributed.get_world_size() * loss).backward()
    found = {name: parameter.grad for name, parameter in model.named_parameters()}
    return told_of({name: (found[name], expected[name], expected[name]) for name in found}, 1e-12)


def _gathered() -> str:
    """Whole rows come back, and their gradient; a loss of them that all compute is divided by their number."""
    x = torch.randn(2, 7, 3, dtype=torch.float64, requires_grad=True)
    own = split_nodes(x, lengths=[3, 0, 1, 3])
    whole = gather_nodes(own)
    (whole.square().sum() / distributed.get_world_size()).backward()
    sides = torch.zeros_like(x)
    begin = sum([3, 0, 1, 3][: distributed.get_rank()])
    nodes = slice(begin, begin + own.size(1))
    sides[:, nodes] = 2 * x.detach()[:, nodes]
    even = split_nodes(x)
    again = x[:, split_range(7)]
    pairs = {"rows": (whole, x, x), "gradient": (x.grad, sides, sides), "range": (even, again, x)}
    return told_of({name: tuple(t.detach() for t in three) for name, three in pairs.items()}, 0.0)


def _pooled() -> str:
    """A mean over all nodes, whose loss all processes compute."""
    x = torch.randn(3, 29, 4, dtype=torch.float64)
    whole = head_of(with_inverse_approx=True)
    whole(x).mean(1).square().sum().backward()
    shared = parallelize_sequence(head_of(with_inverse_approx=True))
    mean = sum_over_processes(shared(split_nodes(x)).sum(1)) / x.size(1)
    (mean.square().sum() / distributed.get_world_size()).backward()
    sum_gradients(shared)
    gradient, wanted = (one.reconciliation.linear.weight.grad for one in (shared, whole))
    return told_of({"gradient": (gradient, wanted, wanted)}, 1e-12)


def _unused_parameters() -> str:
    """Gradients that some processes, or all, do not have."""
    model = nn.ModuleDict({name: nn.Linear(2, 1) for name in ("first", "none")})
    if distributed.get_rank() == 0:
        model["first"](torch.ones(1, 2)).sum().backward()
    sum_gradients(model)
    if model["none"].weight.grad is not None:
        return "a gradient where there is none"
    ones = torch.ones(1, 2)
    return told_of({"gradient": (model["first"].weight.grad, ones, ones)}, 0.0)


def _token_model() -> str:
    """A model of transformers with masks, BatchNorm and tokens; a process may have no token."""
    torch.manual_seed(0)
    config = ChainHeadConfig(
        vocab_size=11, m=4, hidden_sizes=[5, 5], normalisation="pre-batch", bi_directional=True, num_labels=3
    )
    whole = ChainHeadForTokenClassification(config).double()
    shared = parallelize_sequence(copy.deepcopy(whole))
    tokens, mask = torch.randint(11, (3, 20)), mask_of("right", 3, 20)
    lengths = [9, 0, 4, 7]
    expected = whole(input_ids=tokens, attention_mask=mask).logits
    own = {"input_ids": tokens, "attention_mask": mask}
    found = shared(**{name: split_nodes(tensor, lengths=lengths) for name, tensor in own.items()}).logits
    expected.square().sum().backward()
    found.square().sum().backward()
    sum_gradients(shared)
    pairs = {"logits": (found, split_nodes(expected, lengths=lengths), expected)}
    gradients = dict(shared.named_parameters())
    for name, parameter in whole.named_parameters():
        pairs[name] = (gradients[name].grad, parameter.grad, parameter.grad)
    return told_of(pairs, 1e-11)


def _half_precision() -> str:
    """Autocast and half precision round as on one process: to neighbours of the same numbers."""
    told = []
    for chosen in ({"bi_directional": True}, {"with_inverse_approx": True, "decay": 0.5}):
        whole = head_of(**chosen).float()
        x = torch.rand(2, 80, 4)
        shared = parallelize_sequence(copy.deepcopy(whole))
        with torch.autocast("cpu", torch.bfloat16):
            expected, found = whole(x), shared(split_nodes(x))
        told.append(told_of({"autocast": (found, split_nodes(expected), expected)}, 2**-8))
        whole, shared, x = whole.bfloat16(), shared.bfloat16(), x.bfloat16()
        expected, found = whole(x), shared(split_nodes(x))
        told.append(told_of({"bfloat16": (found, split_nodes(expected), expected)}, 2**-8))
    return ", ".join(filter(None, told))


def _checkpointed() -> str:
    """Activation checkpoints compute the forward pass again, and with it the exchanges."""
    x = torch.randn(2, 30, 4, dtype=torch.float64)
    expected = _gradients(head_of(with_multihop=True, h=4), x)
    shared = parallelize_sequence(head_of(with_multihop=True, h=4))
    own = split_nodes(x).clone().requires_grad_()
    checkpoint(shared, own, use_reentrant=False).square().sum().backward()
    sum_gradients(shared)
    pairs = {name: (part.grad, expected[name], expected[name]) for name, part in shared.named_parameters()}
    return told_of(pairs, 1e-12)


def _compiled() -> str:
    """Compiled graphs break at exchanges."""
    x = torch.randn(2, 30, 4, dtype=torch.float64)
    chosen = {"with_inverse_approx": True, "decay": 0.4}
    expected = _gradients(head_of(**chosen), x)
    shared = parallelize_sequence(head_of(**chosen))
    with warnings.catch_warnings():
        # torch's compiler asks for gradients that tensors in between do not have.
        warnings.simplefilter("ignore", UserWarning)
        _gradients(torch.compile(shared, backend="aot_eager"), split_nodes(x))
    sum_gradients(shared)
    values = {name: (part.grad, expected[name], expected[name]) for name, part in shared.named_parameters()}
    return told_of(values, 1e-12)


def _one_process() -> str:
    """A group of a single process does what a plain head does, of every kind."""
    groups = [distributed.new_group([rank]) for rank in range(distributed.get_world_size())]
    chosen = {"with_inverse_approx": True, "bi_directional": True}
    shared = parallelize_sequence(head_of(**chosen), groups[distributed.get_rank()])
    x = torch.randn(2, 9, 4, dtype=torch.float64)
    expected = head_of(**chosen)(x)
    return told_of({"outputs": (shared(x), expected, expected)}, 1e-12)


def _long() -> str:
    """Shards so long that decays forget them: the sums that leave are made of their last nodes alone."""
    kinds = ({"decay": 0.3}, {"decay": 0.2, "bi_directional": True, "with_learned_decay": True})
    rows = (24_000, "even", "both", 3, torch.float64)
    told = [difference({"with_inverse_approx": True, **kind}, rows, 1) for kind in kinds]
    return ", ".join(filter(None, told))


def _steps() -> str:
    """The steps of a head, in tinyBIG's names, reach the nodes of other processes too."""
    x = torch.randn(2, 9, 4, dtype=torch.float64)
    whole = head_of(channel_hops=[0, 3])
    shared = parallelize_sequence(head_of(channel_hops=[0, 3]))
    expected = whole.calculate_instance_xi_x(x, 1)
    found = shared.calculate_instance_xi_x(split_nodes(x), 1)
    return told_of({"nodes": (found, split_nodes(expected), expected)}, 0.0)


WAYS = {
    "mesh": _in_a_mesh,
    "DistributedDataParallel": _in_ddp,
    "gathered": _gathered,
    "pooled": _pooled,
    "unused parameters": _unused_parameters,
    "model of tokens": _token_model,
    "half precision": _half_precision,
    "checkpointed": _checkpointed,
    "compiled": _compiled,
    "one process": _one_process,
    "long": _long,
    "steps": _steps,
}


def ways() -> dict[str, str]:
    """Ways to use shared chains."""
    torch.manual_seed(1)
    return dict(run(name, check) for name, check in WAYS.items())


def everything(every: int) -> dict[str, dict[str, str]]:
    """All checks, in one group of processes."""
    warnings.simplefilter("error")
    return {
        "kinds": compare(every),
        "options": options(),
        "communication": communication(),
        "refused": refused(),
        "ways": ways(),
    }
