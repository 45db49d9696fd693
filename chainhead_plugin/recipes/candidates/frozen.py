"""A frozen backbone, whose nodes a recipe's model and all its peers read."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ...config.configuration_chainhead import ChainHeadConfig
from ...nodes.frozen import freeze
from ...nodes.text_backbone import build_backbone, encode_tokens
from ..data.examples import Data, Examples
from ..recipe import Recipe
from .encoder import load_encoder
from .inputs.inputs import Inputs
from .inputs.texts import prepare_encoded_texts


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
    """Run a recipe's frozen encoder on all texts. The nodes stay in memory, 4·m bytes for each token.

    Raises
    ------
    RecipeError
        If the encoder cannot be found, or the model's options are not valid.
    """
    encoder = load_encoder(recipe)
    inputs = prepare_encoded_texts(recipe, data.train, encoder)
    config = inputs.config(recipe, data.train.names)
    backbone = build_backbone(config.backbone_config)
    encoder.initialise(backbone)
    freeze(backbone)
    train, test = (replace(part, inputs=_nodes(backbone, inputs, part)) for part in (data.train, data.test))
    return FrozenBackbone(Data(train, test), inputs, config, backbone, "chainhead.backbone")


@torch.no_grad()
def _nodes(backbone: Any, inputs: Inputs, examples: Examples) -> list[NDArray[np.float32]]:
    """Turn texts into chains [L, m], in batches of texts of similar length."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    backbone.to(device)
    order = np.argsort([len(text) for text in examples.inputs], kind="stable")
    chains: list[Any] = [None] * len(order)
    for start in range(0, len(order), _BATCH):
        places = order[start : start + _BATCH]
        batch = {
            name: tensor.to(device)
            for name, tensor in inputs.batch([examples.inputs[place] for place in places]).items()
        }
        mask = batch["attention_mask"]
        nodes = encode_tokens(backbone, batch["input_ids"], mask, batch.get("token_type_ids"))
        for place, chain, real in zip(places, nodes, mask != 0, strict=True):
            chains[place] = chain[real].numpy(force=True)
    backbone.to("cpu")
    return chains
