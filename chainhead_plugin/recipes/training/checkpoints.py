"""The Trainer's checkpoints of a run that is not finished: those that are complete count, no other does.

The Trainer writes a checkpoint file by file. Cut off between two of them, it leaves a folder that it would take for
its last checkpoint, and fail on for ever. So each is sealed when it is complete, by a list of its files and their
hashes, and a checkpoint without that list, or with other files, is not gone on from.
"""

import json
import re
import shutil
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerState, TrainingArguments

from ...storage.hashing import sha256
from .records import read_record, write_record

# The checkpoint before stays until the next is sealed.
KEPT = 2

_SEAL = "complete.json"
_NAME = re.compile(r"checkpoint-(\d+)")
_STATE = "trainer_state.json"


class SealCheckpoints(TrainerCallback):
    """Seals every checkpoint when it is complete."""

    def on_save(self, args: TrainingArguments, state: TrainerState, *_: Any, **__: Any) -> None:
        """Write the list of its files, which the Trainer has finished."""
        assert args.output_dir is not None
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        if folder.is_dir():
            write_record(folder / _SEAL, {"files": _hashes(folder)})


def last_complete_checkpoint(folder: Path) -> str | None:
    """Return the last checkpoint that training can go on from; what is incomplete is removed.

    Its best checkpoint so far must be complete too, as the Trainer goes back to that in the end.
    """
    numbers = {
        int(match[1]): place
        for place in (folder.iterdir() if folder.is_dir() else ())
        if (match := _NAME.fullmatch(place.name))
    }
    for _, place in sorted(numbers.items()):
        if not _is_complete(place):
            shutil.rmtree(place)
    for _, place in sorted(numbers.items(), reverse=True):
        if place.is_dir() and _best_is_there(place):
            return str(place)
    return None


def _is_complete(folder: Path) -> bool:
    seal = read_record(folder / _SEAL, {"files": dict})
    return seal is not None and seal["files"] == _hashes(folder)


def _best_is_there(folder: Path) -> bool:
    best = json.loads((folder / _STATE).read_text("utf-8"))["best_model_checkpoint"]
    return best is None or (Path(best).is_dir() and Path(best).parent.samefile(folder.parent))


def _hashes(folder: Path) -> dict[str, str]:
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != _SEAL)
    return {str(file.relative_to(folder)): sha256(file) for file in files}
