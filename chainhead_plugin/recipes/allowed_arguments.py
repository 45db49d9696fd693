"""Which arguments of transformers' TrainingArguments a recipe may give: those of optimisation, and no others.

A recipe may come from anybody. Nothing in it reaches a network or a token, or writes beside the output folder.
"""

import difflib
from collections.abc import Mapping
from typing import Any

ALLOWED = frozenset(
    {
        "adam_beta1",
        "adam_beta2",
        "adam_epsilon",
        "average_tokens_across_devices",
        "bf16",
        "data_seed",
        "dataloader_drop_last",
        "fp16",
        "full_determinism",
        "gradient_accumulation_steps",
        "gradient_checkpointing",
        "label_smoothing_factor",
        "lr_scheduler_kwargs",
        "lr_scheduler_type",
        "max_grad_norm",
        "max_steps",
        "num_train_epochs",
        "optim",
        "optim_args",
        "per_device_train_batch_size",
        "tf32",
        "torch_compile",
        "use_cpu",
        "warmup_ratio",
        "warmup_steps",
        "weight_decay",
    }
)
# Each run has its own, from the recipe's other fields.
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
    """Return what is wrong with a recipe's training arguments, None if nothing is."""
    for name in arguments:
        if name in SET_BY_TRAINER:
            return f"{name} is set by the trainer: leave it out"
        if name not in ALLOWED:
            close = difflib.get_close_matches(str(name), ALLOWED, n=1)
            hint = f", did you mean {close[0]}?" if close else ""
            return f"recipes have no argument {name}{hint or ': expected ' + ', '.join(sorted(ALLOWED))}"
    return None
