"""A linear map of expanded features with reconciled weights: what a perceptron and a chain head share."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import init

from .expansion import taylor_expansion
from .options import expanded_features
from .reconciliation import Maps, apply_map, build_reconciliation, initialise, submodule


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
        return self._map_after(self._map_before(x, before + after), x, ())

    def _maps(self) -> tuple[Maps, Maps]:
        """Linear maps that make W̄ one after the other: those before the chain's mixing, and those after it."""
        return cast("tuple[Maps, Maps]", submodule(self, "reconciliation").maps())

    def _map_before(self, x: Tensor, maps: Maps) -> Tensor:
        """κ(x), and `maps` of it."""
        z = x if self.degree == 1 else taylor_expansion(x, self.degree)
        for linear_map in maps:
            z = apply_map(linear_map, z)
        return z

    def _map_after(self, z: Tensor, x: Tensor, maps: Maps, mixed: bool = False) -> Tensor:
        """`maps` of `z`, + b + x W_rᵀ; `mixed` says that `z` is what mixing has just made."""
        for linear_map in maps:
            z = apply_map(linear_map, z)
        if self.bias is None and self.residual is None:
            return z
        for term in (self.bias, None if self.residual is None else self.residual(x)):
            if term is not None:
                # What was mixed last is a tensor of its own; a module's output may be its input.
                z = z.add_(term) if mixed and not maps else z + term
        return z
