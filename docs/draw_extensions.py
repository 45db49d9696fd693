"""Draw the picture of the extensions' chain matrices: `python docs/draw_extensions.py`."""

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import torch

from chainhead_plugin.chain.kinds import Chain
from chainhead_plugin.chain.reference import interdependence_matrix
from chainhead_plugin.explain.matrix_picture import draw_matrix
from chainhead_plugin.explain.style import LABELS

LENGTH = 16
HOPS = {
    "channel_hops\n0, 1, 2, 4, 8": (0, 1, 2, 4, 8),
    "channel_hops\n−4, −2, 0, 2, 4": (-4, -2, 0, 2, 4),
}
DECAYS = {
    "inverse\ndecay = 0.5": Chain("inverse", decay=0.5),
    "inverse\ndecay = 0.9": Chain("inverse", decay=0.9),
    "inverse, bi-directional\ndecay = 0.45": Chain("inverse", bi_directional=True, decay=0.45),
    "exponential, bi-dir.\ndecay = 0.6": Chain("exponential", bi_directional=True, decay=0.6),
}
OUTPUT = Path(__file__).parent / "images" / "extensions.svg"


def main() -> None:
    """Draw which channel takes from where, then A of decaying chains."""
    mpl.use("agg")
    mpl.rcParams["svg.hashsalt"] = "chainhead"  # the same file every time
    figure, grid = plt.subplots(2, 3, figsize=(9, 5.6), layout="constrained")
    axes = grid.ravel()
    for axis, (label, hops) in zip(axes, HOPS.items(), strict=False):
        matrices = interdependence_matrix(Chain("channel_hops", channel_hops=hops), LENGTH)
        channel = (matrices * torch.arange(1, len(hops) + 1)[:, None, None]).sum(0)
        colours = mpl.colors.ListedColormap(["white", *LABELS[: len(hops)]])
        axis.imshow(channel, cmap=colours, vmin=0, vmax=len(hops))
        axis.set_title(label, fontsize=10)
    for axis, (label, chain) in zip(axes[len(HOPS) :], DECAYS.items(), strict=True):
        image = draw_matrix(axis, interdependence_matrix(chain, LENGTH))
        bar = figure.colorbar(image, ax=axis, shrink=0.7)
        bar.ax.set_ylim(bottom=0)
        bar.ax.tick_params(labelsize=7)
        bar.ax.locator_params(nbins=4)
        axis.set_title(label, fontsize=10)
    for axis in axes:
        axis.set_xticks([])
        axis.set_yticks([])
    axes[0].set_ylabel("gives: node i", fontsize=9)
    axes[0].set_xlabel("takes: node j", fontsize=9)
    figure.savefig(OUTPUT, metadata={"Date": None})


if __name__ == "__main__":
    main()
