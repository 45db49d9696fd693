"""The tasks that recipes may name."""

from typing import Any

from ..errors import RecipeError
from ..task import Task
from .forecasting import Forecasting
from .images import ImageClassification
from .multilabel import SeriesMultilabel
from .regression import SeriesRegression
from .segmentation import Segmentation
from .series import SeriesClassification
from .sounds import AudioClassification
from .texts import TextClassification
from .videos import VideoClassification

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        SeriesClassification(),
        SeriesMultilabel(),
        SeriesRegression(),
        Segmentation(),
        ImageClassification(),
        AudioClassification(),
        VideoClassification(),
        TextClassification(),
        Forecasting(),
    )
}

_EVALUATED = (
    "time-series-segmentation",
    "text-classification",
    "image-classification",
    "audio-classification",
    "video-classification",
)


def task_named(name: object) -> Task:
    """Return a task by its name.

    Raises
    ------
    RecipeError
        If there is no task of this name.
    """
    if not isinstance(name, str) or name not in TASKS:
        raise RecipeError(f"task must be one of {', '.join(TASKS)}, got {name!r}")
    return TASKS[name]


def task_of_model(pipeline_task: str, config: Any) -> Task | None:
    """Return the task of a trained model, None if no recipe has this task.

    Parameters
    ----------
    pipeline_task : str
        The task of the model's pipeline.
    config : PretrainedConfig
        Its `problem_type` tells whether series have a label, several labels or a number.
    """
    if pipeline_task == "time-series-classification":
        if config.problem_type == "multi_label_classification":
            return TASKS["time-series-multilabel-classification"]
        if config.problem_type == "regression" or (config.problem_type is None and config.num_labels == 1):
            return TASKS["time-series-regression"]
        return TASKS[pipeline_task]
    return TASKS[pipeline_task] if pipeline_task in _EVALUATED else None
