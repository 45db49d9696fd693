"""Pretrained encoders at work: how they are built, filled with their weights, and the nodes that they make."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor
from transformers import PreTrainedConfig, PreTrainedModel

from ...config.backbone_input import reads_tokens, takes_videos
from ...nodes.encoders.building import build_encoder
from ...nodes.encoders.encode import encode_values
from ...nodes.image_backbone import encode_image
from ...nodes.patches import scan_patches
from ...nodes.text_backbone import build_backbone, encode_tokens
from ..errors import RecipeError


def new_encoder(config: PreTrainedConfig) -> PreTrainedModel:
    """Build the encoder of texts, series, sounds or videos that a configuration describes, with random weights."""
    return build_backbone(config) if reads_tokens(config) else build_encoder(config)


def nodes_of_batch(
    encoder: PreTrainedModel, inputs: Mapping[str, Tensor | None], scan: str | None = None
) -> tuple[Tensor, Tensor | None]:
    """Run an encoder.

    Parameters
    ----------
    encoder : PreTrainedModel
        From `new_encoder`, or a backbone of images.
    inputs : mapping of tensors
        The inputs of a chainhead model on this encoder, by name: `input_ids` and `token_type_ids`, `input_values` or
        `input_features`; `attention_mask`; or `pixel_values`
        of images or videos.
    scan : {"serpentine", "row-major"}, optional
        The order in which places of an image become nodes, as in `ChainHeadConfig`.

    Returns
    -------
    nodes : Tensor [batch, length, m]
    mask : bool Tensor [batch, length], or None
        True for real nodes; None if all nodes are real.

    Raises
    ------
    TypeError, ValueError
        If the inputs do not fit the encoder.
    """
    pixels = inputs.get("pixel_values")
    if pixels is not None and takes_videos(encoder.config):
        return encode_values(encoder, pixels, None)
    if pixels is not None:
        return scan_patches(encode_image(encoder, pixels), scan or "serpentine"), None
    mask, tokens = inputs.get("attention_mask"), inputs.get("input_ids")
    if tokens is not None:
        nodes = encode_tokens(encoder, tokens, mask, inputs.get("token_type_ids"))
        return nodes, None if mask is None else mask != 0
    values = inputs.get("input_values")
    if values is None:
        values = inputs.get("input_features")
    assert values is not None
    return encode_values(encoder, values, mask)


@contextmanager
def said_of_encoder() -> Iterator[None]:
    """Turn errors about inputs that do not fit an encoder into errors of a recipe."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise RecipeError(f"encoder: {error}") from error


@torch.no_grad()
def shape_of_nodes(encoder: PreTrainedModel, inputs: Mapping[str, Tensor | None]) -> tuple[int, int]:
    """Return how many nodes an encoder makes of a batch, and how many features a node has.

    Raises
    ------
    RecipeError
        If the inputs do not fit the encoder.
    """
    with said_of_encoder():
        nodes, _ = nodes_of_batch(encoder.eval(), inputs)
    return nodes.size(1), nodes.size(2)
