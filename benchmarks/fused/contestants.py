"""The contestants of the fused kernels: heads of the other benchmarks, and a head whose channels have hops."""

from ..speed.contestants import Contestant, head_with, named

CHANNELS = Contestant(
    "hops −2, 0, 1 and 4, a matrix each",
    "head",
    head_with({"channel_hops": [-2, 0, 1, 4], "bi_directional": True}),
)


def contestant(name: str) -> Contestant:
    """Return the contestant of that name."""
    return CHANNELS if name == CHANNELS.name else named(name)
