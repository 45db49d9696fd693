"""Random chain heads as a module: nodes in, pooled and standardised features out."""

import importlib.util
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from ..chain.backend import is_eager_on_cpu, is_mapped
from .kernels import draw_channels, draw_group_taps, draw_level_channels, fixed_taps
from .plain_chain import KernelTables, pool_chains
from .plan import NUM_KERNELS, NUM_TAPS, FeaturePlan
from .pools import PoolState, as_counts, pooled_features
from .workers import one_torch_thread

if TYPE_CHECKING:
    from .compiled_form.pooling import CompiledPooling

# Scaled nodes are clipped to this many standard deviations: larger values could overflow float32 in sums.
_LARGEST_NODE = 1e6
# The most outputs of kernels that the plain form holds in memory at a time.
_MOST_OUTPUTS = 2**22


class RandomChainFeatures(nn.Module):
    """Features of chains: kernels at every dilation, which are never trained, with their outputs pooled over the nodes.

    Everything that is drawn at random or measured on training chains is stored in buffers. They keep their dtype when
    the model is moved to another dtype.

    Parameters
    ----------
    plan : FeaturePlan
    reference_length : int, optional
        With a reference length, features that count nodes are divided by it, so that they grow with the length of a
        chain. By default they are divided by the chain's own length, and so are shares of its nodes.
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
        # Made here, as torch.compile cannot follow the computation. No buffer is needed: the plan determines them.
        fixed = np.stack([fixed_taps(number % 2) for _, _, number in plan.banks])  # [banks, 9, 84]
        self._fixed_steps = torch.from_numpy(fixed)[:, :-1].double().cumsum(1).float()
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
        """Return values for all buffers: random kernels and channels, thresholds of 0, and no scaling.

        Parameters
        ----------
        seed : int

        Returns
        -------
        dict of arrays by buffer name
        """
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
        """Move buffers to another device, but never to another dtype: rounded thresholds would change features."""
        before = dict(self._buffers)
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        for name, old in before.items():
            new = self._buffers[name]
            if old is not None and new is not None and new.dtype != old.dtype:
                self._buffers[name] = (
                    torch.empty_like(old, device=new.device) if old.is_meta else old.to(new.device)
                )
        return self

    def scaled(self, nodes: Tensor) -> Tensor:
        """Return nodes [..., m] centred and scaled, as float32; values that are not finite become NaN."""
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
        return self.standardised(self.pooled(nodes, mask))

    def standardised(self, pooled: Tensor) -> Tensor:
        """Return features from `pooled` [batch, plan.num_features], standardised."""
        return (pooled - self.feature_mean) * self.feature_scale

    def pooled(self, nodes: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the features before they are standardised; arguments and result are those of `forward`."""
        if not torch.compiler.is_compiling() and is_mapped(nodes):
            raise RuntimeError(
                "random chain heads cannot be mapped by torch.vmap, as what runs along a chain is kept in place: pass "
                "the series as one batch instead"
            )
        with torch.autocast(nodes.device.type, enabled=False), torch.no_grad():
            if not runs_compiled(nodes):
                return self._pooled_by(self.pooled_plainly, nodes, mask)
            with one_torch_thread() as threads:
                return self._pooled_by(partial(self._pooled_compiled, threads=threads), nodes, mask)

    def _pooled_by(
        self, pool: Callable[[Tensor, Tensor], Tensor], nodes: Tensor, mask: Tensor | None
    ) -> Tensor:
        scaled = self.scaled(nodes)
        if mask is None:
            lengths = torch.full((nodes.size(0),), nodes.size(1), device=nodes.device)
        else:
            scaled, lengths = _left_aligned(scaled, mask)
        finite = scaled.isfinite()
        features = pool(scaled.where(finite, 0), lengths)
        if self.reference_length is not None:
            features = as_counts(features, self.plan, lengths / self.reference_length)
        # Comparisons with thresholds would silently treat NaN as a small number.
        is_sound = finite.flatten(1).all(1)
        if runs_compiled(nodes):
            features[~is_sound] = torch.nan
            return features
        return features.where(is_sound[:, None], torch.nan)

    def pooled_plainly(self, scaled: Tensor, lengths: Tensor) -> Tensor:
        """Return the features before they are standardised, computed in plain PyTorch.

        Parameters
        ----------
        scaled : float32 Tensor [batch, length, m]
            Scaled nodes; zero at padding, which follows the real nodes.
        lengths : int Tensor [batch]
            The number of real nodes of each chain.

        Returns
        -------
        float32 Tensor [batch, plan.num_features]
        """
        if _is_captured():
            return self._pooled_at_once(scaled, lengths)
        width = NUM_KERNELS + self.plan.num_groups * self.plan.group_size
        at_a_time = max(1, _MOST_OUTPUTS // (width * max(1, scaled.size(1))))
        parts = [
            self._pooled_at_once(nodes, length)
            for nodes, length in zip(
                torch.split(scaled, at_a_time), torch.split(lengths, at_a_time), strict=True
            )
        ]
        return torch.cat(parts) if len(scaled) else scaled.new_zeros(0, self.plan.num_features)

    def _pooled_at_once(self, scaled: Tensor, lengths: Tensor) -> Tensor:
        plan = self.plan
        state = PoolState.empty(plan, scaled.size(0), scaled.device)
        inputs = _with_differences(scaled, lengths, plan)
        pool_chains(inputs, plan.reach, 0, lengths, plan, self.tables(), state)
        return pooled_features(state, plan, lengths.double())

    def _pooled_compiled(self, scaled: Tensor, lengths: Tensor, threads: int) -> Tensor:
        nodes, counts = scaled.contiguous().numpy(), lengths.long().numpy()
        return torch.from_numpy(self.compiled_pooling().features(nodes, counts, threads))

    def tables(self) -> KernelTables:
        """Return the kernels' weights, channels and thresholds, on the device of this module."""
        return KernelTables(
            self._fixed_steps.to(self.node_mean.device),
            self.kernel_channels,
            self.kernel_thresholds,
            self.group_taps[..., :-1].double().cumsum(-1).float(),
            self.group_channels,
            self.level_channels,
            self.level_thresholds,
        )

    def compiled_pooling(self) -> "CompiledPooling":
        """Return the compiled form, with the buffers as they are now; only for a module on the CPU."""
        from .compiled_form.pooling import CompiledPooling

        return CompiledPooling(self.plan, self.tables())


def runs_compiled(nodes: Tensor) -> bool:
    """Return whether the compiled form is used: on the CPU, with Numba installed, and while nothing traces the code."""
    return is_eager_on_cpu(nodes) and not _is_captured() and _has_numba()


def _is_captured() -> bool:
    tracing: bool = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    return tracing or torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active()


@cache
def _has_numba() -> bool:
    return importlib.util.find_spec("numba") is not None


def _with_differences(scaled: Tensor, lengths: Tensor, plan: FeaturePlan) -> Tensor:
    """Return nodes, and differences if the plan has them, as [batch, 1 or 2, reach + length + lag, m], zero-padded."""
    around = (0, 0, plan.reach, plan.lag(max(plan.dilations)))
    nodes = F.pad(scaled, around)[:, None]
    if not plan.with_differences:
        return nodes
    # The difference is zero at the first node, as no node comes before it, and after the last.
    changes = F.pad(scaled[:, 1:] - scaled[:, :-1], (0, 0, 1, 0))[:, : scaled.size(1)]
    real = torch.arange(scaled.size(1), device=scaled.device) < lengths[:, None]
    return torch.cat((nodes, F.pad(changes * real[:, :, None], around)[:, None]), 1)


def _left_aligned(scaled: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return chains with their real nodes moved to the start and zeros after them, and the numbers of real nodes."""
    lengths = mask.sum(1)
    start = mask.int().argmax(1)
    number = torch.arange(mask.size(1), device=mask.device)
    source = (number + start[:, None]).clamp(max=max(mask.size(1) - 1, 0))
    moved = scaled.gather(1, source[:, :, None].expand_as(scaled))
    return moved.where((number < lengths[:, None])[:, :, None], 0), lengths
