"""The arguments of transformers' TrainingArguments that a recipe may give: only arguments of optimisation.

A recipe may come from a stranger. Nothing in it may reach a network or a token, or write outside the output folder.
"""

import difflib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ...checks.values import check_number, check_switch, check_whole_number

_above_0 = partial(check_number, above=0)
_least_0 = partial(check_number, least=0)
_share = partial(check_number, least=0, most=1)
_count = partial(check_whole_number, least=1)
_seed = partial(check_whole_number, least=0, most=2**32 - 1)


def _text(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a text, got {value!r:.80} of type {type(value).__name__}")


def _options(name: str, value: Any) -> None:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise TypeError(
            f"{name} must be a mapping of options, got {value!r:.80} of type {type(value).__name__}"
        )


# transformers uses most of them without a check.
_CHECKS: Mapping[str, Callable[[str, Any], object]] = {
    "adam_beta1": partial(check_number, least=0, below=1),
    "adam_beta2": partial(check_number, least=0, below=1),
    "adam_epsilon": _least_0,
    "average_tokens_across_devices": check_switch,
    "bf16": check_switch,
    "data_seed": _seed,
    "dataloader_drop_last": check_switch,
    "fp16": check_switch,
    "full_determinism": check_switch,
    "gradient_accumulation_steps": _count,
    "gradient_checkpointing": check_switch,
    "label_smoothing_factor": _share,
    "lr_scheduler_kwargs": _options,
    "lr_scheduler_type": _text,
    "max_grad_norm": _least_0,
    "max_steps": partial(check_whole_number, least=-1),
    "num_train_epochs": _above_0,
    "optim": _text,
    "optim_args": _text,
    "per_device_train_batch_size": _count,
    "tf32": check_switch,
    "torch_compile": check_switch,
    "use_cpu": check_switch,
    "warmup_ratio": _share,
    "warmup_steps": _least_0,
    "weight_decay": _least_0,
}
ALLOWED = frozenset(_CHECKS)
# The trainer sets these for each run, from other fields of the recipe.
SET_BY_TRAINER = frozenset(
    {
        "dataloader_pin_memory",
        "disable_tqdm",
        "eval_strategy",
        "greater_is_better",
        "label_names",
        "learning_rate",
        "load_best_model_at_end",
        "logging_strategy",
        "metric_for_best_model",
        "output_dir",
        "per_device_eval_batch_size",
        "remove_unused_columns",
        "report_to",
        "save_steps",
        "save_strategy",
        "save_total_limit",
        "seed",
    }
)


def wrong_argument(arguments: Mapping[str, Any]) -> str | None:
    """Return a message about the first wrong training argument of a recipe, None if all are right."""
    for name, value in arguments.items():
        if name in SET_BY_TRAINER:
            return f"{name} is set by the trainer: leave it out"
        if name not in ALLOWED:
            close = difflib.get_close_matches(str(name), ALLOWED, n=1)
            hint = f", did you mean {close[0]}?" if close else ""
            return f"recipes have no argument {name}{hint or ': expected ' + ', '.join(sorted(ALLOWED))}"
        try:
            _CHECKS[name](name, value)
        except (TypeError, ValueError) as error:
            return str(error)
    return None
