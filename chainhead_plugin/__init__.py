"""tinyBIG's chain interdependence head as a Hugging Face model family.

Importing this package makes transformers' Auto classes and pipelines know the models, without importing torch
or transformers before they are needed.
"""

import importlib
from typing import TYPE_CHECKING, Any

from .registration import RegistrationError, register, register_when_imported

if TYPE_CHECKING:
    from .chain_classifier import ChainClassifier
    from .configuration_chainhead import ChainHeadConfig
    from .data_collator_chainhead import ChainHeadDataCollator
    from .explain import NodeContributions, node_contributions
    from .feature_extraction_chainhead import ChainHeadFeatureExtractor
    from .head import ChainInterdependenceHead, chain_interdependence_head
    from .image_processing_chainhead import ChainHeadImageProcessor
    from .initialisation import ChainHeadInitialisation
    from .modeling_chainhead import (
        ChainHeadForSequenceClassification,
        ChainHeadForTokenClassification,
        ChainHeadModel,
    )
    from .modeling_chainhead_forecast import ChainHeadForTimeSeriesPrediction
    from .modeling_chainhead_image import ChainHeadForImageClassification
    from .pipeline_forecast import TimeSeriesForecastingPipeline
    from .pipeline_segmentation import TimeSeriesSegmentationPipeline
    from .pipelines import ChainFeaturePipeline, TimeSeriesClassificationPipeline
    from .tokenizer_training import train_tokenizer

__version__ = "0.1.0"

_MODULES = {
    "ChainClassifier": "chain_classifier",
    "ChainFeaturePipeline": "pipelines",
    "ChainHeadConfig": "configuration_chainhead",
    "ChainHeadDataCollator": "data_collator_chainhead",
    "ChainHeadFeatureExtractor": "feature_extraction_chainhead",
    "ChainHeadForImageClassification": "modeling_chainhead_image",
    "ChainHeadForSequenceClassification": "modeling_chainhead",
    "ChainHeadForTimeSeriesPrediction": "modeling_chainhead_forecast",
    "ChainHeadForTokenClassification": "modeling_chainhead",
    "ChainHeadImageProcessor": "image_processing_chainhead",
    "ChainHeadInitialisation": "initialisation",
    "ChainHeadModel": "modeling_chainhead",
    "ChainInterdependenceHead": "head",
    "NodeContributions": "explain",
    "TimeSeriesClassificationPipeline": "pipelines",
    "TimeSeriesForecastingPipeline": "pipeline_forecast",
    "TimeSeriesSegmentationPipeline": "pipeline_segmentation",
    "chain_interdependence_head": "head",
    "node_contributions": "explain",
    "train_tokenizer": "tokenizer_training",
}

__all__ = [
    "ChainClassifier",
    "ChainFeaturePipeline",
    "ChainHeadConfig",
    "ChainHeadDataCollator",
    "ChainHeadFeatureExtractor",
    "ChainHeadForImageClassification",
    "ChainHeadForSequenceClassification",
    "ChainHeadForTimeSeriesPrediction",
    "ChainHeadForTokenClassification",
    "ChainHeadImageProcessor",
    "ChainHeadInitialisation",
    "ChainHeadModel",
    "ChainInterdependenceHead",
    "NodeContributions",
    "RegistrationError",
    "TimeSeriesClassificationPipeline",
    "TimeSeriesForecastingPipeline",
    "TimeSeriesSegmentationPipeline",
    "chain_interdependence_head",
    "node_contributions",
    "register",
    "train_tokenizer",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


register_when_imported()
