"""How many kernels of which kinds there are, and where their features lie."""

from dataclasses import dataclass
from functools import cached_property
from math import prod

# Nine taps, three of them 2 and six -1: 84 kernels, each of which sums to zero.
NUM_TAPS = 9
NUM_KERNELS = 84
NUM_POOLS = 4


@dataclass(frozen=True)
class FeaturePlan:
    """The sizes of everything that random chain heads compute.

    Parameters
    ----------
    m : int
        Features of a node.
    dilations : tuple of int
        Distances between the taps of a kernel, ascending.
    causal : bool
        Whether a kernel's taps lie at 0, d, …, 8d nodes before the present node, or around it, from 4d before to
        4d after.
    with_differences : bool
        Whether every kernel also has a twin that reads the differences between successive nodes.
    num_biases : int
        Thresholds of each kernel's output.
    num_groups, group_size : int
        Groups of random kernels that compete: at each node the largest and the smallest output are counted.
    num_levels : int
        Thresholds of the nodes themselves.
    """

    m: int
    dilations: tuple[int, ...]
    causal: bool
    with_differences: bool
    num_biases: int
    num_groups: int
    group_size: int
    num_levels: int

    @cached_property
    def banks(self) -> tuple[tuple[bool, int, int], ...]:
        """Every bank of kernels: whether it reads differences, its dilation, and the dilation's number."""
        inputs = (False, True) if self.with_differences else (False,)
        return tuple((diff, d, i) for diff in inputs for i, d in enumerate(self.dilations))

    @property
    def reach(self) -> int:
        """Nodes before the present node that kernels read, not counting differences."""
        return (NUM_TAPS - 1) * max(self.dilations)

    def lag(self, dilation: int) -> int:
        """Nodes after its own place that a kernel's output waits for."""
        return 0 if self.causal else (NUM_TAPS // 2) * dilation

    @property
    def kernel_shape(self) -> tuple[int, int, int, int]:
        """Features of the fixed kernels: bank, threshold, pool, kernel."""
        return len(self.banks), self.num_biases, NUM_POOLS, NUM_KERNELS

    @property
    def group_shape(self) -> tuple[int, int, int, int]:
        """Features of the groups: bank, largest or smallest, group, kernel."""
        return len(self.banks), 2, self.num_groups, self.group_size

    @property
    def level_shape(self) -> tuple[int, int]:
        """Features of the nodes themselves: pool, threshold."""
        return NUM_POOLS, self.num_levels

    @cached_property
    def block_sizes(self) -> tuple[int, int, int]:
        """Features of the fixed kernels, of the groups and of the nodes, in the order in which they lie."""
        return prod(self.kernel_shape), prod(self.group_shape), prod(self.level_shape)

    @property
    def num_features(self) -> int:
        """All features of a chain."""
        return sum(self.block_sizes)


def dilations_for(length: float) -> list[int]:
    """Return 1, 2, 4, … for as long as a kernel fits into `length` nodes; at least 1."""
    dilations = [1]
    while 2 * dilations[-1] * (NUM_TAPS - 1) <= length:
        dilations.append(2 * dilations[-1])
    return dilations
