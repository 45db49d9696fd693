"""Loads the pipeline that commands run, and explains errors that come from a model's damaged files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from registry.screen import console

from ..inputs.video_files import check_reader
from ..storage.code_origin import CarriedCodeError, without_carried_code

if TYPE_CHECKING:
    from .find_model import FoundModel

# For each kind of preprocessor, the class of transformers that loads it, and its file.
_PREPROCESSORS = {
    "tokenizer": ("AutoTokenizer", "tokenizer_config.json"),
    "feature_extractor": ("AutoFeatureExtractor", "preprocessor_config.json"),
    "image_processor": ("AutoImageProcessor", "preprocessor_config.json"),
}
_MOST_CHARACTERS = 300


@contextmanager
def loading(model: FoundModel) -> Iterator[None]:
    """Within a `with` block that loads a model: register all plugins with transformers, and silence its messages.

    Raises
    ------
    ValueError
        If the model needs code from its own folder, or its files are damaged or do not belong together. If a single
        file is damaged, the message names it.
    """
    from registry import RegistryError

    with console(stderr=True).status(f"Loading {model.name}"):
        from transformers.utils import logging

        import registry

        logging.disable_progress_bar()
        logging.set_verbosity_error()
        registry.load_plugins()
        try:
            with without_carried_code(model.name):
                yield
        except (RegistryError, ModuleNotFoundError, CarriedCodeError):
            raise
        except Exception as error:  # Damaged files make transformers raise errors of any type.
            if damage := _damage(model.folder):
                raise ValueError(f"{model.name} cannot be loaded: {damage}") from error
            if isinstance(error, _RefusalError):
                raise
            raise ValueError(
                f"{model.name} cannot be loaded, as files of {model.folder} are damaged, or do not belong together: "
                f"{_told(error)}"
            ) from error


@contextmanager
def answering(model: FoundModel) -> Iterator[None]:
    """Within a `with` block that runs a model: turn errors that come from its files into a sentence.

    Raises
    ------
    ValueError
        In place of errors that do not concern the input.
    """
    try:
        yield
    except (ValueError, OSError, ModuleNotFoundError):
        raise
    except Exception as error:
        if type(error).__name__ == "OutOfMemoryError" or isinstance(error, MemoryError):
            raise ValueError(
                "there is not enough memory: give a smaller --batch-size, or --device cpu"
            ) from error
        raise ValueError(
            f"{model.name} cannot answer, as its files do not fit this input or each other: {_told(error)}"
        ) from error


class _RefusalError(ValueError):
    """An error whose cause is not in the model's files."""


def load_pipeline(model: FoundModel, device: str | None) -> Any:
    """Return the transformers pipeline of a model.

    Raises
    ------
    ValueError
        If the device cannot be used here, there is no pipeline for the model's task, or a file is damaged.
    """
    answers = model.answers
    auto_class, file = _PREPROCESSORS.get(answers.preprocessor or "", ("", ""))
    if file and not (model.folder / file).is_file():
        raise ValueError(
            f"{model.folder} has no {file}, which says how inputs are prepared for the model: save the "
            f"{answers.preprocessor} of its training into the folder, with save_pretrained"
        )
    if answers.reads == "video":
        check_reader()
    with loading(model):
        import torch
        import transformers
        from transformers.pipelines import PIPELINE_REGISTRY

        from ..storage.whole_reading import read_whole

        if answers.task not in PIPELINE_REGISTRY.get_supported_tasks():
            raise _RefusalError(f"{model.name} is for {answers.task}, for which no pipeline is registered")
        if device is not None:
            try:
                torch.empty(0, device=device)
            except (AssertionError, RuntimeError) as error:
                raise _RefusalError(
                    f"device {device!r} cannot be used here, expected a device such as cpu, cuda:0 or mps: {error}"
                ) from error
        # Loaded here, as pipeline() would wrap an error, with its traceback, into the message of another error.
        where = {"local_files_only": True, "trust_remote_code": False}

        def read() -> tuple[Any, dict[str, Any]]:
            loaded = getattr(transformers, answers.auto_class).from_pretrained(
                model.folder, use_safetensors=True, **where
            )
            if answers.preprocessor is None:
                return loaded, {}
            preprocessor = getattr(transformers, auto_class).from_pretrained(model.folder, **where)
            return loaded, {answers.preprocessor: preprocessor}

        loaded, beside = read_whole(model.folder, read)
        return transformers.pipeline(
            answers.task, model=loaded, device=device, trust_remote_code=False, **beside
        )


def _damage(folder: Path) -> str:
    """Return a sentence that names a damaged file of a checkpoint; empty if no file is found to be damaged."""
    for file in sorted(folder.glob("*.json")):
        try:
            value = json.loads(file.read_bytes())
        except (ValueError, OSError, RecursionError) as error:
            return f"{file} is damaged: {_told(error)}"
        if not isinstance(value, dict):
            return f"{file} is damaged: it holds {value!r:.40}, expected an object"
    for file in sorted(folder.glob("*.safetensors")):
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(file, framework="np"):
                pass
        except (SafetensorError, OSError) as error:
            return f"{file} is damaged: {_told(error)}"
    return ""


def _told(error: BaseException) -> str:
    """Return an error's message on one line, with the error's type if the message alone is not clear."""
    text = " ".join(str(error).split())
    if isinstance(error, KeyError | AttributeError | IndexError | AssertionError) or not text:
        text = f"{type(error).__name__} {text}".rstrip()
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…"
