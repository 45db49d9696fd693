"""A model in the words of its card: every option of its heads, and a picture of the first head's chain."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..chain.kinds import Chain
from ..chain.reference import interdependence_matrix
from ..config.configuration_chainhead import ChainHeadConfig
from ..config.configuration_random_chain import RandomChainConfig
from ..config.stacks import is_by_layer
from .card_text import cell
from .input_facts import forecast_facts, node_facts
from .matrix_png import draw_matrix

_SHOWN_NODES = 12
_SHOWN_LABELS = 20
_NORMALISATIONS = {
    "pre-batch": "BatchNorm of their input",
    "post-batch": "BatchNorm of their output",
    "pre-layer": "LayerNorm of their input",
    "post-layer": "LayerNorm of their output",
}


class ChainPicture(NamedTuple):
    """A picture of a chain's matrix, and its caption."""

    png: bytes
    caption: str


def model_words(config: ChainHeadConfig | RandomChainConfig) -> tuple[str, str]:
    """Return two paragraphs of a card: how a model works, and its limits."""
    if isinstance(config, RandomChainConfig):
        return (
            "Frozen chain heads, of 84 fixed and some random kernels for every dilation, are compared with "
            "thresholds and with each other at every node; how often, where and how long they win are the "
            "features of one linear map.",
            "Only the linear map is trained; thresholds and scales are those of the training series. Series "
            "of other lengths, levels and scales may fare worse. Compare it with the models that you would use "
            "otherwise, on your own data.",
        )
    return (
        "Each node of a chain takes in its neighbours through a fixed matrix, exactly and in time linear in the "
        "length, and is then mapped to new features.",
        "The chain's matrix is fixed: it does not look at the data. Compare with the same model without hops, and with "
        "the models that you would use otherwise, on your own data.",
    )


def model_facts(config: ChainHeadConfig | RandomChainConfig, *, is_classifier: bool) -> dict[str, str]:
    """Return the rows of a card's table of a model, by name.

    Parameters
    ----------
    config : ChainHeadConfig or RandomChainConfig
    is_classifier : bool
        Whether the model has labels.

    Returns
    -------
    dict of str
        Markdown that keeps within the cell of a table.
    """
    facts = _random_facts(config) if isinstance(config, RandomChainConfig) else _chain_facts(config)
    if isinstance(config, ChainHeadConfig) and (is_classifier or config.prediction_length is not None):
        facts["pooling"] = ", ".join(config.poolings)
    if is_classifier:
        labels = [cell(config.id2label[i]) for i in range(min(config.num_labels, _SHOWN_LABELS))]
        facts["labels"] = ", ".join(labels) + (", …" if config.num_labels > len(labels) else "")
    return facts


def _random_facts(config: RandomChainConfig) -> dict[str, str]:
    direction = "the present node and those before (causal)" if config.causal else "nodes on both sides"
    inputs = "nodes and their differences" if config.with_differences else "nodes"
    groups = f"{config.num_groups} groups of {config.group_size} random kernels"
    pools = "shares of a chain's nodes"
    if config.reference_length is not None:
        pools = f"counts of nodes, in units of {config.reference_length}"
    return {
        "features of a node": f"{config.m}",
        "dilations": ", ".join(map(str, config.dilations)),
        "kernels for each dilation": f"84 with {config.num_biases} thresholds, and {groups}, of {inputs}",
        "kernels reach": direction,
        "thresholds of the nodes": f"{config.num_levels}",
        "pools": pools,
        "features of a sequence": f"{config.hidden_size:,}",
    }


def _chain_facts(config: ChainHeadConfig) -> dict[str, str]:
    options = config.layer_options(0)[1]
    chain = options.chain
    channels = options.channels
    direction = "bi-directional" if config.bi_directional else "uni-directional (causal)"
    facts = {
        "features of a node": f"{config.m} before, {config.n} after",
        "layers": ", ".join(map(str, config.hidden_sizes)) or "one chain head",
        "chain": ", ".join([*_kind(chain, learned=config.with_learned_decay), direction]),
        "weights": f"{_reconciliation(config)}, {channels} channel{'s' if channels > 1 else ''}",
        "around them": ", ".join(_surroundings(config)) or "nothing",
        **node_facts(config),
        **forecast_facts(config),
    }
    if is_by_layer(config.channel_hops):
        rest = [config.layer_options(i)[1].chain for i in range(1, config.num_hidden_layers)]
        facts["chains of the next layers"] = (
            "; ".join(_kind(each, learned=False)[0] for each in rest) or "none"
        )
    return facts


def chain_picture(config: ChainHeadConfig | RandomChainConfig) -> ChainPicture | None:
    """Draw the matrix of a model's first chain; None where its numbers are too large, or there is no such matrix."""
    if isinstance(config, RandomChainConfig):
        return None
    chain = config.layer_options(0)[1].chain
    matrix: NDArray[np.float64] = interdependence_matrix(chain, _SHOWN_NODES).numpy()
    if not np.isfinite(matrix).all():
        return None

    caption = f"The chain matrix for {_SHOWN_NODES} nodes: node j takes in node i with the weight in row i, column j."
    if chain.kind == "channel_hops":
        # Every channel has another hop: no two channels have an entry in the same place.
        matrix = matrix.sum(0)
        caption = (
            f"The channels' chain matrices in one picture, for {_SHOWN_NODES} nodes: row i, column j is coloured if "
            "node j takes in node i in any of them."
        )

    if config.with_learned_decay:
        caption += f" It is drawn for γ = {chain.decay:g}, where learning starts."
    if beyond := [hop for hop in chain.channel_hops if abs(hop) >= _SHOWN_NODES]:
        caption += f" Hops beyond its edge: {', '.join(map(str, beyond))}."

    caption += (
        " White is 0, blue positive, red negative; the deepest colour is "
        f"{float(np.abs(matrix).max()):.4g} in size."
    )
    return ChainPicture(draw_matrix(matrix), caption)


def _kind(chain: Chain, *, learned: bool) -> list[str]:
    """Return the words for a kind of chain."""
    words = {
        "single_hop": ["single hop"],
        "multihop": [f"{chain.hops} hop{'s' if chain.hops > 1 else ''} at once"],
        "inverse": ["inverse, all hops"],
        "exponential": ["exponential, all hops"],
        "channel_hops": [f"a hop for each channel ({', '.join(map(str, chain.channel_hops))})"],
    }[chain.kind]
    if chain.kind == "multihop" and chain.accumulative:
        words = [f"all of up to {chain.hops} hop{'s' if chain.hops > 1 else ''}"]
    if chain.kind in ("single_hop", "multihop"):
        weight = "itself" if chain.self_weight == 1 else f"{chain.self_weight:g} times itself"
        words.append(f"each node takes in {weight} too" if chain.self_weight else "no node takes in itself")
    if chain.decay is not None:
        words.append(
            f"decay γ learned for every feature, from {chain.decay:g}"
            if learned
            else f"decay γ = {chain.decay:g}"
        )
    return words


def _reconciliation(config: ChainHeadConfig) -> str:
    if config.with_lorr:
        return f"LORR of rank {config.r}"
    return f"dual LPHM of rank {config.r}" if config.with_dual_lphm else "plain"


def _surroundings(config: ChainHeadConfig) -> list[str]:
    names = {
        "with_taylor": f"Taylor expansion of degree {config.d}",
        "with_residual": "residual",
        "enable_bias": "bias",
        "with_batch_norm": "BatchNorm",
        "with_relu": "ReLU",
        "with_dropout": f"dropout {config.p}",
        "with_softmax": "softmax",
        "with_differences": "differences of nodes beside them",
        "normalisation": f"between layers {_NORMALISATIONS.get(config.normalisation or '', '')}",
        "identity_residual": "identity residual between layers",
        "channel_dropout": f"dropout {config.channel_dropout} of channels",
    }
    return [text for name, text in names.items() if getattr(config, name)]
