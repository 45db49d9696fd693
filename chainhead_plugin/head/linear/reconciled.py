"""A linear map of expanded features with reconciled weights, which perceptrons and chain heads share."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import init

from ..expansion import taylor_expansion
from .maps import Maps, apply_maps
from .options import LinearOptions
from .reconciliation import IdentityReconciliation, Reconciliation, initialise
from .reduced_reconciliation import DualLPHMReconciliation, LowRankReconciliation


class ReconciledLinear(nn.Module):
    """y = κ(x) W̄ᵀ + b + x W_rᵀ, node by node.

    Parameters
    ----------
    options : LinearOptions
        m, n : features of a node before and after.
        channel_num : number of channels, whose matrices are averaged into W̄; or added up, each by a subclass, if
        `options.sums_channels`.
        with_taylor, d : whether κ is the Taylor expansion, and its degree; otherwise κ(x) = x.
        with_dual_lphm, with_lorr, r : the parameter reconciliation and its rank; see `reconciliation.py`.
        enable_bias : whether to add b [n].
        with_residual : whether to add x W_rᵀ, W_r [n, m], from the features before the expansion.
        parameters_init_method : how weights are drawn.
    device : torch.device or str, optional
    dtype : torch.dtype, optional
        Device and dtype of the weights; None for torch's defaults.
    """

    def __init__(
        self,
        options: LinearOptions,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        m, n = options.m, options.n
        self.m = m
        self.n = n
        self.channel_num = options.channels
        self.degree = options.degree
        self.parameters_init_method = options.parameters_init_method
        self.reconciliation = _build_reconciliation(options, device, dtype)
        self.bias = nn.Parameter(torch.empty(n, device=device, dtype=dtype)) if options.enable_bias else None
        self.residual = (
            nn.Linear(m, n, bias=False, device=device, dtype=dtype) if options.with_residual else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Initialise all weights by `parameters_init_method`, from the fans of the real matrices.

        The bias starts at zero with the xavier methods, and uniform within 1/√D (kaiming) or 1/√n (fan-out).
        """
        method = self.parameters_init_method
        self.reconciliation.reset_parameters(method)
        if self.bias is not None:
            fan = {"kaiming_uniform": self.reconciliation.in_features, "fanout_std_uniform": self.n}.get(
                method
            )
            bound = 0.0 if fan is None else fan**-0.5
            init.uniform_(self.bias, -bound, bound)
        if self.residual is not None:
            initialise(self.residual.weight, method)

    def forward(self, x: Tensor) -> Tensor:
        """Map [..., m] to [..., n]."""
        before, after = self._maps()
        return self._add_terms(apply_maps(before + after, self._expand(x)), x, in_place=False)

    def _maps(self) -> tuple[Maps, Maps]:
        """Linear maps that make W̄ in turn: those before the chain's mixing, and those after it."""
        reconciliation: Any = self._modules["reconciliation"]  # found faster than as an attribute
        maps: tuple[Maps, Maps] = reconciliation.maps()
        return maps

    def _expand(self, x: Tensor) -> Tensor:
        """κ(x)."""
        return x if self.degree == 1 else taylor_expansion(x, self.degree)

    def _add_terms(self, y: Tensor, x: Tensor, in_place: bool) -> Tensor:
        """Y + b + x W_rᵀ; `in_place` says that `y` is a tensor of its own, where a module's output may be its input."""
        if self.bias is not None:
            y = y.add_(self.bias) if in_place else y + self.bias
        if self.residual is not None:
            y = y.add_(self.residual(x)) if in_place else y + self.residual(x)
        return y


def _build_reconciliation(
    options: LinearOptions, device: torch.device | str | None, dtype: torch.dtype | None
) -> Reconciliation:
    sizes = (options.expanded, options.n, options.channels)
    if options.with_lorr:
        return LowRankReconciliation(*sizes, options.r, options.sums_channels, device, dtype)
    if options.with_dual_lphm:
        return DualLPHMReconciliation(*sizes, options.r, options.sums_channels, device, dtype)
    return IdentityReconciliation(*sizes, options.sums_channels, device, dtype)
