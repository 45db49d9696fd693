"""The processes that share the nodes of chains, in the order of the nodes that they hold."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed
from torch.distributed import ProcessGroup
from torch.distributed.device_mesh import DeviceMesh

# The name that it has from torch 2.14 on, and before.
_all_gather: Any = getattr(distributed, "all_gather_single", None) or distributed.all_gather_into_tensor


@dataclass(frozen=True)
class SequenceGroup:
    """A process group whose ranks hold the shards of a chain from its first node to its last.

    Parameters
    ----------
    processes : ProcessGroup
        A group that this process belongs to.

    Attributes
    ----------
    rank, size : int
        The place of this process among them, and their number.
    """

    processes: ProcessGroup

    @property
    def rank(self) -> int:
        """The place of this process in the group."""
        return distributed.get_rank(self.processes)

    @property
    def size(self) -> int:
        """How many processes share the nodes."""
        return distributed.get_world_size(self.processes)

    def gathered(self, tensor: Tensor) -> "Gathering":
        """Begin to collect a tensor of one shape and dtype from every process."""
        everyone = tensor.new_empty((self.size, *tensor.shape))
        tensor = tensor.contiguous()
        # Of one axis: gloo joins tensors along the first.
        work = _all_gather(everyone.view(-1), tensor.view(-1), group=self.processes, async_op=True)
        return Gathering(everyone, tensor, work)

    # A group of processes has no copy: copies of a head share it.
    def __deepcopy__(self, memo: object) -> "SequenceGroup":
        return self

    def __reduce__(self) -> str:
        raise TypeError(
            "a head whose nodes are shared among processes cannot be pickled, as its process group lives in this "
            "process alone: save state_dict(), load it into a plain model and call parallelize_sequence there"
        )


@dataclass(frozen=True)
class Gathering:
    """Tensors of all processes, on their way."""

    everyone: Tensor
    given: Tensor
    work: distributed.Work

    def wait(self) -> Tensor:
        """Return them as [processes, …]."""
        self.work.wait()
        return self.everyone


def sequence_group(group: ProcessGroup | DeviceMesh | None) -> SequenceGroup:
    """Return the processes that a user names.

    Parameters
    ----------
    group : ProcessGroup or DeviceMesh of one dimension, optional
        All processes by default.

    Raises
    ------
    RuntimeError
        If `torch.distributed` has not been initialised, or this process is no member of the group.
    ValueError
        If the mesh has several dimensions.
    TypeError
        If it is neither.
    """
    if not distributed.is_available() or not distributed.is_initialized():
        raise RuntimeError(
            "torch.distributed is not initialised: start the program by torchrun, and call "
            "torch.distributed.init_process_group before"
        )
    if isinstance(group, DeviceMesh):
        if group.ndim != 1:
            names = group.mesh_dim_names or tuple(map(str, range(group.ndim)))
            raise ValueError(
                f"the mesh has the dimensions {', '.join(names)}, expected that along which nodes are shared: "
                f'pass mesh["{names[-1]}"], for example'
            )
        group = group.get_group()
    processes: Any = distributed.group.WORLD if group is None else group
    if processes is distributed.GroupMember.NON_GROUP_MEMBER:
        raise RuntimeError("this process is no member of the group: pass a group that it belongs to")
    if not isinstance(processes, ProcessGroup):
        raise TypeError(f"expected a ProcessGroup or a DeviceMesh, got a {type(processes).__name__}")
    return SequenceGroup(processes)


def communication_device(group: SequenceGroup, device: torch.device) -> torch.device:
    """Return where small tensors are exchanged: the tensors' own device, or the CPU where the group needs that."""
    backend = distributed.get_backend(group.processes)
    return torch.device("cpu") if backend in ("gloo", "mpi") else device
