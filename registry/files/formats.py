"""Which files a checkpoint may consist of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..errors import CheckpointError, PushError, UnsafeWeightsError

CONFIG = "config.json"
SAFE = (".safetensors", ".json", ".txt", ".md")
WEIGHTS = re.compile(r"model(-\d{5}-of-\d{5})?\.safetensors|model\.safetensors\.index\.json")
_SHARD = re.compile(r"[\w-][\w.-]*\.safetensors")
UNSAFE = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")
# Files that transformers' Trainer puts beside a model for itself, pickles among them: the state of a run, older models.
TRAINER_STATE = re.compile(
    r"(.*/)?(training_args\.bin|optimizer\.(pt|bin)|scheduler\.pt|scaler\.pt|rng_state(_\d+)?\.pth)|checkpoint-\d+/.*"
)


def safe_files(names: Iterable[str], where: str) -> list[str]:
    """Return the names of those files that hold data only.

    Parameters
    ----------
    names : iterable of str
        All files there are.
    where : str
        Where they are, for messages.

    Raises
    ------
    UnsafeWeightsError
        If weights are there in formats only that run code when they are read.
    CheckpointError
        If there are no weights.
    """
    names = sorted(names)
    safe = [name for name in names if name.endswith(SAFE)]
    if any(name.endswith(".safetensors") for name in safe):
        return safe
    if unsafe := [name for name in names if name.endswith(UNSAFE)]:
        raise UnsafeWeightsError(
            f"{where} has its weights as {', '.join(unsafe)} only. Such files are pickles, which can run any "
            "code when they are read: none of them is read. Ask the authors for safetensors, or convert them at "
            "https://huggingface.co/spaces/safetensors/convert"
        )
    raise CheckpointError(f"{where} has no weights: no file ends in .safetensors")


def shards_of(index: Path) -> set[str]:
    """Return the names of the files that an index of sharded weights lists.

    Raises
    ------
    CheckpointError
        If it is damaged, or a name leads out of its folder.
    """
    try:
        places = json.loads(index.read_text("utf-8"))["weight_map"].values()
        names = {str(place) for place in places}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{index} is damaged: expected an object with a weight_map") from error
    if outside := sorted(name for name in names if not _SHARD.fullmatch(name)):
        raise CheckpointError(f"{index} is damaged: {outside[0]!r} is no file of safetensors beside it")
    return names


def read_json(file: Path) -> dict[str, Any]:
    """Return the object in a JSON file of a checkpoint that is to be pushed.

    Raises
    ------
    PushError
        If it is missing or holds something else.
    """
    try:
        content = json.loads(file.read_text("utf-8"))
    except FileNotFoundError as error:
        raise PushError(f"{file.parent} is no checkpoint: it has no {file.name}") from error
    except (ValueError, RecursionError) as error:
        raise PushError(f"{file} is damaged: {error}") from error
    if not isinstance(content, dict):
        raise PushError(f"{file} is damaged: it holds a {type(content).__name__}, not an object")
    return content
