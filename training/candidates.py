"""The models that are trained and compared, all of about the same size."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from chainhead_plugin import ChainHeadConfig, ChainHeadForSequenceClassification

from .data import FEATURES, SPEAKERS
from .peers import Convolution, NoHops, Recurrent

_DROPOUT = 0.3

# Chosen by cross-validation on the training part, among one and two layers, all kinds of chain, mean and max
# pooling. Of the one hop N − I a node gets the difference to its neighbour, in its features and in their
# products; the residual brings the features themselves.
_CHAIN: Mapping[str, Any] = {
    "m": FEATURES,
    "n": 64,
    "with_taylor": True,
    "d": 2,
    "self_scaling": -1.0,
    "enable_bias": True,
    "with_residual": True,
    "with_dropout": True,
    "p": _DROPOUT,
}


@dataclass(frozen=True)
class Candidate:
    """A model to train.

    Attributes
    ----------
    title : str
        What the card calls it.
    learning_rate : float
        Chosen for each candidate among 0.002, 0.005, 0.01 and 0.02 by five-fold cross-validation on two
        seeds: the highest mean accuracy, then the lowest mean loss.
    build : callable
        Makes the model, with random weights.
    """

    title: str
    learning_rate: float
    build: Callable[[], nn.Module]


def chain_config(**options: Any) -> ChainHeadConfig:
    """Return the published model's configuration, with other `options` if wanted."""
    return ChainHeadConfig(
        **{**_CHAIN, **options},
        problem_type="single_label_classification",
        id2label=dict(enumerate(SPEAKERS)),
        label2id={speaker: index for index, speaker in enumerate(SPEAKERS)},
    )


def _recurrent(kind: type[nn.LSTM] | type[nn.GRU], width: int) -> Callable[[], nn.Module]:
    return lambda: Recurrent(kind, FEATURES, width, len(SPEAKERS), _DROPOUT)


CHAIN, NO_HOPS = "chain", "no_hops"
CANDIDATES: Mapping[str, Candidate] = {
    CHAIN: Candidate("chain head", 2e-2, lambda: ChainHeadForSequenceClassification(chain_config())),
    NO_HOPS: Candidate("the same head without hops", 1e-2, lambda: NoHops(chain_config(self_scaling=1.0))),
    "lstm": Candidate("LSTM", 2e-2, _recurrent(nn.LSTM, 46)),
    "gru": Candidate("GRU", 1e-2, _recurrent(nn.GRU, 54)),
    "conv1d": Candidate("Conv1d", 2e-2, lambda: Convolution(FEATURES, 54, len(SPEAKERS), _DROPOUT)),
}
