"""A linear map of expanded features with reconciled weights: what a perceptron and a chain head share."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import init

from .expansion import expanded_features, taylor_expansion
from .linear_maps import Maps, apply_maps
from .reconciliation import build_reconciliation, initialise


class ReconciledLinear(nn.Module):
    """y = κ(x) W̄ᵀ + b + x W_rᵀ, node by node.

    Parameters
    ----------
    m, n : int
        Features of a node before and after.
    channel_num : int
        Number of channels whose matrices are averaged into W̄.
    separate_channels : bool
        Whether a subclass maps the channels separately and adds them up: they start accordingly.
    with_taylor, d : bool, int
        Whether κ is the Taylor expansion, and its degree; otherwise κ(x) = x.
    with_dual_lphm, with_lorr, r : bool, bool, int
        The parameter reconciliation and its rank; see `reconciliation.py`.
    enable_bias : bool
        Whether to add b [n].
    with_residual : bool
        Whether to add x W_rᵀ, W_r [n, m], from the features before the expansion.
    parameters_init_method : str
        "xavier_normal", "xavier_uniform", "kaiming_uniform" or "fanout_std_uniform".
    device, dtype
        Where and in what dtype to keep the weights; None for torch's defaults.
    """

    def __init__(
        self,
        m: int,
        n: int,
        channel_num: int = 1,
        with_taylor: bool = False,
        d: int = 2,
        with_dual_lphm: bool = False,
        with_lorr: bool = False,
        r: int = 3,
        enable_bias: bool = False,
        with_residual: bool = False,
        parameters_init_method: str = "xavier_normal",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        separate_channels: bool = False,
    ) -> None:
        super().__init__()
        self.m = m
        self.n = n
        self.channel_num = channel_num
        self.degree = d if with_taylor else 1
        self.parameters_init_method = parameters_init_method
        self.reconciliation = build_reconciliation(
            expanded_features(m, self.degree),
            n,
            channel_num,
            with_lorr=with_lorr,
            with_dual_lphm=with_dual_lphm,
            rank=r,
            summed=separate_channels,
            device=device,
            dtype=dtype,
        )
        self.bias = nn.Parameter(torch.empty(n, device=device, dtype=dtype)) if enable_bias else None
        self.residual = nn.Linear(m, n, bias=False, device=device, dtype=dtype) if with_residual else None
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
        """Linear maps that make W̄ one after the other: those before the chain's mixing, and those after it."""
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
