"""The chain interdependence head: y = act((Aᵀ κ(x)) W̄ᵀ + b + x W_rᵀ)."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor, nn

from ..chain.backend import backend, refuse_tracing, runs_on_triton
from ..chain.masking import CheckedMask, check_mask, zero_padding
from ..chain.step import mix_step, move_step
from ..checks.arguments import with_suggestions
from .chain_steps import ChainSteps
from .chains import Chains
from .fused_channels import fused_channel_linear
from .fused_filter import fused_filter_linear
from .fused_hop import fused_hop_linear
from .linear.maps import Maps, apply_maps
from .normalisation import HoldsBatchNorm, NodeBatchNorm
from .options import HeadOptions
from .wave_linear import has_waves, wave_linear


class ChainInterdependenceHead(HoldsBatchNorm, ChainSteps):
    """Nodes of a chain take in their neighbours through a fixed matrix, then a linear map.

    y = act((Aᵀ κ(x)) W̄ᵀ + b + x W_rᵀ), tinyBIG's `chain_interdependence_head`: A [L, L] is the chain's
    interdependence matrix (row i, column j: how much node i gives to node j), κ the data transformation, W̄
    [n, D] the mean of the channels' reconciled weights. The cost is that of a linear layer and a light
    pass along the chain; A is never built.

    Parameters
    ----------
    m, n : int
        Features of a node before and after.
    chain_length : int
        Nodes in a flat row [batch, chain_length·m]; 3-D inputs may have any length.
    channel_num : int
        Number of weight matrices, averaged. With `channel_hops` it follows from them.
    name : str
        A label.
    bi_directional : bool
        Whether nodes also take in the nodes after them; otherwise node j sees nodes ≤ j alone.
    with_multihop, h, accumulative : bool, int, bool
        A = (N + σI)^h, or with `accumulative` Σ_{i=1..h} (N + σI)^i, column-normalised if bi-directional.
    with_inverse_approx : bool
        A = (I − N)⁻¹; bi-directional Σ_{i=1..L−1} N^i, column-normalised.
    with_exponential_approx : bool
        A = exp(N).
    self_dependence, self_scaling : bool, float
        σ = self_scaling if self_dependence else 0: the weight that a node gives itself in the single-hop
        (default) and multihop kinds.
    with_taylor, d : bool, int
        Whether κ is the Taylor expansion, of degree d: x, x⊗x, … per node.
    with_dual_lphm, with_lorr, r : bool, bool, int
        The parameter reconciliation and its rank; see `reconciliation.py`.
    enable_bias : bool
        Whether to add b [n].
    with_residual : bool
        Whether to add x W_rᵀ.
    with_batch_norm, with_relu, with_dropout, with_softmax : bool
    p : float
        The output processing, in the order BatchNorm (over n, statistics over real nodes), ReLU, Dropout(p),
        Softmax (over the last axis of the output). As in tinyBIG, ReLU and softmax are on by default: a layer
        within a model wants `with_softmax=False`.
    parameters_init_method : str
        "xavier_normal", "xavier_uniform", "kaiming_uniform" or "fanout_std_uniform".
    device : torch.device or str, optional
    dtype : torch.dtype, optional
        Device and dtype of the weights; None for torch's defaults.
    channel_hops : list of int, optional
        A distance for each channel: channel c takes in the node h_c before, with weights of its own, or for a negative
        h_c of a bi-directional chain the node |h_c| after. Channels are added up: y_j = Σ_c ψ(w_c) κ(x)_{j − h_c}.
        They start smaller by √C, so that the sum has the variance that `parameters_init_method` gives a single matrix.
    decay : float, optional
        γ of an inverse or exponential chain, in (0, 1): A = (I − γN)⁻¹ or exp(γN). That of the bi-directional
        inverse is below 1/2, as N's eigenvalues come up to 2, and its columns are not normalised.
    with_learned_decay : bool
        Whether every feature of κ(x) has a γ of its own that is learned, starting at `decay`.

    Raises
    ------
    TypeError, ValueError
        If an option has the wrong type, is out of range, contradicts another or has no effect.
    """

    @with_suggestions
    def __init__(
        self,
        m: int,
        n: int,
        chain_length: int,
        channel_num: int = 1,
        name: str = "chain_interdependence_head",
        bi_directional: bool = False,
        with_multihop: bool = False,
        h: int = 1,
        accumulative: bool = False,
        with_inverse_approx: bool = False,
        with_exponential_approx: bool = False,
        self_dependence: bool = True,
        self_scaling: float = 1.0,
        with_taylor: bool = False,
        d: int = 2,
        with_dual_lphm: bool = False,
        with_lorr: bool = False,
        r: int = 3,
        enable_bias: bool = False,
        with_residual: bool = False,
        with_batch_norm: bool = False,
        with_relu: bool = True,
        with_softmax: bool = True,
        with_dropout: bool = False,
        p: float = 0.25,
        parameters_init_method: str = "xavier_normal",
        device: torch.device | str | None = "cpu",
        dtype: torch.dtype | None = None,
        *,
        channel_hops: Sequence[int] | None = None,
        decay: float | None = None,
        with_learned_decay: bool = False,
    ) -> None:
        given = locals()
        options = HeadOptions(**{field.name: given[field.name] for field in fields(HeadOptions)})
        if not isinstance(name, str):
            raise TypeError(f"name must be a str, got {name!r} of type {type(name).__name__}")
        super().__init__(options, device=device, dtype=dtype)
        self.name = name
        self.batch_norm = NodeBatchNorm(n, device=device, dtype=dtype) if with_batch_norm else None
        self.relu = nn.ReLU() if with_relu else None
        self.dropout = nn.Dropout(p) if with_dropout else None
        self.with_softmax = with_softmax
        self._has_waves = has_waves(self.chain)

    def forward(self, x: Tensor, attention_mask: Tensor | CheckedMask | None = None) -> Tensor:
        """Run the head.

        Parameters
        ----------
        x : floating point Tensor [batch, length, m] or [batch, chain_length·m]
        attention_mask : Tensor [batch, length] of bool, int or float, or CheckedMask, optional
            1 for real nodes, 0 for the padding before or after them. A padded chain has the same
            output as alone, whatever the padding holds.

        Returns
        -------
        Tensor [batch, length, n] or [batch, chain_length·n], in the layout of `x`
            Zero at padded nodes.

        Raises
        ------
        ValueError
            If `x` or `attention_mask` has the wrong shape, or the mask has holes.
        TypeError
            If `x` is not of floating point.
        """
        refuse_tracing()
        nodes, chains = self._open(x, attention_mask)
        mask = chains.mask
        if mask is not None:
            nodes = zero_padding(nodes, mask)

        with_relu = self.relu is not None and self.batch_norm is None
        y = self._fused(nodes, mask, with_relu)
        rectified = with_relu and y is not None
        if y is None and self._has_waves:
            y = self._on_waves(nodes, mask)
        if y is None:
            before, after = self._maps()
            z = apply_maps(before, self._expand(nodes))
            z = self._mix(z, chains, spread=len(before) == 0, add=len(after) == 0)
            y = self._add_terms(apply_maps(after, z), nodes, in_place=len(after) == 0)

        return self._process_output(y.flatten(1) if x.ndim == 2 else y, mask, rectified)

    def _fused(self, nodes: Tensor, mask: Tensor | None, relu: bool) -> Tensor | None:
        """Return the head's output before its processing, with ReLU if `relu`, by a kernel; None where none serves."""
        if (
            not runs_on_triton(nodes)
            or self.degree > 1
            or self.residual is not None
            or self.sharding is not None
            or "learned_decay" in self._modules
        ):
            return None
        form = fused_hop_linear
        if backend() == "fused":
            form = fused_channel_linear if self.chain.channel_hops else fused_filter_linear
        return form(nodes, self.chain, self.reconciliation, self.bias, mask, relu)

    def _on_waves(self, nodes: Tensor, mask: Tensor | None) -> Tensor | None:
        """Return the head's output before its processing, made on eigenvectors; None where other forms are to."""
        if mask is not None or self.sharding is not None:
            return None
        z = wave_linear(nodes, self._expand, self._modules["reconciliation"])
        return None if z is None else self._add_terms(z, nodes, in_place=True)

    def _maps(self) -> tuple[Maps, Maps]:
        reconciliation: Any = self._modules["reconciliation"]  # found faster than as an attribute
        maps: tuple[Maps, Maps] = (
            reconciliation.channel_maps() if self.chain.channel_hops else reconciliation.maps()
        )
        # A γ for every feature of κ(x) does not commute with mapping features.
        return ((), maps[0] + maps[1]) if "learned_decay" in self._modules else maps

    def _mix(self, z: Tensor, chains: Chains, spread: bool, add: bool) -> Tensor:
        """Mix along the chain; channels are to be made here if `spread`, to be added up here if `add`."""
        hops = self.chain.channel_hops
        return chains.move(z, hops, spread, add) if hops else chains.mix(z, self.chain, self._decay())

    def step(self, x_t: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Run the head on the next node of a uni-directional chain.

        Parameters
        ----------
        x_t : floating point Tensor [batch, m]
        state : Tensor, optional
            The state that the previous call returned; None before the first node. Its size does not grow.

        Returns
        -------
        y_t : Tensor [batch, n]
            The output of `forward` at this node, in the 3-D layout.
        state : Tensor

        Raises
        ------
        ValueError
            If the chain is bi-directional, `x_t` or `state` does not fit, or BatchNorm is in training mode.
        """
        if self.chain.bi_directional:
            raise ValueError(
                "step() needs a uni-directional chain: a bi-directional one waits for future nodes"
            )
        if self.batch_norm is not None and self.training:
            raise ValueError("step() with BatchNorm needs eval mode: a single node has no batch statistics")

        shape = x_t.shape
        if len(shape) != 2 or shape[1] != self.m or not x_t.is_floating_point():
            raise ValueError(
                f"x_t is {x_t.dtype} of shape {tuple(shape)}, expected floating point [batch, {self.m}]: one node of "
                "each chain"
            )

        before, after = self._maps()
        z = apply_maps(before, self._expand(x_t), apart=True)
        chain = self.chain
        if chain.channel_hops:
            z, state = move_step(z, chain.channel_hops, state, spread=len(before) == 0, add=len(after) == 0)
        else:
            # Without maps `z` is the caller's before mixing, and will be after it.
            shared = len(before if chain.kind == "single_hop" else after) > 0
            z, state = mix_step(z, chain, state, self._decay(), shared)

        y_t = self._add_terms(apply_maps(after, z, apart=True), x_t, in_place=len(after) == 0)
        if self.batch_norm is None:
            return self._process_output(y_t, None), state
        return self._process_output(y_t.unsqueeze(1), None).squeeze(1), state

    def process_output(self, y: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """BatchNorm, ReLU, Dropout and Softmax, as asked for, of [batch, length, n] or a flat row."""
        nodes = self._split(y, self.n)
        mask = None
        if attention_mask is not None:
            mask = check_mask(attention_mask, nodes.size(0), nodes.size(1)).real
        return self._process_output(y, mask)

    def _process_output(self, y: Tensor, mask: Tensor | None, rectified: bool = False) -> Tensor:
        if self.batch_norm is not None:
            y = self._in_layout_of(y, self.batch_norm(self._split(y, self.n), mask))
        if self.relu is not None and not rectified:
            y = self.relu(y)
        if self.dropout is not None:
            y = self.dropout(y)
        if mask is None:
            return y.softmax(-1) if self.with_softmax else y

        if self.with_softmax and y.ndim == 3:
            y = zero_padding(y, mask).softmax(-1)
        elif self.with_softmax:
            # Over nodes too. Not minus infinity: a row that is all padding would pass through NaN.
            padded = ~mask.unsqueeze(-1).expand(-1, -1, self.n).flatten(1)
            y = y.masked_fill(padded, torch.finfo(y.dtype).min).softmax(-1)
        return self._in_layout_of(y, zero_padding(self._split(y, self.n), mask))

    def extra_repr(self) -> str:
        """Shape and kind, for `print(model)`."""
        softmax = ", with_softmax=True" if self.with_softmax else ""
        return f"m={self.m}, n={self.n}, chain_length={self.chain_length}, {self.chain}{softmax}"


chain_interdependence_head = ChainInterdependenceHead
