"""Heads of a model, told that the processes of a group share their nodes."""

from typing import TypeVar

from torch import distributed, nn
from torch.distributed import ProcessGroup
from torch.distributed.device_mesh import DeviceMesh

from ..head.chain_head import ChainInterdependenceHead
from ..head.normalisation import NodeBatchNorm
from .group import SequenceGroup, sequence_group
from .sharding import SequenceSharding

Module = TypeVar("Module", bound=nn.Module)

# Modules of torch that bring nodes together, which they would do within each shard alone.
_REACHING = (
    nn.BatchNorm1d,
    nn.SyncBatchNorm,
    nn.GroupNorm,
    nn.InstanceNorm1d,
    nn.Conv1d,
    nn.Conv2d,
    nn.ConvTranspose1d,
    nn.AvgPool1d,
    nn.MaxPool1d,
    nn.AdaptiveAvgPool1d,
    nn.AdaptiveMaxPool1d,
    nn.Flatten,
    nn.RNNBase,
    nn.MultiheadAttention,
    nn.TransformerEncoderLayer,
    nn.TransformerDecoderLayer,
)


def parallelize_sequence(module: Module, group: ProcessGroup | DeviceMesh | None = None) -> Module:
    """Let the chain heads of a model mix nodes that are shared among processes.

    Afterwards each process calls the model with its own part of the nodes, [batch, local length, m], consecutive in
    the order of the ranks, and gets the outputs of those nodes. Shards may differ in length, be shorter than the
    hops of a head, or empty. The attention mask is cut in the same way. Weights and their names stay as they are;
    all processes must have the same (`torch.distributed.broadcast` brings them there).

    All processes of the group call the model together, and its backward pass too. Gradients of parameters are those
    of the nodes of this process: `sum_gradients` adds them up. The nodes' gradients are whole.

    Parameters
    ----------
    module : nn.Module
        A chain head, or a model with some. Everything else in it must treat each node alone.
    group : ProcessGroup or DeviceMesh of one dimension, optional
        All processes by default.

    Returns
    -------
    nn.Module
        `module` itself.

    Raises
    ------
    ValueError
        If there is no chain head, or a part of the model brings nodes together in a way that shards do not allow; the
        message names it. Nothing is changed then.
    RuntimeError
        If `torch.distributed` has not been initialised.
    """
    sharding = SequenceSharding(sequence_group(group))
    heads = [part for part in module.modules() if isinstance(part, ChainInterdependenceHead)]
    if not heads:
        raise ValueError(
            f"{type(module).__name__} has no ChainInterdependenceHead whose nodes could be shared"
        )
    if sharding.group.size > 1:
        for name, part in module.named_modules():
            reason = _refusal(part)
            if reason is not None:
                raise ValueError(f"{name or 'the module'} ({type(part).__name__}) {reason}")

    for head in heads:
        head.sharding = sharding
    for part in module.modules():
        if isinstance(part, NodeBatchNorm):
            _synchronise(part, sharding.group)
    return module


def _synchronise(norm: NodeBatchNorm, group: SequenceGroup) -> None:
    """Take statistics over the nodes of all processes, unless they are taken over more processes already."""
    if not norm.synchronised:
        norm.synchronised = True
        # A module without a group of its own can be copied.
        norm.process_group = None if group.processes is distributed.group.WORLD else group.processes


def _refusal(part: nn.Module) -> str | None:
    """Why the nodes of a part of a model cannot be shared; None where they can."""
    if isinstance(part, ChainInterdependenceHead):
        chain = part.chain
        if chain.kind == "inverse" and chain.bi_directional and chain.decay is None:
            return (
                "is bi-directional with with_inverse_approx and no decay: each of its nodes is an average over about "
                "√length eigenvectors of the whole chain, which no exchange of a few sums gives. Set decay, below "
                "1/2: the decaying inverse needs two sums of every shard"
            )
        return None
    reason: str | None = getattr(part, "reaches_other_nodes", None)
    is_foreign = not hasattr(part, "reaches_other_nodes") and any(
        base.__name__ == "PreTrainedModel" for base in type(part).__mro__
    )
    if is_foreign or (isinstance(part, _REACHING) and not isinstance(part, NodeBatchNorm)):
        reason = "may bring nodes together that other processes hold"
    return (
        None if reason is None else f"{reason}: give parallelize_sequence the parts of the model without it"
    )
