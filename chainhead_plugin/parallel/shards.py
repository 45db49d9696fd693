"""Where the nodes of chains lie: how many every process holds, and which of them are real."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor

from ..chain.masking import CheckedMask, needed_mask
from ..head.tensors import require_tensors
from .group import SequenceGroup, communication_device

_DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)


class RealNodes(NamedTuple):
    """Where the real nodes of each row's chain begin and end in the whole row: int64 Tensors [batch, 1]."""

    begin: Tensor
    end: Tensor

    def mask(self, start: int, stop: int) -> Tensor:
        """Which of the nodes from `start` to `stop` of the whole rows are real, [batch, stop − start]."""
        node = torch.arange(start, stop, device=self.begin.device)
        return (node >= self.begin) & (node < self.end)


@dataclass(frozen=True)
class Shards:
    """Rows of nodes that are shared among processes.

    Attributes
    ----------
    group : SequenceGroup
    lengths : tuple of int
        How many nodes of a row every process holds.
    real : RealNodes, optional
        None where all nodes are real.
    """

    group: SequenceGroup
    lengths: tuple[int, ...]
    real: RealNodes | None = None

    @cached_property
    def length(self) -> int:
        """How many nodes the whole rows have."""
        return sum(self.lengths)

    @cached_property
    def ends(self) -> tuple[int, ...]:
        """Where the shard of every process ends, and before them 0, where the first begins."""
        return tuple(accumulate(self.lengths, initial=0))

    @property
    def begin(self) -> int:
        """The place of the first node of this process in the whole rows."""
        return self.ends[self.group.rank]

    @property
    def end(self) -> int:
        """The place behind its last node."""
        return self.ends[self.group.rank + 1]

    def mask(self, start: int, stop: int) -> Tensor | None:
        """Which of the nodes from `start` to `stop` are real; None where all nodes of the rows are."""
        return None if self.real is None else self.real.mask(start, stop)


class _Told(NamedTuple):
    """What every process tells of its nodes before any are exchanged."""

    batch: int = 0
    length: int = 0
    features: int = 0
    dtype: int = 0
    has_mask: int = 0
    with_grad: int = 0
    requires_grad: int = 0
    refused: int = 0


def find_shards(
    group: SequenceGroup,
    x: Tensor,
    attention_mask: Tensor | CheckedMask | None,
    check: Callable[[Tensor], None],
    device: torch.device,
) -> tuple[Tensor, Shards]:
    """Learn which nodes the other processes hold; all processes of the group call this together.

    Parameters
    ----------
    group : SequenceGroup
    x : Tensor [batch, length, features]
        The nodes of this process.
    attention_mask : Tensor [batch, length] or CheckedMask, optional
    check : callable
        Raises an error for an `x` that does not fit. It is raised after the other processes have been told, so that
        they raise an error as well and do not wait.
    device : torch.device
        That of the model.

    Returns
    -------
    x : Tensor
        With `requires_grad` if that of any process has it.
    shards : Shards

    Raises
    ------
    TypeError, ValueError
        If the nodes or the mask of this process do not fit, or those of all processes together.
    RuntimeError
        If another process refused its nodes.
    """
    problem, checked, told = None, None, _Told(refused=1)
    try:
        require_tensors(x=x, attention_mask=attention_mask)
        check(x)
        checked = needed_mask(attention_mask, x.size(0), x.size(1))
        if x.dtype not in _DTYPES:
            raise TypeError(f"x is {x.dtype}, expected one of {', '.join(map(str, _DTYPES))}: convert it")
        batch, length, features = x.shape
        told = _Told(
            batch=batch,
            length=length,
            features=features,
            dtype=_DTYPES.index(x.dtype),
            has_mask=checked is not None,
            with_grad=torch.is_grad_enabled(),
            requires_grad=torch.is_grad_enabled() and x.requires_grad,
        )
    except (TypeError, ValueError, RuntimeError) as error:
        problem = error

    place = communication_device(group, device)
    numbers = group.gathered(torch.tensor(told, dtype=torch.int64, device=place)).wait().tolist()
    everyone = [_Told(*row) for row in numbers]
    if problem is not None:
        raise problem
    _check_alike(everyone)

    shards = Shards(group, tuple(told.length for told in everyone))
    if any(told.has_mask for told in everyone):
        shards = Shards(group, shards.lengths, _real_nodes(shards, checked, x, place))
    if any(told.requires_grad for told in everyone) and not x.requires_grad:
        # The backward pass needs all processes: here too nodes get a gradient, if of no use.
        x = x.detach().requires_grad_()
    return x, shards


def _check_alike(everyone: list[_Told]) -> None:
    refused = [rank for rank, told in enumerate(everyone) if told.refused]
    if refused:
        raise RuntimeError(
            f"process {refused[0]} of the group refused its nodes, and raises an error that says why: no process "
            "went on"
        )
    for name in ("batch", "features", "dtype", "with_grad"):
        values = [getattr(told, name) for told in everyone]
        if len(set(values)) > 1:
            if name == "dtype":
                values = [str(_DTYPES[value]).removeprefix("torch.") for value in values]
            word = {"with_grad": "gradients (1 is on, 0 off)"}.get(name, name)
            raise ValueError(
                f"the processes of the group differ in {word}: {', '.join(map(str, values))} in the order of their "
                "ranks. All hold nodes of the same rows; only their lengths may differ"
            )


def _real_nodes(
    shards: Shards, checked: CheckedMask | None, x: Tensor, place: torch.device
) -> RealNodes | None:
    """Bring together which nodes are real, and check that those of each row stand together."""
    batch, length = x.size(0), x.size(1)
    first, count = x.new_zeros(batch, dtype=torch.int64), torch.full((batch,), length, device=x.device)
    if checked is not None and length > 0:
        first, count = checked.real.int().argmax(1), checked.real.sum(1)
    bounds = torch.stack((first + shards.begin, count)).to(place)
    firsts, counts = shards.group.gathered(bounds).wait().unbind(1)  # [processes, batch]

    total = counts.sum(0)
    begin = torch.where(counts > 0, firsts, shards.length).amin(0)
    end = torch.where(counts > 0, firsts + counts, 0).amax(0)
    if bool((end - begin > total).any()):
        raise ValueError(
            "attention_mask has padding between real nodes, of which some are held by other processes. A chain has "
            "no holes; leave missing nodes out"
        )
    if bool((total == shards.length).all()):
        return None
    return RealNodes(begin.to(x.device)[:, None], torch.maximum(begin, end).to(x.device)[:, None])
