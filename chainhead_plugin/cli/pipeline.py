"""The pipeline that commands run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..storage.code_origin import without_carried_code
from .screen import console

if TYPE_CHECKING:
    from .find_model import FoundModel


@contextmanager
def loading(model: FoundModel) -> Iterator[None]:
    """Import transformers, register all plugins with it, and keep it quiet while a model is loaded.

    Raises
    ------
    ValueError
        If the model needs code that it carries.
    """
    with console(stderr=True).status(f"Loading {model.name}"):
        from transformers.utils import logging

        import registry

        logging.disable_progress_bar()
        logging.set_verbosity_error()
        registry.load_plugins()
        with without_carried_code(model.name):
            yield


def load_pipeline(model: FoundModel, device: str | None) -> Any:
    """Return the transformers pipeline of a model.

    Raises
    ------
    ValueError
        If the device cannot be used here, no pipeline has the model's task, or a file is not what it should be.
    """
    with loading(model):
        import torch
        from transformers import pipeline
        from transformers.pipelines import PIPELINE_REGISTRY

        if model.task not in PIPELINE_REGISTRY.get_supported_tasks():
            raise ValueError(f"{model.name} is for {model.task}, for which no pipeline is registered")
        if device is not None:
            try:
                torch.empty(0, device=device)
            except (AssertionError, RuntimeError) as error:
                raise ValueError(f"device {device!r} cannot be used here: {error}") from error
        return pipeline(
            model.task,
            model=str(model.folder),
            device=device,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )
