"""Gather all that is pushed: a checkpoint's files, its card, and the card's pictures."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path

from huggingface_hub import ModelCard

from ..errors import PushError, RegistryWarning
from ..files.formats import CONFIG, TRAINER_STATE, UNSAFE, read_json, safe_files
from ..files.kinds import KNOWN, is_known_kind, leads_elsewhere
from .carried_code import carried_code
from .own_classes import model_class, own_classes

_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp")
# Neither part goes on past where another link begins, so that the time is linear in the text.
_PICTURE_LINK = re.compile(r"(!\[[^\[\]]*\]\()([^()\s]+)(\))")


def gather(
    folder: Path, card: Path, repo_id: str, *, with_code: bool = False, description: bytes | None = None
) -> dict[str, Path | bytes]:
    """Gather a checkpoint.

    Hidden files stay where they are, and so does the state of transformers' Trainer, such as training_args.bin.
    Pictures outside the folder that the card links to come along, in ``images/``.

    Parameters
    ----------
    folder : Path
        The checkpoint.
    card : Path
        Its model card, which becomes README.md. Where there is none in the folder, the model's class is asked for
        one: its classmethod ``card_files(folder, repo_id, with_code)``, if it has it, returns files by path.
    repo_id : str
        Where it is going to be.
    with_code : bool
        Whether to add the code that it needs on machines without its plugin, which must be registered.
    description : bytes, optional
        For a checkpoint that is not of transformers, and has a card: its config.json, unless it has its own.

    Returns
    -------
    dict
        By path in the repository: a local file, or content.

    Raises
    ------
    PushError, CheckpointError
        As `files_to_share`; also if the card, or the code that is asked for, is missing or damaged.

    Warns
    -----
    RegistryWarning
        As `files_to_share`.
    """
    files = files_to_share(folder)
    if description is not None:
        files.setdefault(CONFIG, description)
    elif "transformers_weights" in read_json(folder / CONFIG):
        raise PushError(
            f"{folder}/{CONFIG} names its weights in 'transformers_weights', as where saving was interrupted: load "
            "the model and save it again"
        )

    if with_code or not card.is_file():
        classes = own_classes(folder)
        architecture = model_class(folder, classes)
        if with_code:
            files |= carried_code(folder, classes, architecture)
        render = getattr(architecture, "card_files", None)
        if render is not None and not card.is_file():
            return files | render(folder, repo_id, with_code=with_code)

    text, pictures = _with_pictures(_card_text(card), card.parent, folder)
    return files | pictures | {"README.md": text.encode()}


def files_to_share(folder: Path) -> dict[str, Path | bytes]:
    """Return the files of a checkpoint's folder that may leave this machine, by their paths in it.

    Raises
    ------
    PushError
        If a file is a link out of the folder, can run code, is damaged or of an unknown kind.
    CheckpointError
        If there are no weights, or (`UnsafeWeightsError`) only such that run code when they are read.

    Warns
    -----
    RegistryWarning
        If files of Trainer are left out; it names them.
    """
    files = _shared_files(folder)
    for name in safe_files(files, str(folder)):
        if name.endswith(".safetensors"):
            _require_readable(folder / name)
    _require_known_kinds(files, folder)
    return files


def _shared_files(folder: Path) -> dict[str, Path | bytes]:
    """Return the files of a folder that are to be shared, by their paths in it; a warning names those of Trainer."""
    found = {file.relative_to(folder): file for file in sorted(folder.rglob("*")) if file.is_file()}
    files: dict[str, Path | bytes] = {
        path.as_posix(): file
        for path, file in found.items()
        if not any(part.startswith(".") for part in path.parts)
    }
    state = [name for name in files if TRAINER_STATE.fullmatch(name)]
    for name in state:
        del files[name]
    if state:
        left_out = ", ".join(dict.fromkeys(re.sub("(checkpoint-[0-9]+)/.*", r"\1/", name) for name in state))
        warnings.warn(
            f"left out of the push, as Trainer's own: {left_out}. The model does not need it",
            RegistryWarning,
            stacklevel=5,
        )
    return files


def _require_known_kinds(files: Mapping[str, Path | bytes], folder: Path) -> None:
    """Check that every file of a folder lies there, and is of a kind that may be pushed."""
    own = {name: file for name, file in files.items() if isinstance(file, Path)}
    if links := [name for name, file in own.items() if leads_elsewhere(file, folder)]:
        raise PushError(
            f"{folder} has links to files elsewhere: {', '.join(links)}. Nothing was pushed: copy the files "
            "that belong to the model into the folder, and remove the links"
        )
    if unsafe := [name for name in own if name.lower().endswith(UNSAFE)]:
        raise PushError(
            f"{folder} holds files that can run code when they are read: {', '.join(unsafe)}. Nothing was pushed: move "
            "files that are no part of the model elsewhere, and save weights with save_pretrained, which writes "
            "safetensors"
        )
    if unknown := [name for name, file in own.items() if not is_known_kind(file)]:
        raise PushError(
            f"{folder} holds files whose kind is not known, or whose content does not fit their names: "
            f"{', '.join(unknown)}. Nothing was pushed: expected {KNOWN}; move other files elsewhere"
        )


def _require_readable(file: Path) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="numpy"):
            pass
    except SafetensorError as error:
        raise PushError(f"{file} is damaged: {error}") from error


def _card_text(file: Path) -> str:
    if not file.is_file():
        raise PushError(f"there is no model card {file}: write it, so that people know the model")
    text = file.read_text("utf-8")
    if not text.startswith("---\n"):
        raise PushError(f"{file} has no front matter: let it begin with ---, license: …, ---")
    try:
        ModelCard(text, ignore_metadata_errors=False)
    except Exception as error:  # the client's parser lets every kind through
        raise PushError(f"the front matter of {file} is not valid: {error}") from error
    return text


def _with_pictures(text: str, base: Path, folder: Path) -> tuple[str, dict[str, Path | bytes]]:
    """Return a card with links into ``images/``, and the pictures to put there."""
    pictures: dict[str, Path | bytes] = {}

    def moved(link: re.Match[str]) -> str:
        target = link[2]
        if re.match("[a-z]+:", target):
            return link[0]
        file = (base / target).resolve()
        if not file.is_file() or file.suffix.lower() not in _PICTURES:
            raise PushError(f"the model card shows {target}, but {file} is no picture")
        if file.is_relative_to(folder.resolve()):
            return link[0]
        path = f"images/{file.name}"
        if pictures.setdefault(path, file) != file:
            raise PushError(f"the model card shows two pictures named {file.name}")
        return f"{link[1]}{path}{link[3]}"

    return _PICTURE_LINK.sub(moved, text), pictures
