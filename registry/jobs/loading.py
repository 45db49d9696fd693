"""Loads the pipeline of a folder: safetensors alone, and no code that the folder brings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..plugins.load import load_plugins


def check_task(task: str) -> None:
    """Register all plugins, and check that there is a pipeline for a task.

    Raises
    ------
    ValueError
        If there is none.
    """
    load_plugins()
    from transformers.pipelines import PIPELINE_REGISTRY

    known = PIPELINE_REGISTRY.get_supported_tasks()
    if task not in known:
        raise ValueError(f"there is no pipeline for {task!r}, expected {', '.join(known)}")


def load_pipeline(folder: Path, task: str, device: str | None) -> Any:
    """Return a pipeline of transformers, with the classes of all plugins registered."""
    check_task(task)
    import transformers

    return transformers.pipeline(
        task,
        model=str(folder),
        device=device,
        trust_remote_code=False,
        model_kwargs={"use_safetensors": True},
    )
