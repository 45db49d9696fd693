"""The options of a stack's layers, and how many weights they ask for, before anything is allocated."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..head.options import MAX_PARAMETERS, check_head_options, count_parameters

HEAD_OPTIONS = (
    "m",
    "n",
    "chain_length",
    "channel_num",
    "bi_directional",
    "with_multihop",
    "h",
    "accumulative",
    "with_inverse_approx",
    "with_exponential_approx",
    "self_dependence",
    "self_scaling",
    "with_taylor",
    "d",
    "with_dual_lphm",
    "with_lorr",
    "r",
    "enable_bias",
    "with_residual",
    "with_batch_norm",
    "with_relu",
    "with_softmax",
    "with_dropout",
    "p",
    "parameters_init_method",
    "channel_hops",
    "decay",
    "with_learned_decay",
)
# Those that a perceptron has too.
_PERCEPTRON_OPTIONS = (
    "channel_num",
    "with_taylor",
    "d",
    "with_dual_lphm",
    "with_lorr",
    "r",
    "enable_bias",
    "with_residual",
    "parameters_init_method",
)
# What only heads have of what is counted.
_UNCOUNTED = {"with_batch_norm": False, "channel_hops": None, "with_learned_decay": False}
_MAX_LAYERS = 1024


def stacked_options(
    head: Mapping[str, Any], hidden_sizes: Sequence[int], layer: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the options of a layer's perceptron and of its chain head.

    Parameters
    ----------
    head : mapping
        The options that a stack's configuration states, of which `m` is the width of the input.
    hidden_sizes : sequence of int
        The widths of all layers.
    layer : int
    """
    width = hidden_sizes[layer]
    perceptron = {name: head[name] for name in _PERCEPTRON_OPTIONS}
    perceptron |= {"m": hidden_sizes[layer - 1] if layer else head["m"], "n": width}
    if head["channel_hops"] is not None:
        perceptron["channel_num"] = 1
    return perceptron, {**head, "m": width, "n": width, "with_taylor": False, "d": 2}


def check_widths(n: int | None, hidden_sizes: Sequence[int]) -> None:
    """Check the widths of a stack's layers.

    Raises
    ------
    ValueError
        If they are out of range, too many, or do not end with `n`.
    """
    if hidden_sizes and n != hidden_sizes[-1]:
        raise ValueError(
            f"n={n} differs from the last of hidden_sizes={hidden_sizes}: leave n out, it follows"
        )
    if len(hidden_sizes) > _MAX_LAYERS:
        raise ValueError(f"hidden_sizes has {len(hidden_sizes):,} layers, more than {_MAX_LAYERS:,}")
    for width in hidden_sizes:
        if isinstance(width, bool) or not 1 <= width <= MAX_PARAMETERS:
            raise ValueError(f"hidden_sizes must hold widths of at least 1, got {width!r}")


def check_size(layers: Iterable[tuple[Mapping[str, Any] | None, Mapping[str, Any]]], others: int) -> None:
    """Check the options of every layer, and bound the weights of the whole model.

    Parameters
    ----------
    layers : iterable of pairs of mappings
        Options of each layer's perceptron, or None, and of its chain head.
    others : int
        Weights outside of the layers.

    Raises
    ------
    TypeError, ValueError
        If an option is not valid, or the model has more than 2³³ weights.
    """
    total = others
    for perceptron, head in layers:
        check_head_options(head)
        total += count_parameters(head)
        if perceptron is not None:
            total += count_parameters({**head, **perceptron, **_UNCOUNTED})
        if total > MAX_PARAMETERS:  # at once: a thousand layers take time to count
            raise ValueError(
                f"the configuration asks for {total:,} weights or more, more than the {MAX_PARAMETERS:,} allowed: "
                "check m, n, hidden_sizes, channel_num, d, chain_length with pooling='flatten', vocab_size, "
                "num_labels and prediction_length"
            )
