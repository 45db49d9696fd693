"""Models on an encoder of audio, series or videos: classification of recordings and videos, outputs with a node mask.

May import: the same rooms as `models`.
"""

from typing import TYPE_CHECKING

from ...faces import names_of

if TYPE_CHECKING:
    from .modeling_chainhead_audio import ChainHeadForAudioClassification as ChainHeadForAudioClassification
    from .modeling_chainhead_video import ChainHeadForVideoClassification as ChainHeadForVideoClassification

__getattr__, __dir__, __all__ = names_of(
    __name__,
    {
        "ChainHeadForAudioClassification": "modeling_chainhead_audio",
        "ChainHeadForVideoClassification": "modeling_chainhead_video",
    },
)
