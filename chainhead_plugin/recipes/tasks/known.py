"""The tasks that recipes may name."""

from ..errors import RecipeError
from ..task import Task
from .forecasting import Forecasting
from .images import ImageClassification
from .multilabel import SeriesMultilabel
from .regression import SeriesRegression
from .segmentation import Segmentation
from .series import SeriesClassification
from .texts import TextClassification

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        SeriesClassification(),
        SeriesMultilabel(),
        SeriesRegression(),
        Segmentation(),
        ImageClassification(),
        TextClassification(),
        Forecasting(),
    )
}


def task_named(name: object) -> Task:
    """Return a task by its name.

    Raises
    ------
    RecipeError
        If there is none.
    """
    if not isinstance(name, str) or name not in TASKS:
        raise RecipeError(f"task must be one of {', '.join(TASKS)}, got {name!r}")
    return TASKS[name]
