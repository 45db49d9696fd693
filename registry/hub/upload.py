"""Put files on the Hub: all of them in a single commit, or none."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import CommitInfo, CommitOperationAdd, CommitOperationDelete, HfApi, is_offline_mode
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled, RepositoryNotFoundError
from huggingface_hub.hf_api import ModelInfo

from ..errors import PushError, RegistryError, TransferError
from ..files.formats import CONFIG, WEIGHTS
from ..files.hashes import git_sha1, sha256
from .cache_names import checked_names
from .requests import ask, commit_of, understood, with_advice


@dataclass(frozen=True, kw_only=True)
class Upload:
    """Where files are to go.

    Attributes
    ----------
    repo_id : str
        With or without its owner, who is by default the token's user.
    branch, tag : str or None
        Made where they are missing.
    private : bool or None
        Of a new repository.
    token : str, bool or None
        As of the client.
    """

    repo_id: str
    branch: str | None = None
    tag: str | None = None
    private: bool | None = None
    token: str | bool | None = None

    def run(self, files: Mapping[str, Path | bytes], message: str) -> tuple[CommitInfo, bool]:
        """Commit files; return the commit, and whether it is new.

        Raises
        ------
        PushError
            If the token may not do this, or something on the Hub is in the way.
        TransferError
            If the Hub cannot be reached or breaks off.
        huggingface_hub.errors.HfHubHTTPError
            If the Hub refuses.
        huggingface_hub.errors.LocalTokenNotFoundError
            If there is no token.
        huggingface_hub.errors.OfflineModeIsEnabled
            In offline mode.
        """
        if is_offline_mode():
            raise OfflineModeIsEnabled(f"cannot push to {self.repo_id} in offline mode: unset HF_HUB_OFFLINE")
        api = HfApi(token=self.token)
        with understood(self.repo_id):
            repo_id = self._permitted(ask(api.whoami, self.repo_id))
            is_new = self._make_repo(api, repo_id)
        try:
            with understood(repo_id):
                return self._commit(api, repo_id, files, message)
        except Exception as error:
            if is_new and not _removed(api, repo_id):
                raise with_advice(error, f"{repo_id} is new and has been left there.") from error.__cause__
            raise

    def _permitted(self, account: Mapping[str, Any]) -> str:
        """Return the repository's full name, if the token may write there."""
        user = account["name"]
        if not isinstance(user, str) or not re.fullmatch(r"\w[\w.-]*", user):
            raise TransferError(f"the Hub names the token's user {user!a:.80}, which is no user's name")
        owner, _, name = self.repo_id.rpartition("/")
        if account["auth"]["accessToken"].get("role") == "read":
            raise PushError(
                f"the token of {user} may only read: make a token that may write at "
                "https://huggingface.co/settings/tokens, and run `hf auth login` with it"
            )
        owners = [user, *(org["name"] for org in account.get("orgs", ()))]
        if owner and owner not in owners:
            raise PushError(f"{user} may not push to {self.repo_id}, only to models of {', '.join(owners)}")
        return f"{owner or user}/{name}"

    def _make_repo(self, api: HfApi, repo_id: str) -> bool:
        """Make the repository if it is missing; return whether it was."""
        try:
            info = ask(lambda: api.model_info(repo_id), repo_id)
        except RepositoryNotFoundError:
            ask(lambda: api.create_repo(repo_id, private=self.private, exist_ok=True), repo_id)
            return True
        if self.private is not None and bool(info.private) != self.private:
            is_, wanted = ("private", "public") if info.private else ("public", "private")
            raise PushError(f"{repo_id} exists and is {is_}: make it {wanted} in its settings first")
        return False

    def _commit(
        self, api: HfApi, repo_id: str, files: Mapping[str, Path | bytes], message: str
    ) -> tuple[CommitInfo, bool]:
        branch = self.branch or "main"
        refs = ask(lambda: api.list_repo_refs(repo_id), repo_id)
        is_there = branch in [ref.name for ref in refs.branches]
        start = branch if is_there else "main"
        info = ask(lambda: api.model_info(repo_id, revision=start, files_metadata=True), repo_id)
        before = commit_of(info)
        tagged = next((ref.target_commit for ref in refs.tags if ref.name == self.tag), None)
        # Where the Hub has everything already, no commit is made, and the tag may stay.
        if tagged is not None and (tagged != before or _changes(files, info)):
            raise PushError(f"the tag {self.tag} of {repo_id} exists, at {tagged}: choose another")
        _require_code_kept(api, repo_id, files, info)
        if not is_there:
            ask(lambda: api.create_branch(repo_id, branch=branch, revision=before, exist_ok=True), repo_id)

        def commit() -> CommitInfo:
            # The request holds only the changes that are still to make, so that a commit whose answer was lost is not
            # made twice: the client drops files that have not changed.
            there = api.model_info(repo_id, revision=branch)
            stale = _stale(files, there)
            operations: list[CommitOperationAdd | CommitOperationDelete] = [
                *(CommitOperationAdd(path, data) for path, data in files.items()),
                *(CommitOperationDelete(path) for path in sorted(stale)),
            ]
            return api.create_commit(repo_id, operations, commit_message=message, revision=branch)

        done = ask(commit, repo_id)
        if self.tag is not None:
            if tagged not in (None, done.oid):
                raise PushError(
                    f"pushed to {repo_id} as {done.oid}, but not tagged: the tag {self.tag} exists, at {tagged}"
                )
            tag = self.tag
            ask(lambda: api.create_tag(repo_id, tag=tag, revision=done.oid, exist_ok=True), repo_id)
        return done, done.oid != before


def _require_code_kept(api: HfApi, repo_id: str, files: Mapping[str, Path | bytes], info: ModelInfo) -> None:
    """Refuse to replace a configuration that names the repository's code by a configuration that does not."""
    there = {file.rfilename for file in info.siblings or ()}
    if CONFIG not in there or not any(name.endswith(".py") for name in there):
        return
    with checked_names():
        held = ask(lambda: api.hf_hub_download(repo_id, CONFIG, revision=info.sha), repo_id)
    if _names_code(Path(held).read_bytes()) and not _names_code(_content(files[CONFIG])):
        raise PushError(
            f"{repo_id} carries code for machines without its plugin, and {CONFIG} names it there but not here: "
            "pushed without the code, the model could not be loaded on them any more. Push it with its code "
            "(with_code=True, or --with-code), or delete the repository's .py files first, to do without"
        )


def _changes(files: Mapping[str, Path | bytes], info: ModelInfo) -> bool:
    """Tell whether files differ from those of a commit, by their hashes, or would remove some of those."""
    there = {file.rfilename: file for file in info.siblings or ()}
    for path, content in files.items():
        held = there.get(path)
        if held is None:
            return True
        wanted, found = (held.lfs.sha256, sha256) if held.lfs else (held.blob_id, git_sha1)
        if found(content) != wanted:
            return True
    return bool(_stale(files, info))


def _stale(files: Mapping[str, Path | bytes], info: ModelInfo) -> set[str]:
    """Return old files of weights, split into other pieces, which would be loaded in place of the new files."""
    there = (file.rfilename for file in info.siblings or ())
    return {name for name in there if WEIGHTS.fullmatch(name)} - files.keys()


def _names_code(config: bytes) -> bool:
    try:
        fields = json.loads(config)
    except (ValueError, RecursionError):
        return False
    return isinstance(fields, dict) and bool(fields.get("auto_map"))


def _content(file: Path | bytes) -> bytes:
    return file if isinstance(file, bytes) else file.read_bytes()


def _removed(api: HfApi, repo_id: str) -> bool:
    """Take back a repository that was made for a commit that failed, unless something is in it."""
    try:
        files = ask(lambda: api.model_info(repo_id), repo_id).siblings or ()
        if {file.rfilename for file in files} - {".gitattributes"}:
            return False
        ask(lambda: api.delete_repo(repo_id), repo_id)
    except (RegistryError, HfHubHTTPError):
        return False
    return True
