"""The steps of a chain head, in tinyBIG's names, and the two layouts of their inputs and outputs."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from ..chain.masking import CheckedMask, needed_mask
from ..chain.reference import interdependence_matrix
from ..checks.values import check_whole_number
from .chains import Chains, Sharding, WholeChains
from .expansion import taylor_expansion
from .learned_decay import LearnedDecay, gamma_of
from .linear.reconciled import ReconciledLinear
from .options import MAX_LENGTH, HeadOptions
from .tensors import require_tensors


class ChainSteps(ReconciledLinear):
    """The computation of a chain head in steps; `forward` is for the head to write.

    Parameters
    ----------
    options : HeadOptions
    device : torch.device or str, optional
    dtype : torch.dtype, optional
        Device and dtype of the weights; None for torch's defaults.
    """

    def __init__(
        self,
        options: HeadOptions,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(options, device=device, dtype=dtype)
        self.chain_length = options.chain_length
        self.chain = options.chain
        # Where processes share the nodes of chains: `parallel/` sets it.
        self.sharding: Sharding | None = None
        self.learned_decay = None
        if options.with_learned_decay:
            assert options.decay is not None
            self.learned_decay = LearnedDecay(
                options.expanded, options.decay, options.decay_limit, device=device, dtype=dtype
            )

    def interdependence_matrix(self, length: int | None = None) -> Tensor:
        """Return the dense A, for plots and tests.

        Parameters
        ----------
        length : int, optional
            `chain_length` by default.

        Returns
        -------
        Tensor
            [length, length], for one A; [channels, length, length] with `channel_hops`; [features, length, length]
            with `with_learned_decay`, a matrix for every feature of κ(x).
        """
        length = self.chain_length if length is None else length
        check_whole_number("length", length, 1, MAX_LENGTH)
        parameter = next(self.parameters())
        with torch.no_grad():
            return interdependence_matrix(self.chain, length, self._decay()).to(parameter)

    def calculate_kappa_x(self, x: Tensor, device: str = "cpu") -> Tensor:
        """κ(x): [batch, length, m] to [batch, length, D], or both flat.

        Here and below, `device` belongs to tinyBIG's signature; the computation runs where its inputs are.
        """
        return self._in_layout_of(x, taylor_expansion(self._nodes(x), self.degree))

    def calculate_phi_w(self, D: int, channel_index: int = 0, device: str = "cpu") -> Tensor:
        """ψ(w_c), the matrix [n, D] of a channel; `D` is κ(x)'s last size, per node or of a flat row."""
        expanded = self.reconciliation.in_features
        if D not in (expanded, expanded * self.chain_length):
            raise ValueError(f"D is {D}, but nodes have {expanded} expanded features")
        self._check_channel(channel_index)
        return self.reconciliation.channel_matrix(channel_index)

    def _check_channel(self, index: int) -> None:
        if not 0 <= index < self.channel_num:
            raise ValueError(f"channel_index is {index}, but there are {self.channel_num} channels")

    def calculate_instance_xi_x(
        self,
        x: Tensor,
        channel_index: int = 0,
        kappa_x: Tensor | None = None,
        device: str = "cpu",
        attention_mask: Tensor | None = None,
    ) -> Tensor:
        """Aᵀκ(x), in the layout of `x`; with `channel_hops` by the channel's own A, otherwise by the common A."""
        kappa_x = self.calculate_kappa_x(x) if kappa_x is None else kappa_x
        nodes, chains = self._open(kappa_x, attention_mask, self.reconciliation.in_features)
        if not self.chain.channel_hops:
            return self._in_layout_of(x, chains.mix(nodes, self.chain, self._decay()))
        self._check_channel(channel_index)
        hop = self.chain.channel_hops[channel_index]
        return self._in_layout_of(x, chains.move(nodes, (hop,), spread=False, add=False))

    def calculate_inner_product(self, kappa_xi_x: Tensor, phi_w: Tensor, device: str = "cpu") -> Tensor:
        """(Aᵀκ(x)) ψ(w_c)ᵀ + b of a channel: [batch, length, D] to [batch, length, n], or both flat.

        With `channel_hops`, whose channels are added up, without b: `fusion` adds it.
        """
        nodes = self._split(kappa_xi_x, phi_w.size(-1))
        bias = None if self.chain.channel_hops else self.bias
        return self._in_layout_of(kappa_xi_x, F.linear(nodes, phi_w, bias))

    def fusion(self, inner_products: Sequence[Tensor], device: str = "cpu") -> Tensor:
        """Return the mean of the channels' inner products, or with `channel_hops` their sum + b."""
        if len(inner_products) != self.channel_num:
            raise ValueError(
                f"expected {self.channel_num} inner products, one for each channel, got {len(inner_products)}"
            )
        if not self.chain.channel_hops:
            return torch.stack(list(inner_products)).mean(0)
        total = torch.stack(list(inner_products)).sum(0)
        if self.bias is None:
            return total
        return self._in_layout_of(total, self._split(total, self.n) + self.bias)

    def calculate_pi_x(self, x: Tensor, device: str = "cpu") -> Tensor | None:
        """Return the residual x W_rᵀ in the layout of `x`, or None without `with_residual`."""
        if self.residual is None:
            return None
        return self._in_layout_of(x, self.residual(self._nodes(x)))

    def _decay(self) -> Tensor | None:
        return gamma_of(self._modules["learned_decay"]) if "learned_decay" in self._modules else None

    def _open(
        self, x: Tensor, attention_mask: Tensor | CheckedMask | None, features: int | None = None
    ) -> tuple[Tensor, Chains]:
        """Check a call's nodes, of m features unless told, and find their chains."""
        if self.sharding is not None:
            return self.sharding.open(self, x, attention_mask, self.m if features is None else features)
        require_tensors(x=x, attention_mask=attention_mask)
        nodes = self._nodes(x) if features is None else self._split(x, features)
        checked = needed_mask(attention_mask, nodes.size(0), nodes.size(1))
        return nodes, WholeChains(None if checked is None else checked.real)

    def _nodes(self, x: Tensor) -> Tensor:
        if not x.is_floating_point():
            raise TypeError(f"x must be of floating point, got {x.dtype}: convert it with x.float()")
        return self._split(x, self.m)

    def _split(self, x: Tensor, features: int) -> Tensor:
        """View as [batch, length, features], whichever layout `x` is in."""
        # A process may have no nodes of a chain that it shares.
        if x.ndim == 3 and x.size(2) == features and (x.size(1) >= 1 or self.sharding is not None):
            return x
        if x.ndim == 2 and x.size(1) == self.chain_length * features:
            return x.reshape(-1, self.chain_length, features)
        raise ValueError(
            f"got shape {tuple(x.shape)}, expected [batch, length, {features}] with length ≥ 1, or the flat layout "
            f"[batch, {self.chain_length * features}] = [batch, chain_length·{features}]"
        )

    @staticmethod
    def _in_layout_of(x: Tensor, y: Tensor) -> Tensor:
        return y.flatten(1) if x.ndim == 2 else y
