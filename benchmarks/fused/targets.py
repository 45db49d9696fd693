"""What a chain may cost on a CUDA device in bfloat16, in times of `nn.Linear` in the same run."""

from typing import Literal

from ..speed.contestants import Shape
from ..speed.work import Work
from .contestants import CHANNELS, LEARNED_EXPONENTIAL

Group = Literal["hops", "filters", "one scan", "both ways", "four maps"]

GROUPS: dict[str, Group] = {
    "single hop, uni": "hops",
    "single hop, bi": "hops",
    "single hop, uni, 4 channels": "hops",
    "3 hops, uni": "hops",
    "3 hops, bi": "hops",
    "3 hops, accumulative, bi": "filters",
    "exponential, uni": "filters",
    "exponential, bi": "filters",
    "inverse, uni": "one scan",
    "inverse with decay, uni": "one scan",
    "inverse with learned decay, uni": "one scan",
    "inverse, bi": "both ways",
    "inverse with decay, bi": "both ways",
    LEARNED_EXPONENTIAL.name: "one scan",
    CHANNELS.name: "four maps",
}
SHAPES: tuple[Shape, ...] = ((64, 1024, 256, 256), (64, 1024, 1024, 1024), (64, 1024, 512, 128))
# Forward, and forward with backward, for each of the shapes.
_LIMITS: dict[Group, tuple[tuple[float, float], ...]] = {
    "hops": ((1.25, 1.4), (1.15, 1.2), (1.2, 1.25)),
    "filters": ((1.5, 1.6), (1.2, 1.3), (1.4, 1.4)),
    "one scan": ((1.8, 2.0), (1.3, 1.4), (1.6, 1.7)),
    "both ways": ((3.0, 3.5), (1.8, 2.0), (2.5, 2.5)),
    "four maps": ((5.0, 5.6), (4.6, 4.8), (4.8, 5.0)),  # four times those of hops
}
SMALL_CALL = 2.0  # a call on a chain of 8 nodes, and a step
SMALL_GRAPH = 1.3  # the same in a CUDA graph


def limit(name: str, shape: Shape, work: Work) -> float | None:
    """Return the limit of a contestant on one of `SHAPES`; None for other shapes."""
    if shape not in SHAPES:
        return None
    return _LIMITS[GROUPS[name]][SHAPES.index(shape)][work != "forward"]
