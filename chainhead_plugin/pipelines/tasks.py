"""The tasks that transformers lacks, and their pipelines."""

from typing import Any

from transformers import (
    AutoModel,
    AutoModelForSequenceClassification,
    AutoModelForTimeSeriesPrediction,
    AutoModelForTokenClassification,
)
from transformers.pipelines import PIPELINE_REGISTRY

from .base import ChainPipeline
from .classification import TimeSeriesClassificationPipeline
from .features import ChainFeaturePipeline
from .forecasting import TimeSeriesForecastingPipeline
from .segmentation import TimeSeriesSegmentationPipeline

_TASKS: dict[str, tuple[type[ChainPipeline], type[Any]]] = {
    "chain-feature-extraction": (ChainFeaturePipeline, AutoModel),
    "time-series-classification": (TimeSeriesClassificationPipeline, AutoModelForSequenceClassification),
    "time-series-forecasting": (TimeSeriesForecastingPipeline, AutoModelForTimeSeriesPrediction),
    "time-series-segmentation": (TimeSeriesSegmentationPipeline, AutoModelForTokenClassification),
}


def register_pipelines() -> None:
    """Register the pipelines' tasks with transformers; calling it again changes nothing.

    Raises
    ------
    ValueError
        If another pipeline has one of the tasks.
    """
    for task, (pipeline_class, auto_model) in _TASKS.items():
        _register(task, pipeline_class, auto_model)


def _register(task: str, pipeline_class: type[ChainPipeline], auto_model: type[Any]) -> None:
    registered = PIPELINE_REGISTRY.supported_tasks.get(task)
    if registered is None:
        PIPELINE_REGISTRY.register_pipeline(
            task, pipeline_class=pipeline_class, pt_model=(auto_model,), type="multimodal"
        )
        # With it, a saved pipeline could only be loaded with trust_remote_code, plugin or not.
        del pipeline_class._registered_impl
    elif registered["impl"] is not pipeline_class:
        raise ValueError(
            f"the pipeline task {task!r} is taken by {registered['impl']}: unregister that one first"
        )
