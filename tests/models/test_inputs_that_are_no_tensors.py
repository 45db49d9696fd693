"""NumPy arrays and lists as inputs of models and heads, in place of tensors."""

import numpy as np
import pytest
from hub_samples import CLASSES

import chainhead_plugin as c

SHAPES = {
    "pixel_values": (1, 1, 8, 6),
    "past_values": (1, 8, 1),
    "input_features": (1, 5, 3),
    "input_values": (1, 64),
    "input_ids": (1, 5),
}


@pytest.mark.parametrize("convert", [np.asarray, np.ndarray.tolist], ids=["array", "list"])
@pytest.mark.parametrize(
    ("name", "options"), [line[:2] for line in CLASSES], ids=[line[0] for line in CLASSES]
)
def test_models_name_the_input(name, options, convert):
    model = getattr(c, name)(c.ChainHeadConfig(**options))
    argument = model.main_input_name
    with pytest.raises(
        TypeError, match=rf"{argument} is a (NumPy array|list), expected a torch\.Tensor: pass torch\."
    ):
        model(**{argument: convert(np.zeros(SHAPES[argument], np.float32))})


def test_heads_name_the_input():
    import torch

    head = c.ChainInterdependenceHead(3, 4, chain_length=5)
    with pytest.raises(TypeError, match="x is a NumPy array, expected"):
        head(np.zeros((1, 5, 3), np.float32))
    with pytest.raises(TypeError, match="attention_mask is a list, expected"):
        head(torch.zeros(1, 5, 3), [[1, 1, 1, 0, 0]])
