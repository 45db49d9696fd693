"""Pushing a model with a complete card, for models, pipelines and Trainer."""

import json
import re
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import CommitInfo, HfApi, ModelCard, constants, hf_hub_url
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RevisionNotFoundError
from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status  # type: ignore[attr-defined]
from transformers.modeling_utils import PreTrainedModel

from .card import PREPROCESSORS, is_generated, render_card

# Older files of weights, split into other pieces, would be loaded in place of the new files, or beside them.
_WEIGHTS = ["model.safetensors", "model.safetensors.index.json", "model-?????-of-?????.safetensors"]
_CONFIG = "config.json"
_CARD = "README.md"
_SECONDS = 30  # to wait for the next bytes of a file
# The client is built on httpx or on its successor, depending on its version, and lets their errors through.
_HTTP_ERROR: type[Exception] = HfHubHTTPError.__bases__[0]
# The client's modules that work with answers.
_CLIENT = {f"huggingface_hub.{name}" for name in ("hf_api", "file_download", "_commit_api")}


def push(
    model: PreTrainedModel,
    save: Callable[[Path], None],
    repo_id: str,
    *,
    commit_message: str | None = None,
    commit_description: str | None = None,
    private: bool | None = None,
    token: bool | str | None = None,
    revision: str | None = None,
    create_pr: bool = False,
    tags: Iterable[str] | None = None,
    license: str | None = None,  # noqa: A002
) -> CommitInfo:
    """Push the files that `save` puts into a folder, with a card of the model unless a person wrote one.

    Parameters
    ----------
    model : PreTrainedModel
        The subject of the card.
    save : callable
        Saves everything into the folder that it gets.
    repo_id, commit_message, commit_description, private, token, revision, create_pr, tags, license
        As of `SharedModel.push_to_hub`, and so are the errors.
    """
    api = HfApi(token=token)
    wanted_tags = [*(model.model_tags or ()), *([tags] if isinstance(tags, str) else tags or ())]
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        folder = Path(temporary)
        save(folder)

        stack.enter_context(reaching_the_hub(repo_id))
        repo_id = api.create_repo(repo_id, private=private, exist_ok=True).repo_id
        there = files_on_hub(repo_id, revision, token)
        require_code_kept(repo_id, folder / _CONFIG, there)

        own = folder / _CARD
        text = own.read_text("utf-8") if own.is_file() else there.read(_CARD)
        if text is None or is_generated(text):
            files = render_card(
                model.config,
                type(model),
                model.num_parameters(),
                repo_id=repo_id,
                license=license,
                tags=wanted_tags,
                has_preprocessor=any(
                    (folder / name).is_file() or name in there.names for name in PREPROCESSORS
                ),
                with_code=model.is_remote_code(),
            )
            write_files(folder, files)
        else:
            own.write_text(_amended(text, wanted_tags, license), "utf-8")

        if revision is not None and not revision.startswith("refs/pr"):
            api.create_branch(repo_id, branch=revision, exist_ok=True)
        return api.upload_folder(
            repo_id=repo_id,
            folder_path=folder,
            commit_message=commit_message or f"Push {type(model).__name__}",
            commit_description=commit_description,
            revision=revision,
            create_pr=create_pr,
            delete_patterns=_WEIGHTS,
        )


@dataclass(frozen=True)
class FilesOnHub:
    """The files of a repository, at one of its commits.

    Attributes
    ----------
    repo_id, commit : str
    names : frozenset of str
    token : bool, str or None
        As of the client.
    """

    repo_id: str
    commit: str
    names: frozenset[str]
    token: bool | str | None

    def read(self, name: str) -> str | None:
        """Return a file's text, None if there is none; a ValueError is raised where it is no text."""
        if name not in self.names:
            return None
        # Not by way of the client's cache, where headers of the answer name files: a server could name a file of this
        # machine, and the push would send it as the card.
        url = hf_hub_url(self.repo_id, name, revision=self.commit)
        answer = get_session().get(url, headers=build_hf_headers(token=self.token), timeout=_SECONDS)
        hf_raise_for_status(answer)
        try:
            return answer.content.decode()
        except UnicodeDecodeError as error:
            raise ValueError(f"{name} of {self.repo_id} is not UTF-8 text: replace it there first") from error


def files_on_hub(repo_id: str, revision: str | None, token: bool | str | None) -> FilesOnHub:
    """Return the files of a branch, or those of the main branch where it does not exist yet."""
    api = HfApi(token=token)
    try:
        info = api.model_info(repo_id, revision=revision)
    except RevisionNotFoundError:
        info = api.model_info(repo_id)
    names = [file.rfilename for file in info.siblings or ()]
    if not isinstance(info.sha, str) or not re.fullmatch("[0-9a-f]{40}", info.sha):
        raise _misunderstood(repo_id, f"the commit {info.sha!r}")
    if not all(isinstance(name, str) for name in names):
        raise _misunderstood(repo_id, f"files named {names!r}")
    return FilesOnHub(repo_id, info.sha, frozenset(names), token)


def require_code_kept(repo_id: str, config: Path, there: FilesOnHub) -> None:
    """Check that a configuration does not take the place of another that names the repository's code.

    Raises
    ------
    ValueError
        If it does.
    """
    if not any(name.endswith(".py") for name in there.names):
        return
    if _names_code(there.read(_CONFIG)) and not _names_code(config.read_text("utf-8")):
        raise ValueError(
            f"{repo_id} carries code for machines without this plugin, and its {_CONFIG} names it: pushed without the "
            "code, the model could not be loaded on them any more. Save the model and push it with its code, "
            f"registry.push(folder, {repo_id!r}, with_code=True), or delete the repository's .py files first, to do "
            "without"
        )


@contextmanager
def reaching_the_hub(repo_id: str | None) -> Iterator[None]:
    """Say clearly that the Hub cannot be reached, broke off, or answered something else than was asked.

    Raises
    ------
    ConnectionError
        In place of the client's errors, which name neither the Hub nor a way out.
    """
    try:
        yield
    except (HfHubHTTPError, HFValidationError, OSError):
        raise
    except Exception as error:
        if not isinstance(error, _HTTP_ERROR) and _is_of_client(error):
            raise _misunderstood(repo_id, f"{type(error).__name__}: {error}") from error
        # The client tries uploads again by itself, and then wraps the last failure.
        failure = error if isinstance(error, _HTTP_ERROR) else error.__cause__
        if not isinstance(failure, _HTTP_ERROR):
            raise
        raise ConnectionError(
            f"cannot push to {repo_id or 'the Hub'}: {constants.ENDPOINT} cannot be reached, or broke off: "
            f"{type(failure).__name__}: {failure}\nCheck this machine's connection, and HTTPS_PROXY and HF_ENDPOINT "
            "where they are set, then push again: files that are complete on the Hub are not sent twice."
        ) from error


def _is_of_client(error: Exception) -> bool:
    """Whether the client raised an error while it worked with an answer, which may be anything."""
    if isinstance(error, RuntimeError) and not isinstance(error, RecursionError):
        return False
    frames = (frame.f_globals.get("__name__") for frame, _ in traceback.walk_tb(error.__traceback__))
    return not _CLIENT.isdisjoint(frames)


def _misunderstood(repo_id: str | None, told: str) -> ConnectionError:
    # In ASCII: the answer may hold halves of surrogate pairs, and sequences that control a terminal.
    return ConnectionError(
        f"cannot push to {ascii(repo_id or 'the Hub')[1:-1]}: {constants.ENDPOINT} gave an answer that does "
        f"not fit the request ({ascii(told)[1:-1]:.300})\nIs it the Hub, or a proxy or a log-in page before it? Check "
        "HF_ENDPOINT and HTTPS_PROXY where they are set"
    )


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files by their paths in a folder."""
    for name, data in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)


def _names_code(config: str | None) -> bool:
    try:
        fields = json.loads(config or "{}")
    except (ValueError, RecursionError):
        return False
    return isinstance(fields, dict) and bool(fields.get("auto_map"))


def _amended(text: str, tags: Iterable[str], license: str | None) -> str:  # noqa: A002
    """Return a person's card with more tags, as transformers does, and with the licence if it states none."""
    card = ModelCard(text, ignore_metadata_errors=True)
    present = card.data.get("tags") or []
    if missing := [tag for tag in tags if tag not in present]:
        card.data["tags"] = [*present, *missing]
    stated = card.data.get("license")
    if license and not stated:
        card.data["license"] = license
    elif license and stated != license:
        raise ValueError(f"the card states license {stated!r}, not {license!r}: change it there")
    elif not missing:
        return text
    return str(card)
