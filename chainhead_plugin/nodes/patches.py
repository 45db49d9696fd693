"""Laying the patches of an image out as a chain."""

import torch
from torch import Tensor

from ..checks.values import check_choice

SCANS = ("row-major", "serpentine")


def scan_patches(feature_map: Tensor, scan: str) -> Tensor:
    """Line the patches of a feature map up as a chain.

    Parameters
    ----------
    feature_map : Tensor [batch, m, height, width]
    scan : {"row-major", "serpentine"}
        "row-major" reads every row from left to right; "serpentine" every other row, from the second on, from
        right to left, so that neighbours in the chain are neighbours in the image.

    Returns
    -------
    Tensor [batch, height·width, m]

    Raises
    ------
    ValueError
        If there is no such scan.
    """
    check_scan(scan)
    patches = feature_map.permute(0, 2, 3, 1)
    if scan == "serpentine":
        odd = torch.arange(patches.size(1), device=patches.device) % 2 == 1
        patches = torch.where(odd[:, None, None], patches.flip(2), patches)
    return patches.flatten(1, 2)


def check_scan(scan: str) -> None:
    """Raise a ValueError for an unknown scan."""
    check_choice("scan", scan, SCANS)
