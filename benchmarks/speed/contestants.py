"""The contestants: chain heads of every kind, and their competitors.

All map [batch, length, m] to [batch, length, n], without bias or activation except those that a peer
consists of, so that the floor is the same matrix product for everyone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from chainhead_plugin import ChainInterdependenceHead
from chainhead_plugin.recipes.candidates.encoders import Recurrent

from ..min_gru import MinGRU
from .tinybig_peer import TinyBigHead

FLOOR = "nn.Linear"
CONTROL = "nn.Linear, once more"
Group = Literal["floor", "head", "dense", "peer", "tinybig"]
Target = Literal["uni", "bi", "hops", "exponential", "scan", "two scans", "spectral", "low rank"]

Shape = tuple[int, int, int, int]
_BARE: dict[str, Any] = {"with_relu": False, "with_softmax": False}


@dataclass(frozen=True)
class Contestant:
    """Something to measure.

    Parameters
    ----------
    name : str
    group : {"floor", "head", "dense", "peer", "tinybig"}
    build : callable
        Makes the module from m, n and the length.
    target : str, optional
        Which of the targets for shapes applies; only to heads.
    longest, longest_full : int, optional
        The longest chain that it is measured at, by default and with `--full`; None for no limit.
    streams : bool
        Whether it has a `step` that takes the nodes singly.
    full_only : bool
        Whether to leave it out of the default run.
    anywhere : bool
        Whether it runs in other dtypes than float32 and on other devices than the CPU.
    """

    name: str
    group: Group
    build: Callable[[int, int, int], nn.Module]
    target: Target | None = None
    longest: int | None = None
    longest_full: int | None = None
    streams: bool = False
    full_only: bool = False
    anywhere: bool = True

    def fits(self, length: int, full: bool) -> bool:
        """Whether it is measured on chains of this length."""
        longest = self.longest_full if full else self.longest
        return longest is None or length <= longest


class DenseChain(nn.Module):
    """A head's formula with its matrix A, built once: y = Aᵀ (x Wᵀ).

    Parameters
    ----------
    head : ChainInterdependenceHead
        Whose matrix, and whose weights, are taken.
    length : int
    """

    def __init__(self, head: ChainInterdependenceHead, length: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(head.reconciliation.matrix().detach().clone())
        self.transposed: Tensor
        self.register_buffer("transposed", head.interdependence_matrix(length).T.contiguous())

    def forward(self, x: Tensor) -> Tensor:
        """Map [batch, length, m] to [batch, length, n], mixing where nodes are narrower."""
        n, m = self.weight.shape
        if n <= m:
            return self.transposed @ nn.functional.linear(x, self.weight)
        return nn.functional.linear(self.transposed @ x, self.weight)


class Copy(nn.Module):
    """The bound that memory sets: the input is read once and the output written once."""

    def forward(self, x: Tensor) -> Tensor:
        """Copy [batch, length, m]."""
        return x.clone()


class SeparableConv(nn.Module):
    """A depthwise `nn.Conv1d` over three nodes, then a pointwise `nn.Conv1d`."""

    def __init__(self, m: int, n: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(m, m, 3, padding=1, groups=m, bias=False)
        self.pointwise = nn.Conv1d(m, n, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map [batch, length, m] to [batch, length, n]."""
        y: Tensor = self.pointwise(self.depthwise(x.transpose(1, 2)))
        return y.transpose(1, 2)


def head_with(options: Mapping[str, Any]) -> Callable[[int, int, int], nn.Module]:
    """Return what makes a bare head with some options from m, n and the length."""
    return lambda m, n, length: ChainInterdependenceHead(m, n, length, **_BARE, **options)


def _tinybig(options: Mapping[str, Any]) -> Callable[[int, int, int], nn.Module]:
    return lambda m, n, length: TinyBigHead(m, n, length, {**_BARE, **options})


_HOPS = {"with_multihop": True, "h": 3}
_SUM = {**_HOPS, "accumulative": True}
_INVERSE = {"with_inverse_approx": True}
_EXPONENTIAL = {"with_exponential_approx": True}
_BI = {"bi_directional": True}
_HEADS: tuple[tuple[str, dict[str, Any], Target], ...] = (
    ("single hop, uni", {}, "uni"),
    ("single hop, bi", _BI, "bi"),
    ("single hop, uni, 4 channels", {"channel_num": 4}, "uni"),
    ("3 hops, uni", _HOPS, "hops"),
    ("3 hops, bi", _HOPS | _BI, "hops"),
    ("3 hops, accumulative, uni", _SUM, "hops"),
    ("3 hops, accumulative, bi", _SUM | _BI, "hops"),
    ("exponential, uni", _EXPONENTIAL, "exponential"),
    ("exponential, bi", _EXPONENTIAL | _BI, "exponential"),
    ("inverse, uni", _INVERSE, "scan"),
    ("inverse, bi", _INVERSE | _BI, "spectral"),
    ("inverse with decay, uni", _INVERSE | {"decay": 0.9}, "scan"),
    ("inverse with decay, bi", _INVERSE | _BI | {"decay": 0.45}, "two scans"),
    ("inverse with learned decay, uni", _INVERSE | {"decay": 0.9, "with_learned_decay": True}, "scan"),
    ("single hop, uni, LORR r = 8", {"with_lorr": True, "r": 8}, "low rank"),
    ("hops 0 to 4, LORR r = 8", {"channel_hops": [0, 1, 2, 4], "with_lorr": True, "r": 8}, "low rank"),
)
# Building A takes tinyBIG minutes for inverse chains beyond a thousand nodes; a sparse A goes further.
_TINYBIG: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("tinyBIG, single hop, uni", {}, {"longest": 1024, "longest_full": 16_384}),
    ("tinyBIG, exponential, uni", _EXPONENTIAL, {"longest": 1024, "longest_full": 1024}),
    ("tinyBIG, inverse, uni", _INVERSE, {"longest": 1024, "longest_full": 1024}),
    (
        "tinyBIG, inverse, bi",
        _INVERSE | _BI,
        {"longest": 64, "longest_full": 1024, "full_only": True},
    ),
)
CONTESTANTS: tuple[Contestant, ...] = (
    Contestant(FLOOR, "floor", lambda m, n, _: nn.Linear(m, n, bias=False)),
    Contestant(CONTROL, "floor", lambda m, n, _: nn.Linear(m, n, bias=False)),
    *(
        Contestant(name, "head", head_with(options), target, streams="bi_directional" not in options)
        for name, options, target in _HEADS
    ),
    Contestant(
        "dense A",
        "dense",
        lambda m, n, length: DenseChain(ChainInterdependenceHead(m, n, length, **_BARE), length),
        longest=1024,
        longest_full=16_384,
    ),
    Contestant(
        "nn.GRU",
        "peer",
        lambda m, n, _: Recurrent(m, n, nn.GRU, bias=False),
        longest=1024,
        longest_full=16_384,
    ),
    Contestant(
        "nn.LSTM",
        "peer",
        lambda m, n, _: Recurrent(m, n, nn.LSTM, bias=False),
        longest=1024,
        longest_full=16_384,
    ),
    Contestant("separable nn.Conv1d", "peer", lambda m, n, _: SeparableConv(m, n)),
    Contestant("minGRU", "peer", lambda m, n, _: MinGRU(m, n), longest=16_384),
    *(
        Contestant(name, "tinybig", _tinybig(options), anywhere=False, **limits)
        for name, options, limits in _TINYBIG
    ),
)
# On CUDA, beside those of m = n.
COPY = Contestant("copy", "floor", lambda *_: Copy())


def chosen(full: bool, plain: bool, with_tinybig: bool) -> list[Contestant]:
    """Contestants of a run; `plain` says that it is in float32 on the CPU.

    The floor comes first.
    """
    return [
        contestant
        for contestant in CONTESTANTS
        if (full or not contestant.full_only)
        and (plain or contestant.anywhere)
        and (with_tinybig or contestant.group != "tinybig")
    ]


def named(name: str) -> Contestant:
    """Return the contestant of that name."""
    return next(contestant for contestant in CONTESTANTS if contestant.name == name)


def build(contestant: Contestant, shape: Shape, dtype: torch.dtype, device: str) -> nn.Module:
    """Build a contestant for a shape (batch, length, m, n)."""
    _, length, m, n = shape
    module = contestant.build(m, n, length)
    return module.to(device=device, dtype=dtype) if contestant.anywhere else module
