"""Get a model's files, from wherever they are nearest."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from .errors import NotEmbeddedError, RegistryError
from .files.checkpoint import verified_checkpoint
from .files.formats import SAFE
from .plugins.catalogue import installed_catalogue
from .plugins.entry import ModelEntry


def pull(
    name: str,
    revision: str | None = None,
    *,
    token: str | bool | None = None,
    cache_dir: Path | None = None,
    force: bool = False,
) -> Path:
    """Return a local folder with a model's files, each of them verified.

    Files are compared with the hashes that the Hub states and with those that a plugin pins. Only safetensors
    and text are downloaded.

    Parameters
    ----------
    name : str
        A name that `list_models` gives: embedded, or in the client's cache, or on the Hub at the pinned commit. Or any
        repository, as ``"owner/name"``, unless a plugin has a model of that name.
    revision : str, optional
        Branch, tag or commit on the Hub; by default the commit that the plugin pins, or ``"main"``.
    token : str or bool, optional
        For private and gated repositories; by default the token that is logged in.
    cache_dir : Path, optional
        The cache to use, by default the client's.
    force : bool
        Download cached files again.

    Raises
    ------
    UnknownModelError
        If no plugin brings the model.
    NotEmbeddedError
        If its weights are neither shipped nor on the Hub.
    CheckpointError
        If a file is missing, has other content (`ChecksumError`), or weights are offered only in formats that
        run code when they are read (`UnsafeWeightsError`).
    TransferError
        If the Hub cannot be reached or breaks off, and the cache does not have all files.
    huggingface_hub.errors.HfHubHTTPError
        If the Hub refuses, such as by a `RepositoryNotFoundError`, `GatedRepoError` or `RevisionNotFoundError`.
    huggingface_hub.errors.LocalEntryNotFoundError
        In offline mode, if a file is not cached.

    Warns
    -----
    RegistryWarning
        If the Hub cannot be reached and the model comes from the cache.
    """
    if "/" in name and not is_of_plugin(name):
        from .hub.download import Download

        return Download(repo_id=name, revision=revision or "main", token=token, cache_dir=cache_dir).run(
            force=force
        )
    catalogue = installed_catalogue()
    entry = catalogue.model(name)
    return pulled_entry(
        entry,
        catalogue.owners[name].source.distribution,
        revision=revision,
        token=token,
        cache_dir=cache_dir,
        force=force,
    )


def is_of_plugin(name: str) -> bool:
    """Tell whether an installed plugin brings a model; False while plugins are being imported."""
    try:
        return name in installed_catalogue().models
    except RegistryError:
        return False


def pulled_entry(
    entry: ModelEntry,
    distribution: str,
    *,
    revision: str | None = None,
    token: str | bool | None = None,
    cache_dir: Path | None = None,
    force: bool = False,
) -> Path:
    """Return the verified folder of an entry; parameters and errors as of `pull`.

    Parameters
    ----------
    distribution : str
        The distribution that brings the entry.
    """
    if entry.path is not None and revision is None:
        return verified_checkpoint(entry, entry.path, distribution)
    if entry.repo_id is None:
        raise NotEmbeddedError(
            f"the weights of {entry.name!r} are not on the Hub"
            if entry.path
            else f"the weights of {entry.name!r} are neither shipped with {distribution} nor on the Hub"
        )
    from .hub.download import Download

    wanted = revision or entry.revision or "main"
    # Another revision may have other files.
    pinned = entry.files if revision in (None, entry.revision) else {}
    return Download(
        repo_id=entry.repo_id, revision=wanted, pinned=pinned, token=token, cache_dir=cache_dir
    ).run(force=force)


def copy_checkpoint(folder: Path, to: Path) -> None:
    """Copy a checkpoint's files into a new folder, which is there completely or not at all.

    Parameters
    ----------
    folder : Path
        As `pull` returns it.
    to : Path
        A folder that does not exist yet, or is empty.

    Raises
    ------
    FileExistsError
        If there is something else.
    """
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise FileExistsError(f"{to} exists already")
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to.parent, prefix=f".{to.name}-") as new:
        copy = Path(new, "copy")
        for file in folder.rglob("*"):
            if file.is_file() and file.name.endswith(SAFE):
                target = copy / file.relative_to(folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
        copy.rename(to)
