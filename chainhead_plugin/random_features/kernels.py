"""The kernels: fixed ones of -1 and 2, random ones in groups, and the input channels that each reads.

All sum to zero, so that they can be applied to differences: w₀x₀ + … + w₈x₈ is Σ (w₀ + … + wⱼ)(xⱼ − xⱼ₊₁) over the
eight j < 8. In this form every output is exactly 0 where a chain does not change, at any level. And every form
multiplies and adds in this order, in float32: a stream and a whole chain, a CPU and a GPU give the same bits, and do
not disagree about which side of a threshold an output lies on, or which of two kernels is ahead.
"""

from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from .plan import NUM_KERNELS, NUM_TAPS, FeaturePlan

# Most input channels that a kernel adds up.
_MOST_CHANNELS = 9


@lru_cache(maxsize=2)
def fixed_taps(parity: int) -> NDArray[np.float32]:
    """Return the fixed kernels for the dilations with even or odd numbers.

    Returns
    -------
    float32 array [9, 84]
        Row j weighs the node j·d before. The first half counts at every node, as if zeros preceded the chain; the
        second half only from the node on where the chain fills the whole kernel. Even and odd dilations swap halves.
    """
    taps = np.full((NUM_KERNELS, NUM_TAPS), -1, dtype=np.float32)
    for kernel, places in enumerate(combinations(range(NUM_TAPS), 3)):
        taps[kernel, list(places)] = 2
    order = [*range(parity, NUM_KERNELS, 2), *range(1 - parity, NUM_KERNELS, 2)]
    result = np.ascontiguousarray(taps[order].T)
    result.flags.writeable = False
    return result


def draw_group_taps(plan: FeaturePlan, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw the groups' kernels: normal, of sum zero and absolute sum one.

    Returns
    -------
    float32 array [banks, num_groups, group_size, 9]
    """
    taps = rng.standard_normal((len(plan.banks), plan.num_groups, plan.group_size, NUM_TAPS))
    taps -= taps.mean(axis=-1, keepdims=True)
    taps /= np.abs(taps).sum(axis=-1, keepdims=True)
    return taps.astype(np.float32)


def draw_channels(m: int, kernels: int, rng: np.random.Generator, signs: bool = False) -> NDArray[np.int8]:
    """Draw the channels that each kernel adds up: 1 to 9 of them, few more often than many.

    Returns
    -------
    int8 array [kernels, m]
        1 (or, with `signs`, 1 or -1) for channels that are read, otherwise 0.
    """
    most = min(m, _MOST_CHANNELS)
    counts = np.minimum((2 ** rng.uniform(0, np.log2(most + 1), size=kernels)).astype(int), most)
    # The channels with the `count` smallest of m random numbers.
    drawn = (rng.random((kernels, m)).argsort(axis=1).argsort(axis=1) < counts[:, None]).astype(np.int8)
    return drawn * rng.choice(np.array([-1, 1], dtype=np.int8), size=drawn.shape) if signs else drawn


def draw_level_channels(m: int, num_levels: int, rng: np.random.Generator) -> NDArray[np.int8]:
    """Draw the sums of channels whose levels are counted: every second is a channel by itself.

    Returns
    -------
    int8 array [num_levels, m]
    """
    channels = draw_channels(m, num_levels, rng, signs=True)
    alone = np.arange(num_levels) if m == 1 else np.arange(0, num_levels, 2)
    channels[alone] = 0
    channels[alone, np.arange(len(alone)) % m] = 1
    return channels
