"""Tasks in which order is all that matters: chains of random tokens, and questions about which came when."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

WINDOW = 3
"""The number of last tokens whose parity is asked for."""

IGNORED = -100
Chains = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Task:
    """Something to learn.

    Attributes
    ----------
    name : str
    tokens : int
        Number of different tokens; a node is a token, one-hot.
    classes : int
        Possible answers, all equally frequent.
    questions : tuple of str
        The questions, all asked of the same model at once.
    per_node : bool
        Whether every node has answers, or the chain as a whole.
    make : callable
        Takes the number of chains, their length and a generator; returns tokens [batch, length] and answers
        [batch, questions], or [batch, length, questions] with -100 where there is nothing to ask yet.
    """

    name: str
    tokens: int
    classes: int
    questions: tuple[str, ...]
    per_node: bool
    make: Callable[[int, int, torch.Generator], Chains]

    @property
    def chance(self) -> float:
        """The accuracy of guessing."""
        return 1 / self.classes


def which_first(batch: int, length: int, generator: torch.Generator) -> Chains:
    """Tokens 0 and 1 occur once each, among noise of tokens 2 and 3: is it 1 that comes first?

    Swapping both answers the other way round, with the same tokens in the chain. The first and the last node are
    noise: an end tells which way is forwards, and the last node tells nothing of itself.
    """
    tokens = torch.randint(2, 4, (batch, length), generator=generator)
    places = 1 + torch.rand(batch, length - 2, generator=generator).topk(2).indices
    tokens.scatter_(1, places, torch.tensor([0, 1]).expand(batch, 2))
    return tokens, (places[:, 1:] < places[:, :1]).long()


def parity(batch: int, length: int, generator: torch.Generator) -> Chains:
    """Is the sum of the last three bits odd? Asked at every node from the third on."""
    bits = torch.randint(0, 2, (batch, length), generator=generator)
    odd = bits.unfold(1, WINDOW, 1).sum(-1) % 2
    return bits, F.pad(odd, (WINDOW - 1, 0), value=IGNORED).unsqueeze(-1)


def lags(length: int) -> tuple[int, int, int]:
    """How many nodes ago the tokens were that are to be copied."""
    return 1, 4, length // 2


def copy(batch: int, length: int, generator: torch.Generator) -> Chains:
    """Which of four tokens was there 1, 4 and length/2 nodes ago? Asked at every node that has so many before it."""
    tokens = torch.randint(0, 4, (batch, length), generator=generator)
    answers = [F.pad(tokens[:, :-lag], (lag, 0), value=IGNORED) for lag in lags(length)]
    return tokens, torch.stack(answers, -1)


TASKS = {
    task.name: task
    for task in (
        Task("first", 4, 2, ("which event came first",), False, which_first),
        Task("parity", 2, 2, (f"parity of the last {WINDOW}",), True, parity),
        Task("copy", 4, 4, ("copy, lag 1", "copy, lag 4", "copy, lag L/2"), True, copy),
    )
}
