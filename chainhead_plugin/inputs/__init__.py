"""Users' data become tensors: feature extractor, image processor, tokenizer, collator. NumPy, no model.

May import: `checks`, `config`, `storage`.
"""

from typing import TYPE_CHECKING

from ..faces import names_of

if TYPE_CHECKING:
    from .data_collator import ChainHeadDataCollator as ChainHeadDataCollator
    from .feature_extraction_chainhead import ChainHeadFeatureExtractor as ChainHeadFeatureExtractor
    from .image_processing_chainhead import ChainHeadImageProcessor as ChainHeadImageProcessor
    from .sounds.feature_extraction_chainhead_audio import (
        ChainHeadAudioFeatureExtractor as ChainHeadAudioFeatureExtractor,
    )
    from .tokenizer import train_tokenizer as train_tokenizer

__getattr__, __dir__, __all__ = names_of(
    __name__,
    {
        "ChainHeadAudioFeatureExtractor": "sounds.feature_extraction_chainhead_audio",
        "ChainHeadDataCollator": "data_collator",
        "ChainHeadFeatureExtractor": "feature_extraction_chainhead",
        "ChainHeadImageProcessor": "image_processing_chainhead",
        "train_tokenizer": "tokenizer",
    },
)
