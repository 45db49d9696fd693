"""The options of a linear map with reconciled weights: those that a perceptron and a chain head share."""

from dataclasses import dataclass

from ...checks.values import check_choice, check_switch, check_whole_number
from ..expansion import expanded_features
from .reduced_reconciliation import closest_factors

INITIALISERS = ("xavier_normal", "xavier_uniform", "kaiming_uniform", "fanout_std_uniform")

# A tensor of more weights than this is a mistake or an attack, not a head.
MAX_PARAMETERS = 2**33
_MAX_DEGREE = 64
_DEGREE, _RANK = 2, 3


@dataclass(frozen=True, kw_only=True)
class LinearOptions:
    """The options of a `ReconciledLinear`, which describes the fields.

    Raises
    ------
    TypeError, ValueError
        If an option has the wrong type, is out of range, has no effect, or contradicts another; the message names
        them.
    """

    m: int
    n: int
    channel_num: int = 1
    with_taylor: bool = False
    d: int = _DEGREE
    with_dual_lphm: bool = False
    with_lorr: bool = False
    r: int = _RANK
    enable_bias: bool = False
    with_residual: bool = False
    parameters_init_method: str = "xavier_normal"

    def __post_init__(self) -> None:
        for name in ("m", "n", "channel_num", "r"):
            check_whole_number(name, getattr(self, name), 1, MAX_PARAMETERS)
        check_whole_number("d", self.d, 1, _MAX_DEGREE)
        for name in ("with_taylor", "with_dual_lphm", "with_lorr", "enable_bias", "with_residual"):
            check_switch(name, getattr(self, name))
        check_choice("parameters_init_method", self.parameters_init_method, INITIALISERS)

        if self.with_lorr and self.with_dual_lphm:
            raise ValueError("with_lorr and with_dual_lphm contradict each other: choose one reconciliation")
        if self.d != _DEGREE and not self.with_taylor:
            raise ValueError(f"d={self.d} has no effect without with_taylor=True")
        if self.r != _RANK and not (self.with_lorr or self.with_dual_lphm):
            raise ValueError(f"r={self.r} has no effect without with_lorr=True or with_dual_lphm=True")

        weights = self.weight_count
        if weights > MAX_PARAMETERS:
            raise ValueError(
                f"these options ask for {weights:,} weights, more than the {MAX_PARAMETERS:,} allowed: "
                f"m={self.m:,}, n={self.n:,}, channel_num={self.channel_num:,}"
                + (f", with_taylor of degree d={self.d}" if self.with_taylor else "")
            )

    @property
    def channels(self) -> int:
        """Number of channels."""
        return self.channel_num

    @property
    def sums_channels(self) -> bool:
        """Whether channels are added up rather than averaged."""
        return False

    @property
    def degree(self) -> int:
        """Degree of the Taylor expansion; 1 is none."""
        return self.d if self.with_taylor else 1

    @property
    def expanded(self) -> int:
        """Features of a node after the expansion, D."""
        return expanded_features(self.m, self.degree)

    @property
    def weight_count(self) -> int:
        """Number of weights, without building anything; where a matrix has too many sides, how many those are."""
        m, n, r, expanded = self.m, self.n, self.r, self.expanded
        if max(expanded, n) > MAX_PARAMETERS:
            return max(expanded, n)
        if self.with_lorr:
            reconciled = r * (n + expanded)
        elif self.with_dual_lphm:
            reconciled = r * sum(closest_factors(n) + closest_factors(expanded))
        else:
            reconciled = n * expanded
        return self.channels * reconciled + n * self.enable_bias + n * m * self.with_residual
