"""Streams: predictions while the nodes of a series arrive, with memory that does not grow.

May import: `models`, `random_features`.
"""

from typing import TYPE_CHECKING

from ..faces import names_of

if TYPE_CHECKING:
    from .random_chain_stream import RandomChainStream as RandomChainStream
    from .random_chain_streams import RandomChainStreams as RandomChainStreams

__getattr__, __dir__, __all__ = names_of(
    __name__,
    {
        "RandomChainStream": "random_chain_stream",
        "RandomChainStreams": "random_chain_streams",
    },
)
