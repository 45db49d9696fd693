"""The features of a chain that is not over: the past that kernels read, and the running numbers of pools."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .features import RandomChainFeatures, runs_compiled
from .plain_chain import pool_chains
from .pools import PoolState, as_counts, pooled_features

# Nodes that are taken in at a time.
_MOST_NODES = 4096
# Of a span that has no end yet.
_NEVER = 2**62


class RunningFeatures:
    """The features of one chain, whose nodes come one after the other.

    Parameters
    ----------
    features : RandomChainFeatures
        Of a causal plan. Copied to the CPU.
    """

    def __init__(self, features: RandomChainFeatures) -> None:
        self._module = RandomChainFeatures(features.plan, features.reference_length)
        self._module.load_state_dict(features.state_dict())
        self._compiled = self._module.compiled_pooling() if runs_compiled(self._module.node_mean) else None
        self._tables = self._module.tables()
        self.m = features.plan.m
        self.reset()

    def reset(self) -> None:
        """Begin a new chain."""
        plan = self._module.plan
        self.length = 0
        self._state = PoolState.empty(plan, 1)
        self._past = np.zeros((2 if plan.with_differences else 1, plan.m, plan.reach), np.float32)

    def add(self, nodes: Tensor) -> None:
        """Take in the next float32 nodes [nodes, m]."""
        scaled = self._module.scaled(nodes).T.numpy()
        for start in range(0, scaled.shape[1], _MOST_NODES):
            self._add(scaled[:, start : start + _MOST_NODES])

    def _add(self, nodes: NDArray[np.float32]) -> None:
        """Take in scaled nodes [m, nodes]."""
        inputs = np.empty((*self._past.shape[:2], self._past.shape[2] + nodes.shape[1]), np.float32)
        reach = self._past.shape[2]
        inputs[:, :, :reach] = self._past
        inputs[0, :, reach:] = nodes
        if len(inputs) > 1:
            inputs[1, :, reach:] = inputs[0, :, reach:] - inputs[0, :, reach - 1 : -1]
            if self.length == 0:
                inputs[1, :, reach] = 0
        if self._compiled is not None:
            self._compiled(inputs, reach, self.length, _NEVER, self._state, 0)
        else:
            nodes_first = torch.from_numpy(inputs).transpose(1, 2)[None]
            end = torch.tensor([_NEVER])
            pool_chains(nodes_first, reach, self.length, end, self._module.plan, self._tables, self._state)
        self.length += nodes.shape[1]
        self._past = inputs[:, :, nodes.shape[1] :]

    def standardised(self) -> Tensor:
        """Return the features of all nodes so far: float32 [features]."""
        module = self._module
        length = torch.tensor([self.length], dtype=torch.float64)
        features = pooled_features(self._state, module.plan, length)
        if module.reference_length is not None:
            features = as_counts(features, module.plan, length / module.reference_length)
        return ((features - module.feature_mean) * module.feature_scale)[0]
