"""The number of kernels of each kind, and the layout of their features."""

from dataclasses import dataclass
from functools import cached_property
from math import prod

# A fixed kernel has nine weights, called taps: three are 2 and six are -1, with a sum of zero. There are 84 of them.
NUM_TAPS = 9
NUM_KERNELS = 84
NUM_POOLS = 4


@dataclass(frozen=True)
class FeaturePlan:
    """The sizes of everything that random chain heads compute.

    Parameters
    ----------
    m : int
        Number of features of a node, also called channels.
    dilations : tuple of int
        Distances between the taps of a kernel, in nodes, ascending.
    causal : bool
        If True, a kernel with dilation d reads the nodes 0, d, …, 8d before the present node. If False, it reads nodes
        around the present node, from 4d before to 4d after it.
    with_differences : bool
        Whether every kernel also has a twin that reads the differences between successive nodes.
    num_biases : int
        Number of thresholds of each fixed kernel's output.
    num_groups, group_size : int
        Number of groups of random kernels, and of kernels in a group. In a group kernels compete: at each node only
        the kernels with the largest and with the smallest output count.
    num_levels : int
        Number of thresholds of the nodes themselves, called levels.
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
        """For every bank of kernels: whether it reads differences, its dilation, and the index of the dilation."""
        inputs = (False, True) if self.with_differences else (False,)
        return tuple((diff, d, i) for diff in inputs for i, d in enumerate(self.dilations))

    @property
    def reach(self) -> int:
        """The number of nodes before the present node that kernels read, not counting differences."""
        return (NUM_TAPS - 1) * max(self.dilations)

    def lag(self, dilation: int) -> int:
        """Return how many nodes after its own place a kernel's output waits for; 0 if the plan is causal."""
        return 0 if self.causal else (NUM_TAPS // 2) * dilation

    @property
    def kernel_shape(self) -> tuple[int, int, int, int]:
        """Shape of the fixed kernels' features: [banks, thresholds, pools, kernels]."""
        return len(self.banks), self.num_biases, NUM_POOLS, NUM_KERNELS

    @property
    def group_shape(self) -> tuple[int, int, int, int]:
        """Shape of the groups' features: [banks, 2 for largest and smallest, groups, kernels of a group]."""
        return len(self.banks), 2, self.num_groups, self.group_size

    @property
    def level_shape(self) -> tuple[int, int]:
        """Shape of the levels' features: [pools, levels]."""
        return NUM_POOLS, self.num_levels

    @cached_property
    def block_sizes(self) -> tuple[int, int, int]:
        """Number of features of the fixed kernels, of the groups and of the levels, in this order."""
        return prod(self.kernel_shape), prod(self.group_shape), prod(self.level_shape)

    @cached_property
    def part_sizes(self) -> tuple[int, int, int, int, int]:
        """Number of features of the fixed kernels and of the groups, each of nodes and of differences, and of levels.

        Features of a chain lie in the order: kernels of nodes, kernels of differences, groups of nodes, groups of
        differences, levels.
        """
        kernels, groups, levels = self.block_sizes
        of_nodes = len(self.dilations)
        kernels_of_nodes, groups_of_nodes = (size // len(self.banks) * of_nodes for size in (kernels, groups))
        return kernels_of_nodes, kernels - kernels_of_nodes, groups_of_nodes, groups - groups_of_nodes, levels

    @property
    def parts_of_nodes(self) -> tuple[bool, bool, bool, bool, bool]:
        """Whether each part of `part_sizes` reads nodes themselves, and not their differences."""
        return True, False, True, False, True

    @property
    def num_features(self) -> int:
        """Number of all features of a chain."""
        return sum(self.block_sizes)


def dilations_for(length: float) -> list[int]:
    """Return the dilations 1, 2, 4, … with which a kernel fits into `length` nodes; the list is never empty."""
    dilations = [1]
    while 2 * dilations[-1] * (NUM_TAPS - 1) <= length:
        dilations.append(2 * dilations[-1])
    return dilations
