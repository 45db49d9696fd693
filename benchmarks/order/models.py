"""The models of the order tasks: chain heads of every kind, and their competitors."""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from chainhead_plugin import ChainHeadConfig, ChainHeadModel
from chainhead_plugin.models.pooling import pool
from chainhead_plugin.recipes.candidates.encoders import Convolution, Perceptron, Recurrent

from ..min_gru import MinGRU
from .tasks import Task

WEIGHTS = 2048
"""The largest number of weights of a model; each is as wide as that allows."""

LEAST_WIDTH = 4
Group = Literal["none", "fixed", "fading", "hops", "stack", "peer"]
Build = Callable[[int, int, int], nn.Module]


@dataclass(frozen=True)
class Model:
    """A kind of model.

    Attributes
    ----------
    name : str
    group : str
        Its family, for the report.
    build : callable
        Makes the encoder [batch, length, m] → [batch, length, n] from m, n and the length.
    slow : bool
        Whether it takes so long that a single seed has to do from 256 nodes on.
    longest : int, optional
        The longest chain that it learns from; None for no limit.
    per_node : bool
        Whether it can answer at every node.
    """

    name: str
    group: Group
    build: Build
    slow: bool = False
    longest: int | None = None
    per_node: bool = True


class ChainEncoder(nn.Module):
    """Layers of a per-node perceptron and a chain head, each with bias and ReLU.

    Parameters
    ----------
    m, n, length : int
    layers : int
    options : mapping
        Of the chain heads.
    """

    def __init__(self, m: int, n: int, length: int, layers: int, options: Mapping[str, Any]) -> None:
        super().__init__()
        # The node itself, with weights of its own, tells it apart from its neighbours; hop 0 does so already.
        residual = "channel_hops" not in options
        self.chain = ChainHeadModel(
            ChainHeadConfig(
                m=m,
                hidden_sizes=[n] * layers,
                chain_length=length,
                enable_bias=True,
                with_residual=residual,
                **options,
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map [batch, length, m] to [batch, length, n]."""
        nodes: Tensor = self.chain(x).last_hidden_state
        return nodes


class Classifier(nn.Module):
    """An encoder, pooling if the chain as a whole is asked about, and a linear map to the answers.

    Parameters
    ----------
    model, task
        The model to build, and its task.
    length, width : int
    pooling : {"max", "mean", "last"}
    """

    def __init__(self, model: Model, task: Task, length: int, width: int, pooling: str) -> None:
        super().__init__()
        self.task, self.pooling = task, pooling
        self.encoder = model.build(task.tokens, width, length)
        self.answers = nn.Linear(width, len(task.questions) * task.classes)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return logits [batch, questions, classes], or per node, of tokens [batch, length]."""
        nodes = self.encoder(F.one_hot(tokens, self.task.tokens).float())
        if not self.task.per_node:
            nodes = pool(nodes, None, self.pooling, nodes.size(1))
        return self.answers(nodes).unflatten(-1, (-1, self.task.classes))


def widest(model: Model, task: Task, length: int) -> int | None:
    """Return the largest width within `WEIGHTS`, or None where the model does not fit the task or the length."""
    if (task.per_node and not model.per_node) or (model.longest is not None and length > model.longest):
        return None
    if _count(model, task, length, LEAST_WIDTH) > WEIGHTS:
        return None
    widths = range(LEAST_WIDTH, 64)
    return LEAST_WIDTH - 1 + bisect_right(widths, WEIGHTS, key=partial(_count, model, task, length))


@cache
def _count(model: Model, task: Task, length: int, width: int) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in Classifier(model, task, length, width, "max").parameters())


def _chain(layers: int = 1, **options: Any) -> Build:
    return partial(ChainEncoder, layers=layers, options=options)


def _dilated(m: int, n: int, length: int) -> nn.Module:
    """Three layers whose hops grow by four up to half of the chain, as far as 256."""
    hops = [0, *(4**i for i in range(5) if 4**i <= length // 2)]
    return ChainEncoder(m, n, length, 3, {"channel_hops": hops})


_INVERSE = {"with_inverse_approx": True}
MODELS = {
    model.name: model
    for model in (
        Model("head without hops", "none", _chain(channel_hops=[0])),
        Model("single hop, uni", "fixed", _chain()),
        Model("single hop, bi", "fixed", _chain(bi_directional=True)),
        Model("4 hops, uni", "fixed", _chain(with_multihop=True, h=4)),
        Model("exponential, uni", "fixed", _chain(with_exponential_approx=True)),
        Model("inverse, uni", "fixed", _chain(**_INVERSE)),
        Model("inverse, bi", "fixed", _chain(**_INVERSE, bi_directional=True)),
        Model("inverse, decay 0.9", "fading", _chain(**_INVERSE, decay=0.9)),
        Model("inverse, decay 0.4", "fading", _chain(**_INVERSE, decay=0.4)),
        Model("inverse, learned decay", "fading", _chain(**_INVERSE, decay=0.6, with_learned_decay=True)),
        Model("hops 0, 1, 2, 4", "hops", _chain(channel_hops=[0, 1, 2, 4])),
        Model("single hop, uni, 3 layers", "stack", _chain(3)),
        Model(
            "inverse, learned decay, 2 layers",
            "stack",
            _chain(2, **_INVERSE, decay=0.6, with_learned_decay=True),
        ),
        Model("hops 0, 1, 4 … 256, 3 layers", "stack", _dilated),
        Model("Conv1d, 2 layers", "peer", lambda m, n, _: Convolution(m, n)),
        # On a CPU 4,096 nodes take these two longer than all other models together: one goes node after node, the other
        # through torch's logcumsumexp.
        Model(
            "minGRU, 2 layers",
            "peer",
            lambda m, n, _: nn.Sequential(MinGRU(m, n), MinGRU(n, n)),
            slow=True,
            longest=1024,
        ),
        Model(
            "GRU",
            "peer",
            lambda m, n, _: Recurrent(m, n, nn.GRU),
            slow=True,
            longest=1024,
        ),
        Model("LSTM", "peer", lambda m, n, _: Recurrent(m, n, nn.LSTM)),
        Model("MLP", "peer", Perceptron, per_node=False),
    )
}
