"""The card that `Trainer.push_to_hub` puts beside a chainhead model: complete, with Trainer's own account."""

import inspect
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from huggingface_hub import EvalResult, ModelCard
from transformers.modelcard import TrainingSummary, infer_metric_tags_from_eval_results
from transformers.utils import logging

from registry.hooks.wrapping import wrap_function

from .card import PREPROCESSORS, is_generated, render_card
from .pushing import files_on_hub, reaching_the_hub, require_code_kept, write_files
from .sharing import SharedModel
from .uses import task_of

logger = logging.get_logger(__name__)


def complete_trainer_cards(trainer_module: ModuleType) -> None:
    """Have Trainer push chainhead models with complete cards and clear errors; other models go as they did.

    Trainer writes its draft over whatever README.md there is, and has no hook for models.
    """
    wrap_function(trainer_module.Trainer, "create_model_card", _create_model_card)
    wrap_function(trainer_module.Trainer, "push_to_hub", _push_to_hub)


def _push_to_hub(
    wrapped: Callable[..., Any], trainer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    if not isinstance(trainer.accelerator.unwrap_model(trainer.model), SharedModel):
        return wrapped(*args, **kwargs)
    with reaching_the_hub(trainer.args.hub_model_id):
        return wrapped(*args, **kwargs)


def _create_model_card(
    wrapped: Callable[..., None], trainer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    model = trainer.accelerator.unwrap_model(trainer.model)
    if not isinstance(model, SharedModel) or not trainer.is_world_process_zero():
        wrapped(*args, **kwargs)
        return

    file = Path(trainer.args.output_dir, "README.md")
    repo_id = trainer.hub_model_id
    text = file.read_text("utf-8") if file.is_file() else None
    if repo_id is not None:
        there = files_on_hub(repo_id, trainer.args.hub_revision, trainer.args.hub_token)
        config = file.with_name("config.json")
        if config.is_file():
            require_code_kept(repo_id, config, there)
        text = there.read(file.name) if text is None else text

    if text is not None and not is_generated(text):
        logger.warning(
            f"The card of {repo_id or file} was written or edited by a person, and stays as it is: {file}"
        )
        file.write_text(text, "utf-8")
        return

    wrapped(*args, **kwargs)
    draft = ModelCard.load(file)
    known = inspect.signature(wrapped).bind(*args, **kwargs).arguments
    summary = TrainingSummary.from_trainer(trainer, **known)
    # Trainer drops the results of tasks that transformers has no name for.
    draft.data.eval_results = _results(summary, task_of(type(model), model.config)) or None

    files = render_card(
        model.config,
        type(model),
        model.num_parameters(),
        repo_id=repo_id or file.parent.name,
        has_preprocessor=any((file.parent / name).is_file() for name in PREPROCESSORS),
        with_code=model.is_remote_code(),
        draft=draft,
    )
    write_files(file.parent, files)


def _results(summary: TrainingSummary, task: str | None) -> list[EvalResult]:
    """Return the measured results for the front matter; none where the data set is not named."""
    measured = summary.eval_results or {}
    datasets = zip(_listed(summary.dataset_tags), _listed(summary.dataset), strict=False)
    return [
        EvalResult(
            task_type=task,
            dataset_type=tag,
            dataset_name=name,
            metric_type=metric,
            metric_name=metric_name,
            metric_value=measured[metric_name],
        )
        for tag, name in datasets
        for metric, metric_name in infer_metric_tags_from_eval_results(measured).items()
        if task is not None
    ]


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
