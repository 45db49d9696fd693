"""The development sets: those that aeon ships, and more from a folder."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FOLDER_VARIABLE = "ACCURACY_DATA"
SHIPPED = (
    "ArrowHead",
    "OSULeaf",
    "ACSF1",
    "PickupGestureWiimoteZ",
    "GunPoint",
    "ItalyPowerDemand",
    "JapaneseVowels",
    "BasicMotions",
)

Series = list[NDArray[np.float32]]


@dataclass(frozen=True)
class Split:
    """A set in its official parts.

    Attributes
    ----------
    name : str
    train, test : list of float32 arrays [channels, length]
    train_labels, test_labels : array of str
    """

    name: str
    train: Series
    train_labels: NDArray[Any]
    test: Series
    test_labels: NDArray[Any]

    def facts(self) -> dict[str, Any]:
        """Return the sizes, for the report."""
        lengths = [each.shape[1] for each in self.train]
        return {
            "train": len(self.train),
            "test": len(self.test),
            "channels": self.train[0].shape[0],
            "shortest": min(lengths),
            "longest": max(lengths),
            "labels": len(set(self.train_labels)),
        }


def shipped_folder() -> Path:
    """Return the folder of the sets that aeon ships."""
    import aeon

    return Path(aeon.__file__).parent / "datasets" / "data"


def find_sets(names: Sequence[str], folder: Path | None) -> dict[str, Path]:
    """Return where the sets are: those named, or all that ship and all in the folder.

    Parameters
    ----------
    names : sequence of str
        Empty for all.
    folder : Path, optional
        Of folders NAME with NAME_TRAIN.ts and NAME_TEST.ts; by default the folder that the environment names.

    Raises
    ------
    ValueError
        If the folder or a set is not there.
    """
    if folder is None and FOLDER_VARIABLE in os.environ:
        folder = Path(os.environ[FOLDER_VARIABLE])
    found = {name: shipped_folder() / name for name in SHIPPED}
    if folder is not None:
        if not folder.is_dir():
            raise ValueError(f"there is no folder {folder}")
        for file in sorted(folder.glob("*/*_TRAIN.ts")):
            if file.name == f"{file.parent.name}_TRAIN.ts":
                found.setdefault(file.parent.name, file.parent)
    if missing := [name for name in names if name not in found]:
        raise ValueError(f"there is no set {', '.join(missing)}: expected some of {', '.join(found)}")
    return {name: found[name] for name in names or found}


def load_split(name: str, folder: Path) -> Split:
    """Read both parts of a set."""
    from aeon.datasets import load_from_ts_file

    parts: list[Any] = []
    for part in ("TRAIN", "TEST"):
        series, labels = load_from_ts_file(str(folder / f"{name}_{part}.ts"))
        parts += [[np.asarray(each, np.float32) for each in series], np.asarray(labels)]
    return Split(name, *parts)
