"""The options of a stack's layers, and how many weights they ask for, before anything is allocated."""

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace

from ..checks.values import check_whole_number
from ..head.linear.options import MAX_PARAMETERS, LinearOptions
from ..head.options import HeadOptions

_MAX_LAYERS = 1024


def stacked_options(options: HeadOptions, before: int, width: int) -> tuple[LinearOptions, HeadOptions]:
    """Return the options of a layer's perceptron and of its chain head.

    Parameters
    ----------
    options : HeadOptions
        Those that a stack's configuration states for the layer, but for its widths.
    before, width : int
        Features of a node before and after the layer.
    """
    perceptron = {field.name: getattr(options, field.name) for field in fields(LinearOptions)}
    perceptron |= {"m": before, "n": width}
    if options.channel_hops is not None:
        perceptron["channel_num"] = 1
    return LinearOptions(**perceptron), replace(options, m=width, n=width, with_taylor=False, d=2)


def check_widths(n: int | None, hidden_sizes: Sequence[int]) -> None:
    """Check the widths of a stack's layers.

    Raises
    ------
    TypeError, ValueError
        If they are no whole numbers, out of range, too many, or do not end with `n`.
    """
    if hidden_sizes and n != hidden_sizes[-1]:
        raise ValueError(
            f"n={n} differs from the last of hidden_sizes={hidden_sizes}: leave n out, it follows"
        )
    if len(hidden_sizes) > _MAX_LAYERS:
        raise ValueError(f"hidden_sizes has {len(hidden_sizes):,} layers, more than {_MAX_LAYERS:,}")
    for width in hidden_sizes:
        check_whole_number("each of hidden_sizes", width, 1, MAX_PARAMETERS)


def check_size(layers: Iterable[tuple[LinearOptions | None, HeadOptions]], others: int) -> None:
    """Bound the weights of the whole model.

    Parameters
    ----------
    layers : iterable of pairs
        Options of each layer's perceptron, or None, and of its chain head.
    others : int
        Weights outside of the layers.

    Raises
    ------
    ValueError
        If the model has more than 2³³ weights.
    """
    total = others
    for perceptron, head in layers:
        total += head.weight_count + (perceptron.weight_count if perceptron else 0)
        if total > MAX_PARAMETERS:  # at once: a thousand layers take time to count
            raise ValueError(
                f"the configuration asks for {total:,} weights or more, more than the {MAX_PARAMETERS:,} allowed: "
                "check m, n, hidden_sizes, channel_num, d, chain_length with pooling='flatten', vocab_size, "
                "num_labels and prediction_length"
            )
