"""Contributions of nodes to an answer, and pictures of chains. Pictures need matplotlib.

May import: `chain`, `checks`, `head`, `models`, `nodes`.
"""

from typing import TYPE_CHECKING

from ..faces import names_of

if TYPE_CHECKING:
    from .chain_pictures import draw_chain as draw_chain
    from .contribution_pictures import (
        draw_contributions as draw_contributions,
        draw_image_contributions as draw_image_contributions,
    )
    from .contributions import (
        NodeContributions as NodeContributions,
        node_contributions as node_contributions,
    )
    from .image_map import contribution_map as contribution_map

__getattr__, __dir__, __all__ = names_of(
    __name__,
    {
        "NodeContributions": "contributions",
        "contribution_map": "image_map",
        "draw_chain": "chain_pictures",
        "draw_contributions": "contribution_pictures",
        "draw_image_contributions": "contribution_pictures",
        "node_contributions": "contributions",
    },
)
