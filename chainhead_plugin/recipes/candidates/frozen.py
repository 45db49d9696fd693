"""A frozen backbone, whose nodes a recipe's model and all its peers read."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ...config.configuration_chainhead import ChainHeadConfig
from ...nodes.frozen import freeze
from ..data.batches import similar_batches
from ..data.examples import Data, Examples
from ..pretrained.nodes import nodes_of_batch, said_of_encoder
from ..recipe import Recipe
from .inputs.inputs import Inputs


@dataclass(frozen=True)
class FrozenBackbone:
    """A frozen backbone, and the nodes that it makes from a recipe's data.

    Attributes
    ----------
    data : Data
        Chains [L, m] of float32; without the examples, if any, that the backbone was trained on.
    inputs : Inputs
        The preprocessing for the backbone.
    config : ChainHeadConfig
        The configuration of the whole model, backbone included.
    backbone : nn.Module
    place : str
        The backbone's name in the whole model.
    seconds : float, optional
        The time that its training took; None for a pretrained backbone.
    """

    data: Data
    inputs: Inputs
    config: ChainHeadConfig
    backbone: nn.Module
    place: str
    seconds: float | None = None

    @property
    def parameters(self) -> int:
        """Its number of weights."""
        return sum(parameter.numel() for parameter in self.backbone.parameters())

    def with_head(self, head: nn.Module) -> nn.Module:
        """Return the whole model in evaluation mode: the backbone, and a head that was trained on its nodes."""
        model: nn.Module = self.inputs.model_class(self.config)
        backbone = {f"{self.place}.{name}": value for name, value in self.backbone.state_dict().items()}
        model.load_state_dict({**backbone, **head.state_dict()})
        return model.eval()


_BATCH = 32


def encode_data(recipe: Recipe, data: Data) -> FrozenBackbone:
    """Run a recipe's frozen encoder on all examples. The nodes stay in memory, 4·m bytes for each.

    Raises
    ------
    RecipeError
        If the encoder cannot be found, examples do not fit it, or the model's options are not valid.
    """
    inputs = recipe.task.prepare(recipe, data.train)
    encoder = inputs.encoder
    assert encoder is not None
    backbone = encoder.new()
    encoder.initialise(backbone)
    freeze(backbone)
    scan = recipe.model.get("scan")
    train, test = (
        replace(part, inputs=_nodes(backbone, inputs, part, scan)) for part in (data.train, data.test)
    )

    length, width = max(map(len, train.inputs)), train.inputs[0].shape[1]
    inputs = replace(inputs, fields={**inputs.fields, "m": width, "chain_length": length})
    config = inputs.config(recipe, data.train.names)
    place = "backbone" if recipe.task.reads == "pixels" else "chainhead.backbone"
    return FrozenBackbone(Data(train, test), inputs, config, backbone, place)


@torch.no_grad()
def _nodes(backbone: Any, inputs: Inputs, examples: Examples, scan: str | None) -> list[NDArray[np.float32]]:
    """Turn examples into chains [L, m], in batches of examples of similar length."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    backbone.to(device)
    chains: list[Any] = [None] * len(examples.inputs)
    for places in similar_batches(examples.inputs, _BATCH):
        made = inputs.batch([examples.inputs[place] for place in places])
        with said_of_encoder():
            nodes, mask = nodes_of_batch(
                backbone, {name: tensor.to(device) for name, tensor in made.items()}, scan
            )
        for number, place in enumerate(places):
            chain = nodes[number] if mask is None else nodes[number][mask[number]]
            chains[place] = chain.numpy(force=True)
    backbone.to("cpu")
    return chains
