"""The recipe of a folder of sounds, or of a table of their paths, for those who have written none."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..tables.formats.names import FORMATS, UNSURE
from .recipe import Recipe
from .tasks.known import task_named

# Frames twice as long and half as many as usual for speech, and hops over a third of a second: enough for voices, words
# and calls. Training ends when the validation part is not told better any more.
_OPTIONS: dict[str, Any] = {
    "spectrum": {"feature_size": 40, "frame_seconds": 0.04, "hop_seconds": 0.02},
    "model": {"hidden_sizes": [32, 32], "channel_hops": [0, 1, 2, 4, 8], "pooling": ["mean", "max"]},
    "training": {"num_train_epochs": 60, "per_device_train_batch_size": 16},
    "learning_rates": [0.005],
    "validation_share": 0.2,
    "early_stopping": 10,
}
_TEST_SHARE = 0.2


def holds_sounds(source: str) -> bool:
    """Return whether a source is a folder with folders of WAV files, and without tables beside them; notes may be."""
    path = Path(source)
    if not path.is_dir():
        return False
    from .data.media.kinds import SOUNDS

    tables = FORMATS.keys() - {*UNSURE}
    if any(entry.suffix.lower() in tables for entry in path.iterdir() if entry.is_file()):
        return False
    return any(SOUNDS.includes(file) for file in path.glob("[!._]*/[!._]*"))


def recipe_of_sounds(
    source: Path,
    test: Path | None,
    test_share: float | None,
    seed: int | None,
    columns: Mapping[str, Any] = MappingProxyType({}),
) -> Recipe:
    """Return the recipe of a folder of sounds, or of a table of their paths.

    Parameters
    ----------
    source : Path
        With a folder of WAV files for each label; or a table.
    test : Path, optional
        Another such folder or table, to test on.
    test_share : float, optional
        The share of the sounds to test on, by default 0.2 without `test`.
    seed : int, optional
        The seed of training and of the parts, by default 0.
    columns : mapping
        Of a table: the options of the recipe's data that name its columns, and tell how it is written.

    Raises
    ------
    RecipeError
        If options contradict each other.
    """
    seed, source = seed or 0, source.resolve()
    data: dict[str, Any] = {"train": str(source), **columns}
    if test is not None:
        data["test"] = str(test.resolve())
    if test_share is not None or test is None:
        data |= {"test_share": _TEST_SHARE if test_share is None else test_share, "test_seed": seed}
    return Recipe(
        name="-".join((source.name if source.is_dir() else source.name.partition(".")[0]).split()),
        task=task_named("audio-classification"),
        data=data,
        seeds=[seed],
        **_OPTIONS,
    )
