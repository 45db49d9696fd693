"""The folder of a job's model, and the digest by which its files are known again."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..files.hashes import sha256
from ..plugins.catalogue import list_models, model_info
from ..pulling import pull


def folder_of_model(name: str, revision: str | None = None) -> Path:
    """Return the folder of a model: of the zoo, here, or on the Hub. Of the first and the last all files are verified.

    Raises
    ------
    ValueError
        If there is no such model, or the zoo's model has no pipeline.
    registry.RegistryError, OSError
        As `registry.pull` raises them.
    """
    if name in list_models():
        if model_info(name).factory is not None:
            raise ValueError(f"{name} has no pipeline, as it is no model of transformers")
        return pull(name, revision)
    folder = Path(name)
    if folder.is_dir():
        if revision is not None:
            raise ValueError(f"revision has no effect on the folder {name}")
        return folder.absolute()
    if "/" not in name or name.startswith(("/", ".", "~")):
        raise ValueError(
            f"there is no model {name}: give a model of the zoo (registry.list_models()), a checkpoint's folder, or a "
            "repository on the Hub as owner/name"
        )
    return pull(name, revision)


def task_of_model(name: str) -> str | None:
    """Return the task of a model of the zoo; None for all other models."""
    return model_info(name).task if name in list_models() else None


def digest_of(folder: Path) -> str:
    """Return a SHA-256 over the names and contents of a checkpoint's files, without hidden files and Markdown."""
    digest = hashlib.sha256()
    files = {
        file.relative_to(folder).as_posix(): file
        for file in folder.rglob("*")
        if file.is_file() and not file.name.startswith(".") and file.suffix != ".md"
    }
    for name in sorted(files):
        digest.update(f"{name} {sha256(files[name])}\n".encode())
    return digest.hexdigest()
