"""The outcome of a metric: its values on the test part, one for every seed."""

import math
import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """One metric of a model on the test part.

    Attributes
    ----------
    values : tuple of float
        A value for every seed, NaN where the metric is not defined.
    """

    values: tuple[float, ...]

    @property
    def is_defined(self) -> bool:
        """Whether the metric is defined for every seed."""
        return not any(map(math.isnan, self.values))

    @property
    def mean(self) -> float | None:
        """The mean over the seeds, None where the metric is not defined for all of them."""
        return statistics.mean(self.values) if self.is_defined else None

    @property
    def sd(self) -> float | None:
        """The standard deviation over the seeds, None of a single seed and where there is no mean."""
        return statistics.stdev(self.values) if self.is_defined and len(self.values) > 1 else None
