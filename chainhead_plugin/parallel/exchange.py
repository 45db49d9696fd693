"""Nodes of other processes: sent while this process computes, and their gradients sent back.

`send_ends` begins the exchange and hands its nodes on unchanged; `receive_ends` waits for it. Between them a head works
on the nodes that it has. The backward pass goes through them in reverse: `receive_ends` begins to send gradients
back, and `send_ends` waits for those that it gets.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, distributed
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from .shards import Shards


class Part(NamedTuple):
    """Nodes `start` to `stop` of the whole rows, which pass between this process and another."""

    process: int
    start: int
    stop: int


class Reach(NamedTuple):
    """How many nodes before and after its own a process needs."""

    before: int
    after: int

    def window(self, shards: Shards, process: int) -> tuple[int, int]:
        """Where the nodes that a process needs begin and end, its own among them."""
        begin, end = shards.ends[process], shards.ends[process + 1]
        return max(0, begin - self.before), min(shards.length, end + self.after)


class EndsExchange:
    """The nodes within reach of the ends of shards, on their way.

    Parameters
    ----------
    shards : Shards
    reach : Reach
    """

    def __init__(self, shards: Shards, reach: Reach) -> None:
        self.shards = shards
        own = shards.group.rank
        self.start, self.stop = reach.window(shards, own)
        self.sent: list[Part] = []
        self.received: list[Part] = []
        for process in range(shards.group.size):
            if process != own:
                self._add(self.received, process, process, self.start, self.stop)
                self._add(self.sent, process, own, *reach.window(shards, process))
        self._none = torch.empty(0)  # no nodes, [batch, 0, width]
        self._works: list[distributed.Work] = []
        self._kept: list[Tensor] = []
        self._arriving: list[Tensor] = []

    def _add(self, parts: list[Part], process: int, holder: int, start: int, stop: int) -> None:
        start, stop = max(start, self.shards.ends[holder]), min(stop, self.shards.ends[holder + 1])
        if start < stop:
            parts.append(Part(process, start, stop))

    def begin(self, given: list[Tensor], to: list[Part], from_: list[Part]) -> None:
        """Begin to send tensors to the processes of `to`, and to receive as many nodes as `from_` says."""
        batch, _, width = self._none.shape
        self._kept = [tensor.contiguous() for tensor in given]
        self._arriving = [self._none.new_empty(batch, part.stop - part.start, width) for part in from_]
        calls: list[tuple[Any, list[Tensor], list[Part]]] = [
            (distributed.isend, self._kept, to),
            (distributed.irecv, self._arriving, from_),
        ]
        operations = [
            distributed.P2POp(call, tensor, group=self.shards.group.processes, group_peer=part.process)
            for call, tensors, parts in calls
            for tensor, part in zip(tensors, parts, strict=True)
            if tensor.numel()
        ]
        self._works = distributed.batch_isend_irecv(operations) if operations else []

    def wait(self) -> list[Tensor]:
        """Return the tensors that have arrived."""
        for work in self._works:
            work.wait()
        arrived = self._arriving
        self._works, self._kept, self._arriving = [], [], []
        return arrived

    def send(self, x: Tensor) -> None:
        """Begin to exchange the nodes of this process, [batch, length, width]."""
        self._none = x.new_empty(x.size(0), 0, x.size(2))
        begin = self.shards.begin
        given = [x[:, part.start - begin : part.stop - begin] for part in self.sent]
        self.begin(given, self.sent, self.received)

    def split(self, arrived: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Join what arrived into the nodes before those of this process, and the nodes after them."""
        own = self.shards.group.rank
        sides = (
            [tensor for tensor, part in zip(arrived, self.received, strict=True) if part.process < own],
            [tensor for tensor, part in zip(arrived, self.received, strict=True) if part.process > own],
        )
        before, after = (torch.cat([self._none, *side], 1) for side in sides)
        return before, after

    def send_back(self, before: Tensor, after: Tensor) -> None:
        """Begin to send the gradients of the nodes that came from other processes back to them."""
        own = self.shards.group.rank
        given = []
        for part in self.received:
            side, first = (before, self.start) if part.process < own else (after, self.shards.end)
            given.append(side[:, part.start - first : part.stop - first])
        self.begin(given, self.received, self.sent)

    def add_back(self, gradient: Tensor, arrived: list[Tensor]) -> None:
        """Add the gradients that other processes have sent back to that of the nodes of this process, in place."""
        begin = self.shards.begin
        for tensor, part in zip(arrived, self.sent, strict=True):
            gradient[:, part.start - begin : part.stop - begin] += tensor


class Begun(NamedTuple):
    """An exchange that has begun.

    Attributes
    ----------
    nodes : Tensor [batch, length, width]
        Those of this process, to work on meanwhile.
    first, last : Tensor [batch, edge, width]
        Copies of the nodes at either end, whose gradients then need no tensor of the whole length.
    token : Tensor
        For `receive_ends`.
    """

    nodes: Tensor
    first: Tensor
    last: Tensor
    token: Tensor


class _Send(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, exchange: EndsExchange, edge: int) -> tuple[Tensor, ...]:
        ctx.exchange, ctx.edge = exchange, edge
        exchange.send(x)
        last = x[:, x.size(1) - edge :].clone()
        return x.view_as(x), x[:, :edge].clone(), last, x.new_empty(0)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        nodes, first, last, _ = grads
        gradient, edge = nodes.clone(), ctx.edge
        gradient[:, :edge] += first
        gradient[:, gradient.size(1) - edge :] += last
        ctx.exchange.add_back(gradient, ctx.exchange.wait())
        return gradient, None, None


class _Receive(Function):
    @staticmethod
    def forward(ctx: Any, token: Tensor, exchange: EndsExchange) -> tuple[Tensor, Tensor]:
        ctx.exchange = exchange
        return exchange.split(exchange.wait())

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        ctx.exchange.send_back(*grads)
        return grads[0].new_zeros(0), None


def send_ends(x: Tensor, exchange: EndsExchange, edge: int = 0) -> Begun:
    """Begin an exchange, and copy as many nodes at either end as `edge` says."""
    return Begun(*_Send.apply(x, exchange, edge))


def receive_ends(begun: Begun, exchange: EndsExchange) -> tuple[Tensor, Tensor]:
    """Wait for an exchange: return the nodes before those of this process, and the nodes after them.

    One of them has to enter the result where there is a reach, even without nodes: the backward pass sends their
    gradients to the processes that wait for them.
    """
    before, after = _Receive.apply(begun.token, exchange)
    return before, after
