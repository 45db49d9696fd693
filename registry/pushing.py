"""Share a model on the Hub."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from .errors import PushError, UnknownModelError
from .plugins.catalogue import installed_catalogue
from .plugins.entry import ModelEntry
from .plugins.installed import InstalledPlugin
from .plugins.load import load_plugins
from .pulling import pulled_entry


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """The result of `push`.

    Attributes
    ----------
    repo_id : str
        The repository, with its owner.
    url : str
        Of the commit.
    commit : str
        Its hash, which pins the content.
    changed : bool
        Whether the commit is new: not if the Hub had all of it.
    """

    repo_id: str
    url: str
    commit: str
    changed: bool


def push(
    source: str | Path,
    repo_id: str,
    *,
    branch: str | None = None,
    tag: str | None = None,
    private: bool | None = None,
    commit_message: str | None = None,
    with_code: bool = False,
    token: str | bool | None = None,
) -> Pushed:
    """Push a model and its card to the Hub, in a single commit.

    Everything is checked before anything is uploaded, an existing tag too. A repository that had to be made is
    removed again if the commit fails. A repository that existed is never removed, nor are files that other people
    put there, except weights in other pieces (shards) than the new weights. Where a repository carries code,
    nothing is pushed without it: machines without the plugin could not load the model any more.

    A model with a factory, which is no class of transformers, gets a config.json that names the model, its
    distribution and the factory's arguments; `create_model` builds it where the distribution is installed.

    Parameters
    ----------
    source : str or Path
        A name that `list_models` gives; or a checkpoint's folder, which must hold config.json, safetensors and a
        README.md with front matter, or else be of a class that renders a card. A `str` without a slash is a model's
        name if the zoo has such a model.
    repo_id : str
        Such as ``"owner/name"``; without the owner, the token's user owns it.
    branch : str, optional
        Where to commit, made if it is missing; by default ``"main"``.
    tag : str, optional
        A new tag for the commit.
    private : bool, optional
        Whether a new repository is private; an existing repository must be as given.
    commit_message : str, optional
        By default a message that names the model.
    with_code : bool
        Also push the code of the model's classes and pipelines, so that ``trust_remote_code=True`` loads it on
        machines where its plugin is not installed. Where it is, its own classes are used.
    token : str or bool, optional
        By default the token that is logged in.

    Returns
    -------
    Pushed
        The commit. Where the Hub has all of the content already, none is made.

    Raises
    ------
    UnknownModelError
        If there is neither a model nor a folder of that name.
    PushError
        If the checkpoint or its card is not fit to be shared, the token may not write, or the state of the Hub
        is in the way.
    CheckpointError
        If the checkpoint is damaged, or has no safetensors.
    TransferError
        If the Hub cannot be reached or breaks off.
    huggingface_hub.errors.LocalTokenNotFoundError
        If there is no token.
    huggingface_hub.errors.HfHubHTTPError
        If the Hub refuses.
    huggingface_hub.errors.OfflineModeIsEnabled
        In offline mode.

    Warns
    -----
    RegistryWarning
        If files that transformers' Trainer wrote for itself, such as training_args.bin, are left out.
    """
    from .hub.publication import gather
    from .hub.upload import Upload

    folder, card, owner, entry = _checkpoint(source)
    description = None
    if owner is not None and entry is not None and entry.factory is not None:
        description = _description(entry, owner)
        if with_code:
            raise PushError(
                f"{entry.name!r} is built by {owner.source.distribution}, and no class of transformers: its code "
                "cannot travel with it. Push it without the code; people install the distribution"
            )
    if owner is not None and with_code:
        owner.register()
    elif owner is None and (with_code or not card.is_file()):
        load_plugins()
    files = gather(folder, card, repo_id, with_code=with_code, description=description)
    upload = Upload(repo_id=repo_id, branch=branch, tag=tag, private=private, token=token)
    commit, changed = upload.run(files, commit_message or f"Push {Path(source).resolve().name}")
    return Pushed(repo_id=commit.repo_url.repo_id, url=commit.commit_url, commit=commit.oid, changed=changed)


def _description(entry: ModelEntry, owner: InstalledPlugin) -> bytes:
    """Return a ``config.json`` that says where the model's code comes from: names alone, nothing to import."""
    fields = {
        "zoo_model": entry.name,
        "distribution": owner.source.distribution,
        "distribution_version": owner.source.version,
        "task": entry.task,
        "arguments": entry.config,
    }
    return (json.dumps(fields, indent=2, ensure_ascii=False) + "\n").encode()


def _checkpoint(source: str | Path) -> tuple[Path, Path, InstalledPlugin | None, ModelEntry | None]:
    """Return a checkpoint's folder, its card, and the plugin that brings it, with its entry."""
    catalogue = installed_catalogue()
    folder = Path(source)
    try:
        entry = catalogue.model(str(source))
    except UnknownModelError as error:
        if folder.is_dir():
            return folder, folder / "README.md", None, None
        raise UnknownModelError(f"{error}\nNor is there a folder {folder}.") from error
    owner = catalogue.owners[entry.name]
    path = pulled_entry(entry, owner.source.distribution)
    if entry.card is None:
        raise PushError(f"{entry.name!r} has no model card")
    return path, entry.card, owner, entry
