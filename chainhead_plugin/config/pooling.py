"""The poolings of a chain, by name, and how many features they give."""

from collections.abc import Sequence
from typing import Literal, get_args

from ..checks.values import check_choice

Pooling = Literal["mean", "last", "max", "flatten", "std", "ppv"]
POOLINGS: tuple[str, ...] = get_args(Pooling)


def poolings_of(pooling: str | Sequence[str]) -> tuple[str, ...]:
    """Return the poolings that a field stands for, in the order of their features."""
    return (pooling,) if isinstance(pooling, str) else tuple(pooling)


def check_pooling(pooling: str | Sequence[str]) -> None:
    """Check a field `pooling`.

    Raises
    ------
    ValueError
        If it names no pooling, an unknown pooling, or a pooling twice.
    """
    names = poolings_of(pooling)
    if not names:
        raise ValueError(f"pooling is an empty list: expected one or several of {', '.join(POOLINGS)}")
    for name in names:
        check_choice("each pooling", name, POOLINGS)
        if names.count(name) > 1:
            raise ValueError(f"pooling has {name!r} twice: name it once")


def pooled_width(pooling: str | Sequence[str], width: int, chain_length: int) -> int:
    """Return the number of features of a pooled chain whose nodes have `width` of them."""
    return sum(width * (chain_length if name == "flatten" else 1) for name in poolings_of(pooling))
