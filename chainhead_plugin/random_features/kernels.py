"""The kernels: fixed ones of -1 and 2, random ones in groups, and the input channels that each reads.

All weights are whole numbers, and nodes are rounded to whole numbers of small steps, of a size at which sums stay
below 2²⁴. So float32 computes every kernel's output exactly, in any order and on any device: a stream and a whole
chain, a CPU and a GPU never disagree about which side of a threshold an output lies on.
"""

from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from .plan import NUM_KERNELS, NUM_TAPS, FeaturePlan

# Largest sum of a kernel's absolute weights over one channel: 18 for the fixed kernels, at most this for random ones.
LARGEST_KERNEL = 36
# Most input channels that a kernel adds up.
MOST_CHANNELS = 9
# Whole numbers up to here are exact in float32.
_EXACT = 2**24


def largest_node(m: int) -> int:
    """Return the largest absolute value of a rounded node at which all kernels' outputs are exact in float32."""
    return int(_EXACT // (LARGEST_KERNEL * min(m, MOST_CHANNELS)))


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


def draw_group_taps(plan: FeaturePlan, rng: np.random.Generator) -> NDArray[np.int8]:
    """Draw the groups' kernels: normal, of sum zero, rounded to whole numbers.

    Returns
    -------
    int8 array [banks, num_groups, group_size, 9]
        Of absolute sum `LARGEST_KERNEL` at most.
    """
    taps = rng.standard_normal((len(plan.banks), plan.num_groups, plan.group_size, NUM_TAPS))
    taps -= taps.mean(axis=-1, keepdims=True)
    # Rounding moves every tap by at most a half; the largest tap then takes the sum back to zero.
    taps *= (LARGEST_KERNEL - NUM_TAPS) / np.abs(taps).sum(axis=-1, keepdims=True)
    whole = np.rint(taps)
    largest = np.abs(taps).argmax(axis=-1)[..., None]
    balanced = np.take_along_axis(whole, largest, -1) - whole.sum(axis=-1, keepdims=True)
    np.put_along_axis(whole, largest, balanced, axis=-1)
    return whole.astype(np.int8)


def draw_channels(m: int, kernels: int, rng: np.random.Generator, signs: bool = False) -> NDArray[np.int8]:
    """Draw the channels that each kernel adds up: 1 to 9 of them, few more often than many.

    Returns
    -------
    int8 array [kernels, m]
        1 (or, with `signs`, 1 or -1) for the channels that are read, 0 for the others.
    """
    most = min(m, MOST_CHANNELS)
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
