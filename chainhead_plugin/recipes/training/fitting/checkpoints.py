"""Find the last complete checkpoint of a run that was interrupted.

The Trainer writes a checkpoint file by file. An interruption in between leaves a folder that the Trainer takes for its
last checkpoint, and cannot load. So a complete checkpoint is sealed: it gets a list of its files and their hashes.
Training does not go on from a checkpoint without this list, or with other files.
"""

import json
import re
import shutil
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerState, TrainingArguments

from ....storage.hashing import sha256
from ..records import read_record, write_record

# The previous checkpoint is kept until the next is sealed.
KEPT = 2

_SEAL = "complete.json"
_NAME = re.compile(r"checkpoint-(\d+)")
_STATE = "trainer_state.json"


class SealCheckpoints(TrainerCallback):
    """Seals every checkpoint when it is complete."""

    def on_save(self, args: TrainingArguments, state: TrainerState, *_: Any, **__: Any) -> None:
        """Write the list of a checkpoint's files, which the Trainer has finished."""
        assert args.output_dir is not None
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        if folder.is_dir():
            write_record(folder / _SEAL, {"files": _hashes(folder)})


def last_complete_checkpoint(folder: Path) -> str | None:
    """Return the path of the last checkpoint that training can go on from, or None; remove incomplete checkpoints.

    The best checkpoint so far has to be complete too, as the Trainer loads it in the end.
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
