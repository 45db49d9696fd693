"""Initialising the chain heads inside a transformers model."""

from typing import Any

import torch
from torch import nn

from ..head.learned_decay import LearnedDecay
from ..head.linear.reconciled import ReconciledLinear
from ..nodes.token_embedding import TokenEmbedding


class ChainHeadInitialisation:
    """Mixin, before a `PreTrainedModel`: chain heads that a checkpoint lacks start as they do on their own.

    Without it transformers would leave their bare parameters as it found the memory, and start their linear
    maps like all other maps.
    """

    def _initialize_weights(self, module: nn.Module, *_: Any) -> None:
        # transformers would pass over out-of-tree modules without parameters of their own, as it cannot know
        # that `reset_parameters` spares weights that a checkpoint has filled.
        super()._initialize_weights(module)  # type: ignore[misc]

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)  # type: ignore[misc]
        # Called for the parts first: their linear maps, which the line above initialised, get their own start here.
        if isinstance(module, ReconciledLinear | TokenEmbedding | LearnedDecay):
            module.reset_parameters()


__all__ = ["ChainHeadInitialisation"]
