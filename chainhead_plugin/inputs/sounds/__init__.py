"""Sounds: files read, resampled, and turned into log-mel frames. NumPy, no model.

May import: the same rooms as `inputs`.
"""

from typing import TYPE_CHECKING

from ...faces import names_of

if TYPE_CHECKING:
    from .feature_extraction_chainhead_audio import (
        ChainHeadAudioFeatureExtractor as ChainHeadAudioFeatureExtractor,
    )

__getattr__, __dir__, __all__ = names_of(
    __name__, {"ChainHeadAudioFeatureExtractor": "feature_extraction_chainhead_audio"}
)
