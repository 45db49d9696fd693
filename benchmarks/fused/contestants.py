"""The contestants of the fused kernels: heads of the other benchmarks, and heads that these kernels alone are for."""

from ..speed.contestants import Contestant, head_with, named

CHANNELS = Contestant(
    "hops −2, 0, 1 and 4, a matrix each",
    "head",
    head_with({"channel_hops": [-2, 0, 1, 4], "bi_directional": True}),
)
LEARNED_EXPONENTIAL = Contestant(
    "exponential with learned decay, bi",
    "head",
    head_with(
        {"with_exponential_approx": True, "bi_directional": True, "decay": 0.6, "with_learned_decay": True}
    ),
)
_OWN = {each.name: each for each in (CHANNELS, LEARNED_EXPONENTIAL)}


def contestant(name: str) -> Contestant:
    """Return the contestant of that name."""
    return _OWN.get(name) or named(name)
