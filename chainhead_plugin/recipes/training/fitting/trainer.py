"""Train a model by transformers' Trainer, in a run that can be resumed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import (
    EarlyStoppingCallback,
    EvalPrediction,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)

from ....chain.threads import num_threads
from ...candidates.inputs.inputs import Inputs
from ...data.examples import Examples
from ...errors import RecipeError
from ...task import Task
from ..stopwatch import Stopwatch
from ..trials import Trial
from .best_epoch import RANK, RankEpochs
from .checkpoints import KEPT, SealCheckpoints, last_complete_checkpoint
from .target_scale import TargetScale
from .weighting import weighted_loss

_BATCH, _BATCH_ON_ENCODER = 512, 32


@dataclass(frozen=True)
class Fit:
    """A trained model.

    Attributes
    ----------
    model : nn.Module
        In evaluation mode, on the CPU.
    history : list of dict
        The Trainer's log, with records for every epoch.
    seconds : float
        The time that training took.
    fitted : dict
        Fields of the configuration that training chose, which the candidate takes to build the model.
    """

    model: nn.Module
    history: list[dict[str, float]]
    seconds: float
    fitted: dict[str, Any] = field(default_factory=dict)


def fit(trial: Trial, folder: Path, on_epoch: Callable[[], None] = lambda: None) -> Fit:
    """Train a candidate; the same seed and number of threads give the same weights.

    If the fold holds examples out, the model is evaluated on them after every epoch. Early stopping, if the recipe has
    it, watches the task's first metric, and the loss where that stays the same.

    Parameters
    ----------
    trial : Trial
    folder : Path
        The folder of the Trainer's checkpoints. An interrupted run goes on from the last complete checkpoint.
    on_epoch : callable
        Called after every epoch.

    Returns
    -------
    Fit

    Raises
    ------
    RecipeError
        If an argument of the recipe's `training` has a value that cannot be used.
    """
    recipe, task = trial.recipe, trial.recipe.task
    inputs, training, validation = trial.fold.inputs, trial.fold.training, trial.fold.validation
    count, scale = len(training.labels), task.target_scale(training)

    with num_threads(recipe.threads):
        set_seed(trial.seed)
        model = trial.candidate.build()
        inputs.initialise(model)
        trainer = Trainer(
            model=model,
            args=_arguments(trial, folder),
            train_dataset=range(count),
            eval_dataset=None if validation is None else range(count, count + len(validation.labels)),
            data_collator=Batches(
                inputs, task, [training] if validation is None else [training, validation], scale
            ),
            compute_loss_func=weighted_loss(recipe, training),
            compute_metrics=partial(_measured, task=task, scale=scale),
            preprocess_logits_for_metrics=partial(_measured_output, place=task.place),
        )
        trainer.remove_callback(PrinterCallback)
        trainer.add_callback(_OnEpoch(on_epoch))
        trainer.add_callback(SealCheckpoints())
        if recipe.early_stopping is not None:
            trainer.add_callback(RankEpochs(task.metric))
            trainer.add_callback(EarlyStoppingCallback(recipe.early_stopping))

        watch = Stopwatch(recipe.threads)
        trainer.train(resume_from_checkpoint=last_complete_checkpoint(folder))
        seconds = watch.seconds

    model = model.to("cpu").eval()
    if scale is not None:
        last: Any = model
        scale.fold_into(last.classifier)
    return Fit(model, trainer.state.log_history, seconds)


def _arguments(trial: Trial, folder: Path) -> TrainingArguments:
    recipe, task = trial.recipe, trial.recipe.task
    is_light = recipe.on_frozen_encoder or not recipe.encoder
    ours: dict[str, Any] = {
        "output_dir": str(folder),
        "seed": trial.seed,
        "learning_rate": trial.rate,
        "label_names": [task.targets],
        "eval_strategy": "no" if trial.fold.validation is None else "epoch",
        "per_device_eval_batch_size": _BATCH if is_light else _BATCH_ON_ENCODER,
        "logging_strategy": "epoch",
        "save_total_limit": KEPT,
        "report_to": "none",
        "remove_unused_columns": False,
        "dataloader_pin_memory": torch.cuda.is_available(),
        "disable_tqdm": True,
    }

    if recipe.early_stopping is not None:
        ours |= {
            "save_strategy": "epoch",
            "load_best_model_at_end": True,
            "metric_for_best_model": RANK,
            "greater_is_better": True,
        }
    else:
        # Four times a run: saving after every epoch would take longer than training small models.
        ours |= {"save_strategy": "steps", "save_steps": 0.25}

    try:
        return TrainingArguments(**ours, **recipe.training)
    except (TypeError, ValueError) as error:
        raise RecipeError(f"training: {error}") from error


class _OnEpoch(TrainerCallback):
    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call

    def on_epoch_end(self, *_: Any, **__: Any) -> None:
        self._call()


class Batches:
    """Makes batches of examples, which are numbered through the training part and then the validation part.

    If all inputs have the same shape, they are preprocessed once, else batch by batch, so that inputs are padded only
    to the longest of their batch. Windows are copied batch by batch, and so are inputs of an encoder, which may be many
    times as large as examples.

    Parameters
    ----------
    inputs : Inputs
        The preprocessing.
    task : Task
    parts : sequence of Examples
    scale : TargetScale, optional
        How targets are scaled.
    """

    def __init__(
        self, inputs: Inputs, task: Task, parts: Sequence[Examples], scale: TargetScale | None = None
    ) -> None:
        self._inputs, self._task, self._scale = inputs, task, scale
        self._parts = parts
        self._starts = np.cumsum([0, *(len(part.labels) for part in parts)])
        self._targets = [part.targets() for part in parts]
        self._ready = None
        if inputs.encoder is None and not any(part.is_made_on_demand for part in parts):
            examples = [one for part in parts for one in part.inputs]
            shapes = {np.shape(one) for one in examples}
            self._ready = inputs.batch(examples) if len(shapes) == 1 and shapes != {()} else None

    def __call__(self, places: list[int]) -> dict[str, Tensor]:
        """Return the batch of the examples with these numbers: tensors by name, the targets among them."""
        found = [self._place(place) for place in places]
        if self._ready is not None:
            batch = {name: tensor[places] for name, tensor in self._ready.items()}
        else:
            batch = self._inputs.batch(self._examples(found))
        targets = self._task.collate([self._targets[part][row] for part, row in found])
        if self._scale is not None:
            targets = self._scale.scaled(targets)
        return {**batch, self._task.targets: torch.from_numpy(targets)}

    def _examples(self, found: list[tuple[int, int]]) -> Sequence[Any]:
        first = self._parts[found[0][0]]
        if first.is_made_on_demand and len({part for part, _ in found}) == 1:
            made: Sequence[Any] = first.take(np.array([row for _, row in found])).inputs
            return made
        return [self._parts[part].inputs[row] for part, row in found]

    def _place(self, place: int) -> tuple[int, int]:
        """Return the part of an example, and its row there."""
        part = int(np.searchsorted(self._starts, place, side="right")) - 1
        return part, place - int(self._starts[part])


def _measured(found: EvalPrediction, task: Task, scale: TargetScale | None) -> dict[str, float]:
    """Return the task's first metric; numbers are in their own unit."""
    predictions, targets = found.predictions, found.label_ids
    if scale is not None:
        predictions, targets = scale.restored(predictions), scale.restored(targets)
    return {task.metric.name: task.metric.of(predictions, targets)}


def _measured_output(outputs: Any, _: Tensor, place: int) -> Tensor:
    """Return the output that is measured, which is at this position if the model has several outputs."""
    measured: Tensor = outputs[place] if isinstance(outputs, tuple) else outputs
    return measured
