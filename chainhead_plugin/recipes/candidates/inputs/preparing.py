"""Prepare the inputs of a recipe's models. The nodes of a frozen backbone are only padded."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from ....models.modeling_chainhead import ChainHeadForSequenceClassification
from ...data.examples import Examples
from ...recipe import Recipe
from .inputs import Inputs


def prepare(recipe: Recipe, training: Examples) -> Inputs:
    """Fit the preprocessing to the training examples, which with a frozen backbone or encoder are nodes already."""
    if recipe.pretraining or recipe.on_frozen_encoder:
        return _prepare_nodes(training)
    return recipe.task.prepare(recipe, training)


def _prepare_nodes(training: Examples) -> Inputs:
    """Return the inputs for chains [L, m] of float32, which are only padded."""
    return Inputs(
        fields={"m": np.shape(training.inputs[0])[1], "chain_length": max(map(len, training.inputs))},
        model_class=ChainHeadForSequenceClassification,
        auto_class="AutoModelForSequenceClassification",
        batch=_node_batch,
        preprocessor=None,
        dropped=("backbone_config", "freeze_backbone", "scan"),
    )


def _node_batch(chains: Sequence[Any]) -> dict[str, Tensor]:
    nodes = pad_sequence([torch.from_numpy(chain) for chain in chains], batch_first=True)
    lengths = torch.tensor([[len(chain)] for chain in chains])
    real = torch.arange(nodes.size(1)) < lengths
    return {"input_features": nodes} | ({} if real.all() else {"attention_mask": real.long()})
