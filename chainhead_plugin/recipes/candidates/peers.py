"""A recipe's model, and its peers, which are just wide enough to have as many weights."""

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import torch
from torch import nn

from ...config.configuration_chainhead import ChainHeadConfig
from ...head.chain_options import ChainOptions
from ..errors import RecipeError
from ..fields.random_chains import RANDOM_CHAINS
from ..recipe import Recipe
from .encoders import Convolution, DilatedConvolution, Inception, NodePerceptron, Recurrent
from .inputs.inputs import Inputs
from .linear_networks import LINEAR_PEERS, LinearForecastPeer
from .peer_models import PooledEncoder, PooledPerceptron
from .random_chains import random_chain_builder

CHAIN, NO_HOPS = "chain", "no_hops"
TITLES = {
    CHAIN: "chain head",
    NO_HOPS: "the same head without hops",
    "plain": "tinyBIG's plain chain",
    "lstm": "LSTM",
    "gru": "GRU",
    "conv1d": "Conv1d",
    "dilated": "dilated Conv1d",
    "inception": "InceptionTime (one network)",
    "mlp": "MLP",
    "nlinear": "NLinear",
    "dlinear": "DLinear",
    RANDOM_CHAINS: "random chain heads",
}
# Fields for the trained peers of random chain heads, which have no such fields themselves.
_USUAL = {"pooling": "max", "with_batch_norm": True}
# The width that its authors use, whatever the number of weights.
_INCEPTION_WIDTH = 32
_KIND_OPTIONS = {"channel_num", *(option.name for option in fields(ChainOptions))}
_WIDEST = 2**16


@dataclass(frozen=True)
class Candidate:
    """A model to train.

    Attributes
    ----------
    title : str
        Its name in the card.
    learning_rates : list of float
        The learning rates from which validation chooses.
    build : callable
        Returns a new model, with random weights.
    is_in_closed_form : bool
        Whether it is fitted without epochs and learning rate.
    """

    title: str
    learning_rates: list[float]
    build: Callable[..., nn.Module]
    is_in_closed_form: bool = False

    def count(self, **fitted: Any) -> int:
        """Return the number of weights, without allocating them, with the fields that training chose, as in `Run`."""
        return _count(partial(self.build, **fitted))


def candidates(
    recipe: Recipe, inputs: Inputs, names: tuple[str, ...], wanted: list[str]
) -> dict[str, Candidate]:
    """Return the recipe's model and the wanted peers, which are just wide enough not to have fewer weights.

    Parameters
    ----------
    recipe : Recipe
    inputs : Inputs
        Fitted to the training examples.
    names : tuple of str
        The labels.
    wanted : list of str
        Names of peers.

    Returns
    -------
    dict of str to Candidate
        The recipe's model, by the name `CHAIN`, first.

    Raises
    ------
    RecipeError
        If the model's options are not valid, or no width gives a peer as many weights.
    """

    def candidate(name: str, build: Callable[[], nn.Module]) -> Candidate:
        return Candidate(TITLES[name], recipe.rates_of(name), build)

    def random_chains() -> Candidate:
        return Candidate(
            TITLES[RANDOM_CHAINS], [], random_chain_builder(recipe, inputs, names), is_in_closed_form=True
        )

    if recipe.is_random_chain:
        config = inputs.config(recipe, names, **_USUAL)
        found = {CHAIN: random_chains()}
    else:
        config = inputs.config(recipe, names)
        found = {CHAIN: candidate(CHAIN, lambda: inputs.model_class(config))}
    weights = found[CHAIN].count()
    for name in wanted:
        if name == RANDOM_CHAINS:
            found[name] = random_chains()
            continue
        if name in LINEAR_PEERS:
            build = partial(LinearForecastPeer, config, is_decomposed=LINEAR_PEERS[name])
            found[name] = candidate(name, build)
            continue
        by_width = _by_width(name, recipe, inputs, names, config)
        width = recipe.overrides.get(name, {}).get("width", _INCEPTION_WIDTH if name == "inception" else None)
        if width is None:
            width = _narrowest(by_width, weights, TITLES[name])
        found[name] = candidate(name, partial(by_width, width))
    return found


def _by_width(
    name: str, recipe: Recipe, inputs: Inputs, names: tuple[str, ...], config: ChainHeadConfig
) -> Callable[[int], nn.Module]:
    if name in (NO_HOPS, "plain"):
        options = {key: value for key, value in recipe.model.items() if key not in _KIND_OPTIONS}
        if name == NO_HOPS:
            options["channel_hops"] = [0]  # the identity: each node is mixed with no other
        return lambda width: inputs.model_class(inputs.config(recipe, names, **_widened(options, width)))
    if name == "mlp" and not recipe.task.of_nodes:
        return lambda width: recipe.task.as_peer(config, PooledPerceptron(config, width))
    if name == "inception":
        return lambda width: recipe.task.as_peer(config, _inception(config, width, recipe.task.of_nodes))
    # Labels of nodes may depend on later nodes, if they may for the compared model.
    both_ways = name in ("lstm", "gru") and recipe.task.of_nodes and config.bi_directional
    build = _encoder(name, config, both_ways)

    def peer(width: int) -> nn.Module:
        size = 2 * width if both_ways else width
        encoder = PooledEncoder(config, size, lambda m: build(m, width), of_nodes=recipe.task.of_nodes)
        return recipe.task.as_peer(config, encoder)

    return peer


def _inception(config: ChainHeadConfig, width: int, of_nodes: bool) -> PooledEncoder:
    pooled_by_mean = copy(config)
    pooled_by_mean.pooling = "mean"
    return PooledEncoder(pooled_by_mean, 4 * width, lambda m: Inception(m, width), of_nodes=of_nodes)


def _encoder(name: str, config: ChainHeadConfig, both_ways: bool) -> Callable[[int, int], nn.Module]:
    if name == "mlp":
        return NodePerceptron
    if name == "conv1d":
        # If the forecaster has no hops from later nodes, the convolution takes in only earlier nodes too.
        causal = config.prediction_length is not None and not config.bi_directional
        return partial(Convolution, causal=causal, with_batch_norm=config.with_batch_norm)
    if name == "dilated":
        assert config.chain_length is not None
        return partial(DilatedConvolution, length=config.chain_length)
    return partial(Recurrent, kind=nn.LSTM if name == "lstm" else nn.GRU, both_ways=both_ways)


def _widened(options: Mapping[str, Any], width: int) -> dict[str, Any]:
    """Set the width of a single head, or of the layers of a stack in proportion."""
    sizes = options.get("hidden_sizes")
    if not sizes:
        return {**options, "n": width}
    return {**options, "hidden_sizes": [max(1, round(size * width / sizes[0])) for size in sizes]}


def _narrowest(by_width: Callable[[int], nn.Module], weights: int, title: str) -> int:
    """Return the smallest width with at least as many weights."""
    least, most = 1, 1
    while _count(partial(by_width, most)) < weights:
        least, most = most + 1, most * 2
        if most > _WIDEST:
            raise RecipeError(
                f"no width gives {title} {weights:,} weights: state a width in overrides, or leave this peer out"
            )
    while least < most:
        middle = (least + most) // 2
        least, most = (middle + 1, most) if _count(partial(by_width, middle)) < weights else (least, middle)
    return least


def _count(build: Callable[[], nn.Module]) -> int:
    """Return the number of weights, without allocating them."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in build().parameters())
