"""Keep the results of training in files that are written whole, by a single process at a time."""

import json
import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

from ...storage.hashing import sha256
from ...storage.reserved_folder import FolderInUseError, reserved
from ...storage.whole_files import whole_file
from ..errors import RecipeError

_LOG = logging.getLogger(__name__)
_LOCK, _RECORD = "in-use.lock", "run.json"

WEIGHTS = "weights.safetensors"
TRAINER = "trainer"


def write_record(file: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file in a single step, so that readers find either the whole new file or the old."""
    with whole_file(file) as new:
        new.write_text(json.dumps(content, indent=2, sort_keys=True), "utf-8")


def read_record(file: Path, fields: Mapping[str, type]) -> dict[str, Any] | None:
    """Read a JSON file of `write_record`, or return None if it is missing or damaged.

    Parameters
    ----------
    file : Path
    fields : mapping of str to type
        Fields that it must have, and their types.
    """
    try:
        content = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError):
        content = None
    if isinstance(content, dict) and all(
        isinstance(content.get(name), kind) for name, kind in fields.items()
    ):
        return content
    return None


def keep_run(folder: Path, weights: Mapping[str, Tensor], record: Mapping[str, Any]) -> dict[str, Any]:
    """Write the weights of a finished training, then the record with their hash, and then delete its checkpoints."""
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(folder / WEIGHTS) as new:
        save_file(
            {name: value.contiguous() for name, value in weights.items()}, new, metadata={"format": "pt"}
        )
    record = {**record, "sha256": sha256(folder / WEIGHTS)}
    write_record(folder / _RECORD, record)
    shutil.rmtree(folder / TRAINER, ignore_errors=True)
    return record


def kept_run(folder: Path) -> dict[str, Any] | None:
    """Return the record of a finished training, or None; a damaged run is set aside."""
    if not (folder / _RECORD).exists():
        return None
    record = read_record(folder / _RECORD, {"sha256": str, "seconds": float})
    weights = folder / WEIGHTS
    if record is None or not weights.is_file() or sha256(weights) != record["sha256"]:
        set_aside(folder, "its weights or their record are damaged")
        return None
    shutil.rmtree(folder / TRAINER, ignore_errors=True)
    return record


def set_aside(path: Path, reason: str) -> None:
    """Rename a damaged file or folder, and log a warning. It is not deleted, as somebody may want to see it."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    path.rename(aside)
    _LOG.warning("%s: %s. It is set aside as %s and made anew.", path, reason, aside.name)


@contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """Reserve a folder of runs for this process.

    The lock ends with the process that holds it, even if that process is killed.

    Raises
    ------
    RecipeError
        If another process trains in the folder.
    """
    try:
        with reserved(folder, _LOCK):
            yield
    except FolderInUseError as error:
        raise RecipeError(
            f"another process is training in {folder.parent}: wait until it has finished, or choose another --output"
        ) from error
    finally:
        # Empty folders go, if nothing was kept; others are not removed.
        for place in (folder, folder.parent):
            with suppress(OSError):
                place.rmdir()
