"""Get a model's files from the Hub, or from the client's cache, and verify them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath

from huggingface_hub import HfApi, constants, is_offline_mode, snapshot_download
from huggingface_hub.errors import LocalEntryNotFoundError
from huggingface_hub.hf_api import ModelInfo

from ..errors import ChecksumError, RegistryWarning, TransferError
from ..files.formats import SAFE, safe_files, shards_of
from ..files.verification import stated_by_cache, verify
from .cache_names import checked_names
from .requests import ask, commit_of, understood, with_advice


@dataclass(frozen=True, kw_only=True)
class Download:
    """A model on the Hub, and how to get it.

    Attributes
    ----------
    repo_id : str
    revision : str
        Branch, tag or commit.
    pinned : Mapping[str, str]
        The SHA-256 of files that must be there.
    token : str, bool or None
        As of the client.
    cache_dir : Path or None
        The client's cache, by default its own.
    """

    repo_id: str
    revision: str
    pinned: Mapping[str, str] = field(default_factory=dict)
    token: str | bool | None = None
    cache_dir: Path | None = None

    def run(self, *, force: bool = False) -> Path:
        """Return the snapshot's folder, all of whose files are verified.

        A commit all of whose files are pinned comes from the cache if it is there. Otherwise the
        Hub is asked first, so that callers who may no longer read a model get no old copy unawares; the
        cache serves only where the Hub cannot be reached.

        Raises
        ------
        huggingface_hub.errors.HfHubHTTPError
            If the Hub refuses, of the client's own types, with advice.
        huggingface_hub.errors.LocalEntryNotFoundError
            In offline mode, if a file is not cached.
        TransferError
            If the Hub cannot be reached or breaks off, and the cache does not have all files.
        ChecksumError
            If a file differs from its hash on the Hub, or from the pinned hash.
        CheckpointError
            If there are no weights, or (`UnsafeWeightsError`) only such that run code when they are read.

        Warns
        -----
        RegistryWarning
            If the Hub cannot be reached and the model comes from the cache.
        """
        if is_offline_mode():
            return self._cached()
        if self.pinned and re.fullmatch("[0-9a-f]{40}", self.revision) and not force:
            try:
                return self._cached()
            except (LocalEntryNotFoundError, ChecksumError):
                return self._fetched()
        try:
            return self._fetched(force=force)
        except TransferError as error:
            if force:
                raise
            try:
                folder = self._cached()
            except LocalEntryNotFoundError:
                raise error from error.__cause__
            warnings.warn(
                f"{constants.ENDPOINT} cannot be used now: {self.repo_id} at {self.revision} comes from the "
                f"cache, commit {folder.name}, and may not be the latest.",
                RegistryWarning,
                stacklevel=3,
            )
            return folder

    def _fetched(self, *, force: bool = False) -> Path:
        # Users who may not read the files of a gated repository can still list them.
        ask(lambda: HfApi(token=self.token).auth_check(self.repo_id), self.repo_id)
        info = self._info(self.revision)
        safe_files(self._hashes(info), f"{self.repo_id} at {self.revision}")
        folder = ask(lambda: self._snapshot(force_download=force), self.repo_id)
        if folder.name != info.sha:  # a commit came in between
            info = self._info(folder.name)
        hashes = self._hashes(info)
        names = safe_files(hashes, f"{self.repo_id} at {info.sha}")
        stated = {name: hashes[name] for name in names if not self.pinned or name in self.pinned}
        self._verify(folder, stated, "the Hub")
        return folder

    def _cached(self) -> Path:
        try:
            folder = self._snapshot(local_files_only=True)
            names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
            names = [name for name in names if name.endswith(SAFE)]
            if missing := (self.pinned.keys() or _needed(folder, names)) - set(names):
                raise LocalEntryNotFoundError(f"{folder} lacks {', '.join(sorted(missing))}.")
        except LocalEntryNotFoundError as error:
            why = "in offline mode (HF_HUB_OFFLINE)" if is_offline_mode() else "while the Hub is out of reach"
            advice = (
                f"{self.repo_id} at {self.revision} is not completely cached, and cannot be downloaded {why}. "
                f"Pull it once with a connection: registry.pull({self.repo_id!r}, {self.revision!r})"
            )
            raise with_advice(error, advice) from error.__cause__
        self._verify(folder, stated_by_cache(folder, names), "the cache")
        return folder

    def _verify(self, folder: Path, stated: Mapping[str, str], stated_by: str) -> None:
        repair = f"To repair it, pull again: registry.pull({self.repo_id!r}, {self.revision!r})"
        verify(folder, stated, stated_by, repair)
        repair = f"Something else was published as {self.repo_id} at {self.revision} than its plugin pins."
        verify(folder, self.pinned, "its plugin", repair)

    def _info(self, revision: str) -> ModelInfo:
        api = HfApi(token=self.token)
        info = ask(lambda: api.model_info(self.repo_id, revision=revision, files_metadata=True), self.repo_id)
        commit_of(info)
        return info

    def _hashes(self, info: ModelInfo) -> dict[str, str]:
        """For every file its hash: of the content as SHA-256 in large file storage, else as git has it."""
        with understood(self.repo_id):
            hashes = {
                file.rfilename: str(file.lfs.sha256 if file.lfs else file.blob_id)
                for file in info.siblings or ()
            }
        for name in hashes:
            if not isinstance(name, str) or not name.isprintable():
                raise TransferError(f"the Hub names a file {name!a:.80}, which is no name of a file")
            # The client writes a file to its name: a name that leads elsewhere is an attack, or an accident.
            if (
                PurePosixPath(name).is_absolute()
                or PureWindowsPath(name).drive
                or ".." in re.split(r"[/\\]", name)
            ):
                raise TransferError(f"the Hub names a file {name!r}, which is no place in a repository")
        return hashes

    def _snapshot(self, *, force_download: bool = False, local_files_only: bool = False) -> Path:
        with checked_names():
            folder = snapshot_download(
                self.repo_id,
                revision=self.revision,
                allow_patterns=list(self.pinned) or [f"*{suffix}" for suffix in SAFE],
                token=self.token,
                cache_dir=self.cache_dir,
                force_download=force_download,
                local_files_only=local_files_only,
            )
        return Path(folder)


def _needed(folder: Path, names: list[str]) -> set[str]:
    """Tell which files a checkpoint must have, as far as those that are there tell."""
    needed = {"config.json"}
    for name in [name for name in names if name.endswith(".safetensors.index.json")]:
        needed |= shards_of(folder / name)
    if not any(name.endswith(".safetensors") for name in names):
        needed.add("model.safetensors")
    return needed
