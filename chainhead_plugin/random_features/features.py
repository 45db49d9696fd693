"""Random chain heads as a module: nodes in, pooled and standardised features out."""

import importlib.util
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from .kernels import draw_channels, draw_group_taps, draw_level_channels, fixed_taps, step_taps
from .plan import NUM_KERNELS, NUM_TAPS, FeaturePlan
from .pools import PoolState, add_to_groups, add_to_thresholds, as_counts, kernel_outputs, pooled_features

# Beyond so many standard deviations sums of squares and the like would leave float32.
_LARGEST_NODE = 1e6
# Kernels' outputs that the plain form holds at a time.
_MOST_OUTPUTS = 2**22
# Chains whose running numbers the compiled form holds at a time.
_CHAINS_AT_A_TIME = 32


class RandomChainFeatures(nn.Module):
    """Features of chains: frozen kernels at every dilation, their outputs pooled over the nodes.

    What is drawn and what is measured on training chains is stored in buffers, which stay what they are when the model
    is moved to another dtype.

    Parameters
    ----------
    plan : FeaturePlan
    reference_length : int, optional
        The length of a chain whose counts are shares of its nodes; None: counts of all chains are.
    """

    node_mean: Tensor
    node_scale: Tensor
    kernel_channels: Tensor
    kernel_thresholds: Tensor
    group_taps: Tensor
    group_channels: Tensor
    level_channels: Tensor
    level_thresholds: Tensor
    feature_mean: Tensor
    feature_scale: Tensor

    def __init__(self, plan: FeaturePlan, reference_length: int | None = None) -> None:
        super().__init__()
        self.plan = plan
        self.reference_length = reference_length
        for name, (shape, dtype) in self._shapes().items():
            self.register_buffer(name, torch.zeros(shape, dtype=dtype))

    def _shapes(self) -> dict[str, tuple[tuple[int, ...], torch.dtype]]:
        plan = self.plan
        banks, m = len(plan.banks), plan.m
        small, real = torch.int8, torch.float32
        return {
            "node_mean": ((m,), real),
            "node_scale": ((m,), real),
            "kernel_channels": ((banks, NUM_KERNELS, m), small),
            "kernel_thresholds": ((banks, plan.num_biases, NUM_KERNELS), real),
            "group_taps": ((banks, plan.num_groups, plan.group_size, NUM_TAPS), real),
            "group_channels": ((banks, plan.num_groups, m), small),
            "level_channels": ((plan.num_levels, m), small),
            "level_thresholds": ((1, plan.num_levels), real),
            "feature_mean": ((plan.num_features,), real),
            "feature_scale": ((plan.num_features,), real),
        }

    def initial_values(self, seed: int) -> dict[str, NDArray[Any]]:
        """Draw kernels and channels; thresholds are 0, and nodes and features are not scaled."""
        plan, rng = self.plan, np.random.default_rng(seed)
        banks, m = len(plan.banks), plan.m
        return {
            "node_mean": np.zeros(m, np.float32),
            "node_scale": np.ones(m, np.float32),
            "group_taps": draw_group_taps(plan, rng),
            "kernel_channels": np.stack([draw_channels(m, NUM_KERNELS, rng) for _ in range(banks)]),
            "group_channels": np.stack([draw_channels(m, plan.num_groups, rng) for _ in range(banks)]),
            "level_channels": draw_level_channels(m, plan.num_levels, rng),
            "kernel_thresholds": np.zeros((banks, plan.num_biases, NUM_KERNELS), np.float32),
            "level_thresholds": np.zeros((1, plan.num_levels), np.float32),
            "feature_mean": np.zeros(plan.num_features, np.float32),
            "feature_scale": np.ones(plan.num_features, np.float32),
        }

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "RandomChainFeatures":
        """Move buffers to another device, but never to another dtype: thresholds decide by the last bit."""
        before = dict(self._buffers)
        super()._apply(fn, recurse)
        for name, old in before.items():
            new = self._buffers[name]
            if old is not None and new is not None and new.dtype != old.dtype:
                self._buffers[name] = (
                    torch.empty_like(old, device=new.device) if old.is_meta else old.to(new.device)
                )
        return self

    def scaled(self, nodes: Tensor) -> Tensor:
        """Centre and scale nodes [..., m], as float32; what is not finite becomes NaN."""
        scaled = (nodes.float() - self.node_mean) * self.node_scale
        return scaled.clamp(-_LARGEST_NODE, _LARGEST_NODE).where(nodes.isfinite(), torch.nan)

    def forward(self, nodes: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the standardised features of chains.

        Parameters
        ----------
        nodes : Tensor [batch, length, m]
        mask : bool Tensor [batch, length], optional
            True for real nodes, which lie side by side.

        Returns
        -------
        float32 Tensor [batch, plan.num_features]
        """
        return (self.pooled(nodes, mask) - self.feature_mean) * self.feature_scale

    def pooled(self, nodes: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the features before they are standardised; as `forward`."""
        with torch.autocast(nodes.device.type, enabled=False), torch.no_grad():
            scaled = self.scaled(nodes)
            if mask is None:
                lengths = torch.full((nodes.size(0),), nodes.size(1), device=nodes.device)
            else:
                scaled, lengths = _left_aligned(scaled, mask)
            finite = scaled.isfinite()
            scaled = scaled.where(finite, 0)
            pool = self._pooled_compiled if runs_compiled(nodes) else self.pooled_plainly
            features = pool(scaled, lengths)
            if self.reference_length is not None:
                features = as_counts(features, self.plan, lengths / self.reference_length)
            # Comparisons would take a NaN for a small number, in silence.
            return features.where(finite.flatten(1).all(1, keepdim=True), torch.nan)

    def pooled_plainly(self, scaled: Tensor, lengths: Tensor) -> Tensor:
        """Return the features in plain PyTorch.

        Parameters
        ----------
        scaled : float32 Tensor [batch, length, m]
            Zero at padding, which lies after the real nodes.
        lengths : int Tensor [batch]
        """
        plan = self.plan
        if torch.compiler.is_compiling() or torch.jit.is_tracing():
            return self._pooled_part(scaled, lengths)
        width = NUM_KERNELS + plan.num_competitors
        at_a_time = max(1, _MOST_OUTPUTS // (width * max(1, scaled.size(1))))
        parts = [
            self._pooled_part(nodes, length)
            for nodes, length in zip(scaled.split(at_a_time), lengths.split(at_a_time), strict=True)
        ]
        return torch.cat(parts) if parts else scaled.new_zeros(0, plan.num_features)

    def _pooled_part(self, scaled: Tensor, lengths: Tensor) -> Tensor:
        plan = self.plan
        state = PoolState.empty(plan, scaled.size(0), scaled.device)
        inputs = (scaled, differences(scaled, lengths))
        fixed_steps = torch.from_numpy(self.fixed_steps()).to(scaled.device)
        for bank, (diff, dilation, _) in enumerate(plan.banks):
            reach, lag = (NUM_TAPS - 1) * dilation, plan.lag(dilation)
            window = F.pad(inputs[diff], (0, 0, reach, lag))
            number = torch.arange(scaled.size(1) + lag, device=scaled.device)[None, :, None]
            end = lengths[:, None, None]
            at_any = (number >= lag) & (number < end + lag)
            at_full = (number >= reach) & (number < end)
            counts = torch.cat(
                [half.expand(-1, -1, NUM_KERNELS // 2) for half in (at_any, at_full.expand_as(at_any))], 2
            )
            outputs = kernel_outputs(_sums(window, self.kernel_channels[bank]), fixed_steps[bank], dilation)
            add_to_thresholds(
                outputs,
                self.kernel_thresholds[bank],
                counts,
                0,
                state.kernel_sums[:, bank],
                state.kernel_runs[:, bank],
            )
            if plan.num_groups:
                self._add_groups(state, bank, window, dilation, at_any)
        if plan.num_levels:
            at_nodes = (torch.arange(scaled.size(1), device=scaled.device) < lengths[:, None])[:, :, None]
            levels = _sums(scaled, self.level_channels).expand(-1, -1, plan.num_levels)
            add_to_thresholds(
                levels, self.level_thresholds, at_nodes, 0, state.level_sums, state.level_runs
            )
        return pooled_features(state, plan, lengths.double())

    def _add_groups(
        self, state: PoolState, bank: int, window: Tensor, dilation: int, counts: Tensor
    ) -> None:
        plan = self.plan
        steps = self.group_taps[bank, ..., :-1].double().cumsum(-1).float()
        read = _sums(window, self.group_channels[bank])
        if read.size(2) > 1:
            read = read.repeat_interleave(plan.group_size, 2)
        outputs = kernel_outputs(read, steps.flatten(0, 1).T, dilation).unflatten(2, (plan.num_groups, plan.group_size))
        add_to_groups(outputs, counts[..., None], state.largest[:, bank], state.smallest[:, bank])

    def fixed_steps(self) -> NDArray[np.float32]:
        """Return the fixed kernels as weights of differences: float32 [banks, 8, 84]."""
        taps = np.stack([fixed_taps(number % 2) for _, _, number in self.plan.banks])
        return np.ascontiguousarray(step_taps(taps.swapaxes(1, 2)).swapaxes(1, 2))

    def _pooled_compiled(self, scaled: Tensor, lengths: Tensor) -> Tensor:
        parts = []
        pool = self.compiled_pooling()
        plan = self.plan
        for chains, counts in zip(
            scaled.split(_CHAINS_AT_A_TIME), lengths.split(_CHAINS_AT_A_TIME), strict=True
        ):
            state = PoolState.empty(plan, len(chains))
            for number, (chain, length) in enumerate(zip(chains.numpy(), counts.tolist(), strict=True)):
                inputs = _inputs_of_chain(chain[:length], plan)
                pool(inputs, plan.reach, 0, spans(plan, length), state, number)
            parts.append(pooled_features(state, plan, counts.double()))
        return torch.cat(parts) if parts else scaled.new_zeros(0, plan.num_features)

    def compiled_pooling(self) -> Callable[..., None]:
        """Return a function that takes the nodes of one chain into a `PoolState`.

        It is called with inputs [1 or 2, m, past + nodes], the number of past nodes, the number of the first new
        node, `spans`, the state, and the number of the chain in it. What it needs of this module is read once, here.
        """
        from .compiled_chain import pool_nodes

        plan = self.plan
        constants = (
            np.array([int(diff) for diff, _, _ in plan.banks]),
            np.array([dilation for _, dilation, _ in plan.banks]),
        )
        tables = (
            self.fixed_steps(),
            self.kernel_channels.numpy(),
            self.kernel_thresholds.numpy(),
            step_taps(self.group_taps.numpy()),
            self.group_channels.numpy(),
            self.level_channels.numpy(),
            self.level_thresholds.numpy(),
        )

        def pool(
            inputs: NDArray[np.float32],
            past: int,
            first: int,
            between: NDArray[np.int64],
            state: PoolState,
            chain: int,
        ) -> None:
            numbers = [getattr(state, name)[chain].numpy() for name in PoolState.__dataclass_fields__]
            pool_nodes(inputs, past, first, *constants, between, *tables, *numbers)

        return pool


def spans(plan: FeaturePlan, length: int) -> NDArray[np.int64]:
    """Between which nodes each bank's kernels count, for all kernels and for the second half; levels come last."""
    rows = []
    for _, dilation, _ in plan.banks:
        lag = plan.lag(dilation)
        rows.append((lag, length + lag, (NUM_TAPS - 1) * dilation, length))
    rows.append((0, length, 0, length))
    return np.array(rows, dtype=np.int64)


def differences(scaled: Tensor, lengths: Tensor) -> Tensor:
    """Return what nodes [batch, length, m] are more than the node before; 0 for the first and for padding."""
    changes = F.pad(scaled[:, 1:] - scaled[:, :-1], (0, 0, 1, 0))[:, : scaled.size(1)]
    real = torch.arange(scaled.size(1), device=scaled.device) < lengths[:, None]
    return changes * real[:, :, None]


def runs_compiled(nodes: Tensor) -> bool:
    """Whether the compiled form takes these nodes: Numba is installed, and nothing captures the computation."""
    captured = torch.compiler.is_compiling() or torch.jit.is_tracing()
    return nodes.device.type == "cpu" and not captured and _has_numba()


@cache
def _has_numba() -> bool:
    return importlib.util.find_spec("numba") is not None


def _inputs_of_chain(chain: NDArray[np.float32], plan: FeaturePlan) -> NDArray[np.float32]:
    """Return nodes [length, m] and their differences as [1 or 2, m, reach + length + longest lag]."""
    length = len(chain)
    lag = plan.lag(max(plan.dilations))
    inputs = np.zeros((2 if plan.with_differences else 1, plan.m, plan.reach + length + lag), np.float32)
    inputs[0, :, plan.reach : plan.reach + length] = chain.T
    if plan.with_differences:
        inputs[1, :, plan.reach + 1 : plan.reach + length] = np.diff(chain, axis=0).T
    return inputs


def _sums(nodes: Tensor, channels: Tensor) -> Tensor:
    """Add up channels [kernels, m] of nodes [..., m]: [..., kernels], or [..., 1] if there is the one channel."""
    if channels.size(1) == 1:
        return nodes
    # Settings of PyTorch's make float32 matrix products less exact than float32.
    return (nodes.double() @ channels.double().T).float()


def _left_aligned(scaled: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Move the real nodes of every chain to its start; return them, zeros after them, and how many there are."""
    lengths = mask.sum(1)
    start = mask.int().argmax(1)
    number = torch.arange(mask.size(1), device=mask.device)
    source = (number + start[:, None]).clamp(max=max(mask.size(1) - 1, 0))
    moved = scaled.gather(1, source[:, :, None].expand_as(scaled))
    return moved.where((number < lengths[:, None])[:, :, None], 0), lengths
