"""Reconciliations that make a head's matrix from fewer weights than it has entries: LORR and dual LPHM."""

import math
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .maps import Maps, is_plain
from .reconciliation import Reconciliation, initialise_parts, narrowest


class LowRankReconciliation(Reconciliation):
    """LORR: w_c is A_c B_c of rank r. `up.weight` [n, C·r] and `down.weight` [C·r, D] hold the channels."""

    def __init__(
        self,
        in_features: int,
        out_features: int,
        channels: int,
        rank: int,
        summed: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(in_features, out_features, channels, summed)
        self.rank = rank
        stacked = channels * rank
        self.down = nn.Linear(in_features, stacked, bias=False, device=device, dtype=dtype)
        self.up = nn.Linear(stacked, out_features, bias=False, device=device, dtype=dtype)
        self._is_thin = stacked * (in_features + out_features) < in_features * out_features
        self._thin_place = narrowest(in_features, stacked, out_features)

    def _rows(self, channel: int) -> slice:
        return slice(channel * self.rank, (channel + 1) * self.rank)

    def channel_matrix(self, channel: int) -> Tensor:
        """ψ(w_c), [out_features, in_features]."""
        rows = self._rows(channel)
        return self.up.weight[:, rows] @ self.down.weight[rows]

    def matrix(self) -> Tensor:
        """W̄, [out_features, in_features]."""
        return self.up.weight @ self.down.weight / self.channels

    def _down(self, x: Tensor) -> Tensor:
        thin: Tensor = self.down(x)
        return thin / self.channels

    def maps(self) -> tuple[Maps, Maps]:
        """Two thin maps, D → C·r → n, or W̄ itself where that is cheaper."""
        modules: Any = self._modules
        down, up = modules["down"], modules["up"]
        if not self._is_thin and is_plain(down) and is_plain(up):
            return super().maps()
        if self.channels > 1:
            down = self._down
        if self._thin_place == 0:
            return (), (down, up)
        return ((down,), (up,)) if self._thin_place == 1 else ((down, up), ())

    def channel_maps(self) -> tuple[Maps, Maps]:
        """D → C·r before and C·r → n after the mixing."""
        modules: Any = self._modules
        return (modules["down"],), (modules["up"],)

    def reset_parameters(self, method: str) -> None:
        """Initialise every channel's two factors."""
        initialise_parts(self.down.weight, lambda: torch.split(self.down.weight, self.rank), method)
        up = self.up.weight
        initialise_parts(up, lambda: torch.split(up, self.rank, dim=1), method, self.gain)


class DualLPHMReconciliation(Reconciliation):
    """Dual LPHM: w_c is (P Q) ⊗ (S T), a Kronecker product of rank-r factors of shapes p×q and s×t.

    p·s = n and q·t = D, with p and q the largest divisors not above the square roots. The factors of all
    channels are `P` [C, p, r], `Q` [C, r, q], `S` [C, s, r] and `T` [C, r, t].
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        channels: int,
        rank: int,
        summed: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(in_features, out_features, channels, summed)
        p, s = closest_factors(out_features)
        q, t = closest_factors(in_features)

        def factor(rows: int, columns: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(channels, rows, columns, device=device, dtype=dtype))

        self.P, self.Q, self.S, self.T = factor(p, rank), factor(rank, q), factor(s, rank), factor(rank, t)

    def channel_matrix(self, channel: int) -> Tensor:
        """ψ(w_c), [out_features, in_features]."""
        return torch.kron(self.P[channel] @ self.Q[channel], self.S[channel] @ self.T[channel])

    def matrix(self) -> Tensor:
        """W̄, [out_features, in_features]."""
        products = torch.einsum("cpq,cst->psqt", self.P @ self.Q, self.S @ self.T)
        return products.reshape(self.out_features, self.in_features) / self.channels

    def reset_parameters(self, method: str) -> None:
        """Initialise every channel's four factors."""
        for factor in (self.P, self.Q, self.S, self.T):
            initialise_parts(factor, factor.unbind, method, self.gain if factor is self.P else 1.0)


@lru_cache(maxsize=4096)
def closest_factors(size: int) -> tuple[int, int]:
    """Return (p, s) with p·s = size, p the largest divisor not above the square root."""
    candidates = np.arange(1, math.isqrt(size) + 1)
    p = int(candidates[size % candidates == 0][-1])
    return p, size // p
