"""Configuration of random chain heads."""

from dataclasses import field
from typing import Any, ClassVar

from huggingface_hub.dataclasses import strict
from transformers.configuration_utils import PreTrainedConfig

from ..checks.values import check_choice, check_whole_number
from ..storage.code_origin import AutoClassMixin
from .keywords import prepare_keywords
from .origin import OriginMixin
from .whole_saving import WholeConfigMixin

_PROBLEM_TYPES = (None, "single_label_classification", "multi_label_classification", "regression")
# The most of each size, and of all weights together: a file may come from an attacker.
_MOST = {
    "m": 2**16,
    "num_biases": 64,
    "num_groups": 4096,
    "group_size": 64,
    "num_levels": 2**16,
    "reference_length": 2**31,
    "seed": 2**63 - 1,
}
_MOST_DILATIONS = 64
_LARGEST_DILATION = 2**20
_MOST_WEIGHTS = 2**31


@strict
class RandomChainConfig(AutoClassMixin, OriginMixin, WholeConfigMixin, PreTrainedConfig):
    r"""Configuration of random chain heads: frozen kernels at many dilations, pooled, and a linear map.

    Parameters
    ----------
    m : int
        Features of a node.
    dilations : list of int
        Distances between the nine taps of kernels, ascending.
    causal : bool
        Whether taps lie at the present node and before it, so that the model can stream; otherwise around it.
    with_differences : bool
        Whether every kernel has a twin that reads the differences between successive nodes.
    num_biases : int
        Thresholds of the output of each of the 84 fixed kernels of a dilation.
    num_groups, group_size : int
        Groups of random kernels of a dilation, and kernels in each: at every node those with the largest and the
        smallest output are counted.
    num_levels : int
        Thresholds of the nodes themselves.
    reference_length : int, optional
        Pools are shares of a chain's nodes; with a reference length they are counts, in units of so many nodes.
    seed : int
        Seed of the kernels and channels of an untrained model.

    Raises
    ------
    huggingface_hub.errors.StrictDataclassError
        If a field has the wrong type or value; the message names it.
    TypeError, ValueError
        As of `ChainHeadConfig`, for arguments that are no fields.

    Examples
    --------
    >>> config = RandomChainConfig(m=1, dilations=[1, 2, 4, 8], num_labels=3)
    """

    model_type = "chainhead-random"
    attribute_map: ClassVar[dict[str, str]] = {"input_size": "m"}

    m: int = 1
    dilations: list[int] = field(default_factory=lambda: [1])
    causal: bool = True
    with_differences: bool = True
    num_biases: int = 4
    num_groups: int = 32
    group_size: int = 8
    num_levels: int = 64
    reference_length: int | None = None
    seed: int = 0

    def __post_init__(self, **kwargs: Any) -> None:
        prepare_keywords(self, kwargs)
        super().__post_init__(**kwargs)

    @property
    def hidden_size(self) -> int:
        """Features of a chain, which the linear map takes."""
        banks = len(self.dilations) * (2 if self.with_differences else 1)
        return (
            banks * (84 * 4 * self.num_biases + 2 * self.num_groups * self.group_size) + 4 * self.num_levels
        )

    def validate_options(self) -> None:
        """Check every field, and that the model's size is bounded."""
        least = {"m": 1, "num_biases": 1, "reference_length": 1}
        for name, most in _MOST.items():
            value = getattr(self, name)
            if value is not None:
                check_whole_number(name, value, least.get(name, 0), most)

        if (self.num_groups == 0) != (self.group_size == 0) or self.group_size == 1:
            raise ValueError(
                f"{self.num_groups} groups of {self.group_size} kernels: expected groups of at least 2, or "
                "num_groups=0 and group_size=0 for none"
            )

        dilations = self.dilations
        check_whole_number("the number of dilations", len(dilations), 1, _MOST_DILATIONS)
        for dilation in dilations:
            check_whole_number("each of dilations", dilation, 1, _LARGEST_DILATION)
        if dilations != sorted(set(dilations)):
            raise ValueError(f"dilations must be different and ascending, got {dilations}")

        check_choice("problem_type", self.problem_type, _PROBLEM_TYPES)
        banks = len(dilations) * (2 if self.with_differences else 1)
        channels = self.m * (banks * (84 + self.num_groups) + self.num_levels)
        if (channels + self.hidden_size * (self.num_labels or 1)) > _MOST_WEIGHTS:
            raise ValueError(
                f"the model would have more than {_MOST_WEIGHTS:,} weights: choose fewer dilations, groups or labels"
            )


__all__ = ["RandomChainConfig"]
