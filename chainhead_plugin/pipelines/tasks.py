"""The tasks that transformers has no pipeline for, and the registration of their pipelines."""

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

# For each task its pipeline, the Auto class that loads its models, and the model of the zoo that is used by default.
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
    """Register the pipelines' tasks with transformers. A second call changes nothing.

    Raises
    ------
    ValueError
        If another pipeline is registered for one of the tasks.
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
        # With this attribute, transformers would demand trust_remote_code to load a saved pipeline.
        del pipeline_class._registered_impl
    elif registered["impl"] is not pipeline_class:
        raise ValueError(
            f"the pipeline task {task!r} is taken by {registered['impl']}: unregister that one first"
        )
