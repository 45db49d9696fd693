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

# By task its pipeline, the class that loads its models, and the model of the zoo that it takes where none is named.
_TASKS: dict[str, tuple[type[ChainPipeline], type[Any], str]] = {
    "chain-feature-extraction": (ChainFeaturePipeline, AutoModel, "chainhead-japanese-vowels"),
    "time-series-classification": (
        TimeSeriesClassificationPipeline,
        AutoModelForSequenceClassification,
        "chainhead-japanese-vowels",
    ),
    "time-series-forecasting": (
        TimeSeriesForecastingPipeline,
        AutoModelForTimeSeriesPrediction,
        "chainhead-ridership",
    ),
    "time-series-segmentation": (
        TimeSeriesSegmentationPipeline,
        AutoModelForTokenClassification,
        "chainhead-speakers",
    ),
}


def register_pipelines() -> None:
    """Register the pipelines' tasks with transformers; calling it again changes nothing.

    Raises
    ------
    ValueError
        If another pipeline has one of the tasks.
    """
    for task, (pipeline_class, auto_model, model) in _TASKS.items():
        _register(task, pipeline_class, auto_model, model)


def _register(task: str, pipeline_class: type[ChainPipeline], auto_model: type[Any], model: str) -> None:
    registered = PIPELINE_REGISTRY.supported_tasks.get(task)
    if registered is None:
        PIPELINE_REGISTRY.register_pipeline(
            task,
            pipeline_class=pipeline_class,
            pt_model=(auto_model,),
            default={"model": (model, "main")},
            type="multimodal",
        )
        # With it, a saved pipeline could only be loaded with trust_remote_code, plugin or not.
        del pipeline_class._registered_impl
    elif registered["impl"] is not pipeline_class:
        raise ValueError(
            f"the pipeline task {task!r} is taken by {registered['impl']}: unregister that one first"
        )
