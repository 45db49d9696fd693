"""Draw the README's picture of the chain matrices: `python docs/draw_chain_matrices.py`."""

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

from chainhead_plugin.chain.kinds import Chain
from chainhead_plugin.chain.reference import interdependence_matrix
from chainhead_plugin.explain.matrix_picture import draw_matrix

LENGTH = 12
KINDS = {
    "single hop": {"kind": "single_hop"},
    "multihop, h = 3": {"kind": "multihop", "hops": 3},
    "… accumulative": {"kind": "multihop", "hops": 3, "accumulative": True},
    "inverse": {"kind": "inverse"},
    "exponential": {"kind": "exponential"},
}
OUTPUT = Path(__file__).parent / "images" / "chain-matrices.svg"


def main() -> None:
    """Draw A of every kind, uni-directional above and bi-directional below."""
    mpl.use("agg")
    mpl.rcParams["svg.hashsalt"] = "chainhead"  # the same file every time
    figure, rows = plt.subplots(2, len(KINDS), figsize=(11, 4.9), layout="constrained")
    for axes, bi_directional in zip(rows, (False, True), strict=True):
        for axis, (label, options) in zip(axes, KINDS.items(), strict=True):
            chain = Chain(bi_directional=bi_directional, **options)
            image = draw_matrix(axis, interdependence_matrix(chain, LENGTH))
            colours = figure.colorbar(image, ax=axis, shrink=0.75)
            colours.ax.set_ylim(bottom=0)
            colours.ax.tick_params(labelsize=7)
            colours.ax.locator_params(nbins=4)
            axis.set_xticks([])
            axis.set_yticks([])
            if not bi_directional:
                axis.set_title(label, fontsize=11)
        axes[0].set_ylabel(f"{'bi' if bi_directional else 'uni'}-directional\ngives: node i", fontsize=10)
        axes[len(KINDS) // 2].set_xlabel("takes: node j", fontsize=10)
    figure.savefig(OUTPUT, metadata={"Date": None})


if __name__ == "__main__":
    main()
