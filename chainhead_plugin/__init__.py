"""tinyBIG's chain interdependence head as a Hugging Face model family.

Importing this package makes transformers' Auto classes and pipelines know the models, without importing torch
or transformers before they are needed.
"""

from typing import TYPE_CHECKING

from .faces import names_of
from .registration import RegistrationError, register, register_when_imported

if TYPE_CHECKING:
    from .config.configuration_chainhead import ChainHeadConfig
    from .config.configuration_random_chain import RandomChainConfig
    from .explain.contributions import NodeContributions, node_contributions
    from .head.chain_head import ChainInterdependenceHead, chain_interdependence_head
    from .inputs.data_collator import ChainHeadDataCollator
    from .inputs.feature_extraction_chainhead import ChainHeadFeatureExtractor
    from .inputs.image_processing_chainhead import ChainHeadImageProcessor
    from .inputs.sounds.feature_extraction_chainhead_audio import ChainHeadAudioFeatureExtractor
    from .inputs.tokenizer import train_tokenizer
    from .models.chain_classifier import ChainClassifier
    from .models.encoders.modeling_chainhead_audio import ChainHeadForAudioClassification
    from .models.encoders.modeling_chainhead_video import ChainHeadForVideoClassification
    from .models.initialisation import ChainHeadInitialisation
    from .models.modeling_chainhead import (
        ChainHeadForSequenceClassification,
        ChainHeadForTokenClassification,
        ChainHeadModel,
    )
    from .models.modeling_chainhead_forecast import ChainHeadForTimeSeriesPrediction
    from .models.modeling_chainhead_image import ChainHeadForImageClassification
    from .models.modeling_random_chain import RandomChainForSequenceClassification
    from .models.random_chain_fit import RandomChainFit, fit_random_chain
    from .pipelines.classification import TimeSeriesClassificationPipeline
    from .pipelines.features import ChainFeaturePipeline
    from .pipelines.forecasting import TimeSeriesForecastingPipeline
    from .pipelines.segmentation import TimeSeriesSegmentationPipeline
    from .streams.random_chain_stream import RandomChainStream
    from .streams.random_chain_streams import RandomChainStreams

__version__ = "0.2.0"

_MODULES = {
    "ChainClassifier": "models.chain_classifier",
    "ChainFeaturePipeline": "pipelines.features",
    "ChainHeadAudioFeatureExtractor": "inputs.sounds.feature_extraction_chainhead_audio",
    "ChainHeadConfig": "config.configuration_chainhead",
    "ChainHeadDataCollator": "inputs.data_collator",
    "ChainHeadFeatureExtractor": "inputs.feature_extraction_chainhead",
    "ChainHeadForAudioClassification": "models.encoders.modeling_chainhead_audio",
    "ChainHeadForImageClassification": "models.modeling_chainhead_image",
    "ChainHeadForSequenceClassification": "models.modeling_chainhead",
    "ChainHeadForTimeSeriesPrediction": "models.modeling_chainhead_forecast",
    "ChainHeadForTokenClassification": "models.modeling_chainhead",
    "ChainHeadForVideoClassification": "models.encoders.modeling_chainhead_video",
    "ChainHeadImageProcessor": "inputs.image_processing_chainhead",
    "ChainHeadInitialisation": "models.initialisation",
    "ChainHeadModel": "models.modeling_chainhead",
    "ChainInterdependenceHead": "head.chain_head",
    "NodeContributions": "explain.contributions",
    "RandomChainConfig": "config.configuration_random_chain",
    "RandomChainFit": "models.random_chain_fit",
    "RandomChainForSequenceClassification": "models.modeling_random_chain",
    "RandomChainStream": "streams.random_chain_stream",
    "RandomChainStreams": "streams.random_chain_streams",
    "TimeSeriesClassificationPipeline": "pipelines.classification",
    "TimeSeriesForecastingPipeline": "pipelines.forecasting",
    "TimeSeriesSegmentationPipeline": "pipelines.segmentation",
    "chain_interdependence_head": "head.chain_head",
    "fit_random_chain": "models.random_chain_fit",
    "node_contributions": "explain.contributions",
    "train_tokenizer": "inputs.tokenizer",
}

__all__ = [
    "ChainClassifier",
    "ChainFeaturePipeline",
    "ChainHeadAudioFeatureExtractor",
    "ChainHeadConfig",
    "ChainHeadDataCollator",
    "ChainHeadFeatureExtractor",
    "ChainHeadForAudioClassification",
    "ChainHeadForImageClassification",
    "ChainHeadForSequenceClassification",
    "ChainHeadForTimeSeriesPrediction",
    "ChainHeadForTokenClassification",
    "ChainHeadForVideoClassification",
    "ChainHeadImageProcessor",
    "ChainHeadInitialisation",
    "ChainHeadModel",
    "ChainInterdependenceHead",
    "NodeContributions",
    "RandomChainConfig",
    "RandomChainFit",
    "RandomChainForSequenceClassification",
    "RandomChainStream",
    "RandomChainStreams",
    "RegistrationError",
    "TimeSeriesClassificationPipeline",
    "TimeSeriesForecastingPipeline",
    "TimeSeriesSegmentationPipeline",
    "chain_interdependence_head",
    "fit_random_chain",
    "node_contributions",
    "register",
    "train_tokenizer",
]

# `__all__` is written out for tools that read it without running this module.
__getattr__ = names_of(__name__, _MODULES)[0]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


register_when_imported()
