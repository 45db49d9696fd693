"""Contributions of patches and rows, where they are in the image."""

import torch
from torch import Tensor

from ..models.modeling_chainhead_image import ChainHeadForImageClassification
from ..nodes.image_backbone import encode_image
from ..nodes.patches import scan_patches
from .contributions import NodeContributions


def contribution_map(
    model: ChainHeadForImageClassification, explained: NodeContributions, pixel_values: Tensor
) -> Tensor:
    """Lay the contributions of an image's nodes out as the image is.

    Parameters
    ----------
    model : ChainHeadForImageClassification
    explained : NodeContributions
        The result of `node_contributions` for it and `pixel_values`.
    pixel_values : Tensor [batch, channels, height, width]

    Returns
    -------
    Tensor [batch, rows, columns]
        Of the grid of patches or of the backbone's feature map; a column of rows of pixels.

    Raises
    ------
    ValueError
        If `explained` is of other images: their numbers of nodes differ.
    """
    height, width = pixel_values.shape[-2:]
    if model.backbone is not None:
        with torch.no_grad():
            height, width = encode_image(model.backbone, pixel_values).shape[-2:]
    elif model.config.patch_size is not None:
        height, width = height // model.config.patch_size, width // model.config.patch_size
    else:
        width = 1
    nodes = explained.nodes
    if nodes.shape != (len(pixel_values), height * width):
        raise ValueError(
            f"contributions of shape {tuple(nodes.shape)} are not those of {len(pixel_values)} images of {height} × "
            f"{width} nodes"
        )
    # Where the scan takes each place of the grid, read backwards.
    places = torch.arange(height * width, device=nodes.device).view(1, 1, height, width)
    order = scan_patches(places, model.config.scan or "serpentine").flatten()
    return torch.empty_like(nodes).index_copy_(1, order, nodes).view(-1, height, width)


__all__ = ["contribution_map"]
