"""The promised limits, which stand beside the measured values."""

from collections.abc import Mapping
from typing import Any

# Times of a bare nn.Linear, forward and forward+backward, by the kind of chain.
SHAPE = {
    "uni": (1.15, 1.3),
    "bi": (1.25, 1.3),
    "hops": (1.4, 1.5),
    "exponential": (1.5, 1.6),
    "scan": (1.4, 1.5),
    "two scans": (3.0, 3.0),
    "spectral": (3.0, 3.0),
    "low rank": (1.0, 1.0),
}
LENGTH = 20.0  # time at 16 L over time at L
MEMORY = 8.5  # peak memory at 8 L over that at L
MILLION_BYTES = 4 * 2**30
SMALL = 3.0  # a call on a chain of 8 nodes, over a call of nn.Linear
STEP = 2.0  # a step, over nn.Linear on a single node
IMPORT_MS = 100.0  # importing the plugin, beyond importing transformers
CREATE_MS = 300.0  # to create a shipped model, once everything is imported
PIPELINE_SHARE = 0.8  # of the throughput of calling extractor and model in batches
# On CUDA single hops alone have limits: against a matrix product that arithmetic bounds, and as a share of
# the speed of a copy where memory bounds it.
CUDA_LINEAR = 1.15
CUDA_COPY_SHARE = 0.7
_CUDA_LINEAR_WIDTH, _CUDA_COPY_WIDTH = 1024, 256


def linear_limit(row: Mapping[str, Any], device: str) -> float | None:
    """Limit of a row's time over that of nn.Linear, if it has a limit."""
    if row["group"] != "head":
        return None
    if row["case"] == "small":
        return SMALL if row["work"] == "forward" else None
    if row["case"] == "step":
        return STEP
    if row["case"] != "shape":
        return None
    if device == "cuda":
        wide = row["shape"][2] == row["shape"][3] == _CUDA_LINEAR_WIDTH
        return CUDA_LINEAR if wide and row["target"] in ("uni", "bi") and row["work"] == "forward" else None
    return SHAPE[row["target"]][row["work"] != "forward"]


def copy_limit(row: Mapping[str, Any]) -> float | None:
    """Least share of a copy's speed that a row must reach, if any."""
    square = row["shape"][2] == row["shape"][3] == _CUDA_COPY_WIDTH
    single = row["target"] in ("uni", "bi") and row["work"] == "forward" and row["case"] == "shape"
    return CUDA_COPY_SHARE if square and single else None
