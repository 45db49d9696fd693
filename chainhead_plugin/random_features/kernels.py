"""The kernels: fixed kernels with weights -1 and 2, random kernels in groups, and the input channels that each reads.

The weights of every kernel sum to zero. A kernel can therefore be applied to differences: w₀x₀ + … + w₈x₈ is the sum of
(w₀ + … + wⱼ)(xⱼ − xⱼ₊₁) over the eight j < 8. Computed in this way, an output is exactly 0 wherever a chain does not
change, at any level. All implementations multiply and add in this order, in float32. So a stream and a whole chain, a
CPU and a GPU compute the same bits, and agree on the side of a threshold on which an output lies, and on the kernel of
a group with the largest output.
"""

from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from .plan import NUM_KERNELS, NUM_TAPS, FeaturePlan

# The most input channels that a kernel adds up.
_MOST_CHANNELS = 9


@lru_cache(maxsize=2)
def fixed_taps(parity: int) -> NDArray[np.float32]:
    """Return the fixed kernels for dilations with an even (`parity` 0) or odd (`parity` 1) index.

    Returns
    -------
    float32 array [9, 84]
        Row j holds the weights of the node j·d before, for a dilation d. Outputs of the first 42 kernels count at every
        node, as if zeros preceded the chain. Outputs of the second 42 kernels count only where the chain covers the
        whole kernel. Even and odd indices swap the two halves.
    """
    taps = np.full((NUM_KERNELS, NUM_TAPS), -1, dtype=np.float32)
    for kernel, places in enumerate(combinations(range(NUM_TAPS), 3)):
        taps[kernel, list(places)] = 2
    order = [*range(parity, NUM_KERNELS, 2), *range(1 - parity, NUM_KERNELS, 2)]
    result = np.ascontiguousarray(taps[order].T)
    result.flags.writeable = False
    return result


def draw_group_taps(plan: FeaturePlan, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw the groups' kernels: normally distributed weights, then shifted to sum 0 and scaled to absolute sum 1.

    Parameters
    ----------
    plan : FeaturePlan
    rng : np.random.Generator

    Returns
    -------
    float32 array [banks, num_groups, group_size, 9]
    """
    taps = rng.standard_normal((len(plan.banks), plan.num_groups, plan.group_size, NUM_TAPS))
    taps -= taps.mean(axis=-1, keepdims=True)
    taps /= np.abs(taps).sum(axis=-1, keepdims=True)
    return taps.astype(np.float32)


def draw_channels(m: int, kernels: int, rng: np.random.Generator, signs: bool = False) -> NDArray[np.int8]:
    """Draw the channels that each kernel adds up: 1 to 9 of them, and small numbers more often than large numbers.

    Parameters
    ----------
    m : int
        Number of channels.
    kernels : int
        Number of kernels.
    rng : np.random.Generator
    signs : bool
        Whether channels may also be subtracted.

    Returns
    -------
    int8 array [kernels, m]
        1 for channels that are read (with `signs` 1 or -1), otherwise 0.
    """
    most = min(m, _MOST_CHANNELS)
    counts = np.minimum((2 ** rng.uniform(0, np.log2(most + 1), size=kernels)).astype(int), most)
    # Each channel gets a random number; those with the `count` smallest numbers are read.
    drawn = (rng.random((kernels, m)).argsort(axis=1).argsort(axis=1) < counts[:, None]).astype(np.int8)
    return drawn * rng.choice(np.array([-1, 1], dtype=np.int8), size=drawn.shape) if signs else drawn


def draw_level_channels(m: int, num_levels: int, rng: np.random.Generator) -> NDArray[np.int8]:
    """Draw the channels that each level adds up: a single channel for every second level, for the rest 1 to 9 of them.

    Parameters
    ----------
    m : int
        Number of channels.
    num_levels : int
        Number of levels.
    rng : np.random.Generator

    Returns
    -------
    int8 array [num_levels, m]
        1 or -1 for channels that are read, otherwise 0.
    """
    channels = draw_channels(m, num_levels, rng, signs=True)
    alone = np.arange(num_levels) if m == 1 else np.arange(0, num_levels, 2)
    channels[alone] = 0
    channels[alone, np.arange(len(alone)) % m] = 1
    return channels
