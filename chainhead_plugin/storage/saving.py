"""Saving over a checkpoint: whenever the writer dies, a reader finds the old or the new checkpoint, whole.

A model is a pair of files, configuration and weights (or more, with shards), and no system call replaces two.
But ``config.json`` may name its weights, in the field ``transformers_weights``, which every reader in
transformers follows. So a model is first written to a hidden folder beside the old model. Then one rename puts a
``config.json`` in place that points there: before it the folder is the old model, after it the new model. With
the old weights out of use, the new weights get their usual names as hard links, and a second rename puts the
``config.json`` in place that points nowhere.

Other files that are saved with a model, such as a feature extractor's, stay in the hidden folder until the old
weights are out of use, and `companion` finds them there.
"""

import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .folder_lock import write_locked
from .whole_files import sync

_CONFIG = "config.json"
_WEIGHTS = "model.safetensors"
_INDEX = "model.safetensors.index.json"
_POINTER = "transformers_weights"
_STAGING = ".chainhead-saving-"
_LINK = ".link"
_GONE = ".gone"
_POINTED_INDEX = "pointed-to.safetensors.index.json"

# The allowed values of `transformers_weights`: a file in the folder, or in the hidden folder within.
WEIGHTS_FILE = re.compile(rf"({re.escape(_STAGING)}\w+/)?[\w-][\w.-]*\.safetensors(\.index\.json)?")

_WEIGHTS_OF_VARIANT = re.compile(
    r"model(\.(?P<weights>[^.]+?))?(-\d{5}-of-\d{5})?\.safetensors|model\.safetensors\.index(\.(?P<index>[^.]+))?\.json"
)

# Age in seconds of hidden folders whose writers died: a living writer has written within this time.
_STALE_SECONDS = 3600


class WholeSaveMixin:
    """A `save_pretrained` that leaves either the old or the new checkpoint, for `PreTrainedModel`s."""

    def save_pretrained(
        self,
        save_directory: str | os.PathLike[str],
        is_main_process: bool = True,
        state_dict: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Save the model, as `PreTrainedModel.save_pretrained` does, but whole or not at all.

        If the process is killed, the disk is full, or anything is raised, the folder loads as the checkpoint
        that it was or as the new model, never as a mixture of both. Other files in the folder stay. Until the
        new model is complete, both need disk space.

        Adapters (`add_adapter`) and variants (`variant=…`) are several files without a common name: each is
        replaced whole, the weights before the configuration. `distributed_checkpoint` writes in place.

        Parameters
        ----------
        save_directory : str or Path
            A folder, made if it is missing. A single process at a time may save to it.
        is_main_process : bool
        state_dict : dict, optional
        **kwargs
            As of `PreTrainedModel.save_pretrained`.

        Raises
        ------
        FileExistsError
            If `save_directory` is a file.
        OSError
            If the files cannot be written.
        """
        save: Any = super().save_pretrained  # type: ignore[misc]
        if kwargs.get("distributed_checkpoint"):
            save(save_directory, is_main_process, state_dict, **kwargs)
            return
        folder = Path(save_directory)
        folder.mkdir(parents=True, exist_ok=True)
        if is_main_process:
            complete_interrupted_save(folder)
            _remove_stale(folder)
        if state_dict is not None:
            state_dict = dict(state_dict)  # transformers takes tensors out of it as it writes them
        with _staging(folder) as new:
            save(new, is_main_process, state_dict, **kwargs)
            if is_main_process:
                with write_locked(folder):
                    _install(new, folder)


def save_together(
    folder: str | os.PathLike[str], save: Callable[[Path], None], gone: Collection[str] = ()
) -> None:
    """Save a model with the files that belong to it, in a single step.

    However the process ends, the folder holds the old model with its own files, or the new model with its own:
    `companion` gives their paths. Other files in the folder stay.

    Parameters
    ----------
    folder : str or Path
        A folder, made if it is missing. A single process at a time may save to it.
    save : callable
        Writes the model, and everything that belongs to it, into the empty folder that it is given.
    gone : collection of str
        Names of files that belong to an old model and have no successor: they are deleted.

    Raises
    ------
    FileExistsError
        If `folder` is a file.
    OSError
        If the files cannot be written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    complete_interrupted_save(folder)
    _remove_stale(folder)
    with _staging(folder) as new:
        save(new)
        for name in gone:
            (new / (name + _GONE)).touch()
        with write_locked(folder):
            _install(new, folder)


def companion(folder: Path, name: str) -> Path:
    """Return the path of a file that belongs to the model in a folder, whether it exists or not.

    It is in a hidden folder while the model is being saved, or where the process that saved it was killed.
    """
    new = _pointed_to(folder)
    if new is not None and any((new / found).exists() for found in (name, name + _GONE)):
        return new / name
    return folder / name


def complete_interrupted_save(folder: str | os.PathLike[str]) -> None:
    """Give the files of a model their usual names, if the process that saved it was killed before it did.

    The folder loads as the same model before and after; other programs than transformers may need the names.
    """
    folder = Path(folder)
    if _pointed_to(folder) is None:
        return
    with write_locked(folder):
        new = _pointed_to(folder)
        if new is not None:
            _rename(new, folder)


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    # Inside the folder: the place beside it may be another file system, or not writable.
    new = Path(tempfile.mkdtemp(prefix=_STAGING, dir=folder))
    try:
        shutil.copymode(folder, new)
        yield new
    finally:
        if _pointed_to(folder) != new:
            shutil.rmtree(new, ignore_errors=True)


def _install(new: Path, folder: Path) -> None:
    """Move a saved model from its hidden folder to the folder around it."""
    names = sorted(file.name for file in new.iterdir())
    weights = [name for name in names if _WEIGHTS_OF_VARIANT.fullmatch(name)]
    is_over_another = (folder / _CONFIG).exists()
    for name in names:
        if is_over_another:
            sync(new / name)
    for name in weights:
        _link(new / name, new / (name + _LINK))
    if is_over_another and _CONFIG in names and {_WEIGHTS, _INDEX} & {*weights}:
        _point(new, folder)
    _rename(new, folder)


def _point(new: Path, folder: Path) -> None:
    """Make the new model the folder's, in a single step: before it, the folder holds the old model."""
    target = f"{new.name}/{_WEIGHTS}"
    if (new / _INDEX).exists():
        index = json.loads((new / _INDEX).read_text("utf-8"))
        index["weight_map"] = {key: f"{new.name}/{shard}" for key, shard in index["weight_map"].items()}
        target = f"{new.name}/{_POINTED_INDEX}"
        (folder / target).write_text(json.dumps(index), "utf-8")
    config = json.loads((new / _CONFIG).read_text("utf-8"))
    pointing = new / "pointing.json"
    pointing.write_text(json.dumps({**config, _POINTER: target}, indent=2) + "\n", "utf-8")
    sync(pointing)
    pointing.replace(folder / _CONFIG)


def _rename(new: Path, folder: Path) -> None:
    """Give the new weights their usual names, then the configuration; steps that were done before stay done."""
    for link in sorted(new.glob("*" + _LINK)):
        with suppress(FileNotFoundError):
            link.replace(folder / link.name.removesuffix(_LINK))
    weights = {file.name for file in new.iterdir() if _WEIGHTS_OF_VARIANT.fullmatch(file.name)}
    for variant in {_variant(name) for name in weights}:
        for file in folder.iterdir():
            old = _WEIGHTS_OF_VARIANT.fullmatch(file.name) is not None and file.name not in weights
            # A loader would prefer an old single file to new shards, and an old index names shards that are gone.
            if old and _variant(file.name) == variant:
                file.unlink(missing_ok=True)
    _move_companions(new, folder, weights)
    with suppress(FileNotFoundError):
        (new / _CONFIG).replace(folder / _CONFIG)
    shutil.rmtree(new, ignore_errors=True)


def _move_companions(new: Path, folder: Path, weights: Collection[str]) -> None:
    """Give the files that were saved with a model their usual names, weights of adapters first."""
    for gone in new.glob("*" + _GONE):
        (folder / gone.name.removesuffix(_GONE)).unlink(missing_ok=True)
    rest = [
        file
        for file in new.iterdir()
        if file.name not in (_CONFIG, _POINTED_INDEX, *weights) and file.suffix not in (_LINK, _GONE)
    ]
    for file in sorted(rest, key=lambda file: (file.suffix != ".safetensors", file.name)):
        file.replace(folder / file.name)


def _pointed_to(folder: Path) -> Path | None:
    """Return the hidden folder that a model's weights are still in."""
    try:
        config = json.loads((folder / _CONFIG).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    pointer = config.get(_POINTER) if isinstance(config, dict) else None
    name = pointer.partition("/")[0] if isinstance(pointer, str) else ""
    return folder / name if re.fullmatch(re.escape(_STAGING) + r"\w+", name) else None


def _variant(name: str) -> str | None:
    match = _WEIGHTS_OF_VARIANT.fullmatch(name)
    assert match is not None
    return match["weights"] or match["index"]


def _remove_stale(folder: Path) -> None:
    for left in folder.glob(_STAGING + "*"):
        with suppress(OSError):
            written = max(file.stat().st_mtime for file in (left, *left.iterdir()))
            if written < time.time() - _STALE_SECONDS:
                shutil.rmtree(left, ignore_errors=True)


def _link(file: Path, link: Path) -> None:
    try:
        link.hardlink_to(file)
    except OSError:  # some file systems have no hard links
        shutil.copy2(file, link)
