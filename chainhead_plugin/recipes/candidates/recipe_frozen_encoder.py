"""A frozen text encoder, run once on all texts: a recipe's model and its peers read the same nodes."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...nodes.frozen import freeze
from ...nodes.text_backbone import build_backbone, encode_tokens
from ..data.examples import Data, Examples
from ..recipe import Recipe
from .encoder import load_encoder
from .frozen import FrozenBackbone
from .inputs import Inputs, prepare_texts

_BATCH = 32


def encode_data(recipe: Recipe, data: Data) -> FrozenBackbone:
    """Run a recipe's frozen encoder on all texts. The nodes stay in memory, 4·m bytes for every token.

    Raises
    ------
    RecipeError
        If the encoder cannot be found, or the model's options are not valid.
    """
    encoder = load_encoder(recipe)
    inputs = prepare_texts(recipe, data.train, encoder)
    config = inputs.config(recipe, data.train.names)
    backbone = build_backbone(config.backbone_config)
    encoder.initialise(backbone)
    freeze(backbone)
    train, test = (replace(part, inputs=_nodes(backbone, inputs, part)) for part in (data.train, data.test))
    return FrozenBackbone(Data(train, test), inputs, config, backbone, "chainhead.backbone")


@torch.no_grad()
def _nodes(backbone: Any, inputs: Inputs, examples: Examples) -> list[NDArray[np.float32]]:
    """Turn texts into chains [L, m], those of about one length together."""
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
