"""The features of a chain while its nodes arrive: the past nodes that kernels read, and the state of the pools."""

import copy

import torch
from torch import Tensor

from .features import RandomChainFeatures, runs_compiled
from .plain_chain import pool_chains
from .pools import PoolState, as_counts, pooled_features

# The most nodes that are processed at a time.
_MOST_NODES = 4096
# The number of nodes of a chain whose end is not known yet.
_NEVER = 2**62


class RunningFeatures:
    """The features of one chain whose nodes arrive one after the other.

    Parameters
    ----------
    features : RandomChainFeatures
        A module with a causal plan. It is copied to the CPU.
    """

    def __init__(self, features: RandomChainFeatures) -> None:
        self._module = RandomChainFeatures(features.plan, features.reference_length)
        self._module.load_state_dict(features.state_dict())
        self._compiled = self._module.compiled_pooling() if runs_compiled(self._module.node_mean) else None
        self._tables = self._module.tables()
        self.m = features.plan.m
        self.reset()

    def beside(self) -> "RunningFeatures":
        """Return the features of another chain without any node; both chains share the kernels."""
        other = copy.copy(self)
        other.reset()
        return other

    def reset(self) -> None:
        """Begin a new chain."""
        plan = self._module.plan
        self.length = 0
        self._features = torch.zeros(1, plan.num_features)
        if self._compiled is not None:
            from .compiled_form.pooling import Running

            self._running = Running(plan)
        else:
            self._state = PoolState.empty(plan, 1)
            self._past = torch.zeros(1, 2 if plan.with_differences else 1, plan.reach, plan.m)

    def add(self, nodes: Tensor) -> None:
        """Add the next nodes: float32 [nodes, m]."""
        for some in torch.split(self._module.scaled(nodes), _MOST_NODES):
            if self._compiled is not None:
                features = self._compiled.add(some.numpy(), self.length, self._running)
                self._features = torch.from_numpy(features)[None]
            else:
                self._add_plainly(some)
            self.length += len(some)

    def _add_plainly(self, nodes: Tensor) -> None:
        """Add scaled nodes [nodes, m], in plain PyTorch."""
        plan = self._module.plan
        changes = torch.diff(nodes, dim=0, prepend=self._past[0, 0, -1:] if self.length else nodes[:1])
        following = torch.stack((nodes, changes))[: self._past.size(1)]
        inputs = torch.cat((self._past, following[None]), 2)  # [1, 1 or 2, past + nodes, m]
        end = torch.tensor([_NEVER])
        pool_chains(inputs, plan.reach, self.length, end, plan, self._tables, self._state)
        length = torch.tensor([self.length + len(nodes)], dtype=torch.float64)
        self._features = pooled_features(self._state, plan, length)
        self._past = inputs[:, :, len(nodes) :]

    def standardised(self) -> Tensor:
        """Return the standardised features of all nodes so far: float32 [features]."""
        module, features = self._module, self._features
        if module.reference_length is not None:
            length = torch.tensor([self.length], dtype=torch.float64)
            features = as_counts(features, module.plan, length / module.reference_length)
        return ((features - module.feature_mean) * module.feature_scale)[0]
