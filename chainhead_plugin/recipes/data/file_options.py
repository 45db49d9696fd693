"""The options of a recipe's files: the parts, how files are written, and the meanings of their columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ...checks.values import check_number, check_whole_number
from ...inputs.sounds.sound_files import RATES
from ...tables.errors import closest
from ...tables.formats.text.dialect import Dialect
from ...tables.read import Reading
from ...tables.spec import TableSpec
from ..errors import RecipeError, said_of
from ..recipe import Recipe

PARTS = ("train", "test", "test_share")
# Fields of `Reading` and `Dialect`, which tell how files are written.
_READING = ("format", "sheet", "axes")
_DIALECT = ("header", "separator", "decimal", "thousands", "encoding", "comment")
# Other names of options.
_ALIASES = {"delimiter": "separator", "sep": "separator"}


@dataclass(frozen=True, kw_only=True)
class FileOptions:
    """The files of a recipe, as its `data` names them.

    Attributes
    ----------
    train, test : str or list of str
        A file, a folder, a pattern such as `runs/*.csv`, or several of them; `test` is None with `test_share`.
    test_share : float, optional
        The share of the examples, or of the time, that becomes the test part.
    test_seed : int
        The seed for drawing the test part.
    season : int, optional
        Steps of a season, for forecasts.
    size : list of int, optional
        Height and width of images.
    path : str, optional
        The column of a table that holds the paths of sounds or videos.
    sampling_rate : int, optional
        Samples a second that sounds are resampled to.
    frame_sampling_rate : int
        Of how many frames of a video one is taken.
    spec : TableSpec
        The meanings of the columns.
    reading : Reading
        How files are written.
    """

    train: Any
    test: Any
    test_share: float | None
    test_seed: int
    season: int | None
    size: list[int] | None
    path: str | None
    sampling_rate: int | None
    frame_sampling_rate: int
    spec: TableSpec
    reading: Reading


def file_options(recipe: Recipe, known: Sequence[str]) -> FileOptions:
    """Read the options of a recipe's files.

    Parameters
    ----------
    recipe : Recipe
    known : sequence of str
        The options of `TableSpec` and of this module that the recipe's task takes. Options of parts, and of how files
        are written, are known for every task.

    Raises
    ------
    RecipeError
        If an option is unknown or has a wrong value, `train` is missing, or not exactly one of `test` and `test_share`
        is stated.
    """
    assert isinstance(recipe.data, Mapping)
    options = {_ALIASES.get(name, name): value for name, value in recipe.data.items()}
    if len(options) < len(recipe.data):
        raise RecipeError("data: delimiter and separator are the same option: state it once")

    expected = (*PARTS, *known, *_READING, *_DIALECT)
    for name in options:
        if name not in expected:
            raise RecipeError(
                f"data has no {name!r} for {recipe.task.name}{closest(str(name), expected)}: expected "
                f"{', '.join(expected)}"
            )

    if "train" not in options or ("test" in options) == ("test_share" in options):
        raise RecipeError("data needs train, and one of test and test_share")
    if "test_seed" in options and "test" in options:
        raise RecipeError(
            "data: test_seed has no effect beside test: it is the seed by which the part of test_share is drawn"
        )

    with said_of("data"):
        for part in {"train", "test"} & options.keys():
            _check_location(part, options[part])
        if "test" in options:
            _check_parts_differ(options["train"], options["test"], recipe.folder)
        if "test_share" in options:
            check_number("test_share", options["test_share"], above=0, below=1)
        if "test_seed" in options:
            check_whole_number("test_seed", options["test_seed"], 0)
        if "season" in options:
            check_whole_number("season", options["season"], 2)
        if "size" in options:
            _check_size(options["size"])
        if "path" in options and not isinstance(options["path"], str):
            raise ValueError(f"path must be the name of a column, got {options['path']!r:.80}")
        if "sampling_rate" in options:
            check_whole_number("sampling_rate", options["sampling_rate"], *RATES)
        if "frame_sampling_rate" in options:
            check_whole_number("frame_sampling_rate", options["frame_sampling_rate"], 1)

        columns = {entry.name for entry in fields(TableSpec)} & options.keys()
        spec = TableSpec.from_options({name: options[name] for name in columns})
        dialect = Dialect(**{name: options[name] for name in _DIALECT if name in options})
        reading = Reading(
            dialect=dialect,
            folder=recipe.folder,
            **{name: options[name] for name in _READING if name in options},
        )

    return FileOptions(
        train=options["train"],
        test=options.get("test"),
        test_share=options.get("test_share"),
        test_seed=options.get("test_seed", 0),
        season=options.get("season"),
        size=options.get("size"),
        path=options.get("path"),
        sampling_rate=options.get("sampling_rate"),
        frame_sampling_rate=options.get("frame_sampling_rate", 1),
        spec=spec,
        reading=reading,
    )


def _check_size(size: Any) -> None:
    if not isinstance(size, list) or len(size) != 2:
        raise ValueError(f"size must be height and width, such as [32, 32], got {size!r}")
    for number in size:
        check_whole_number("size", number, 1)


def _check_parts_differ(train: Any, test: Any, folder: Path) -> None:
    """Raise if a file, folder or pattern is in both parts."""
    of_train, of_test = (
        {(folder / path).resolve() for path in (paths if isinstance(paths, list) else [paths])}
        for paths in (train, test)
    )
    if both := sorted(of_train & of_test):
        raise ValueError(
            f"test names {both[0].name}, which train names too, but data that a model was trained on cannot test it: "
            "name other files, or state test_share in place of test"
        )


def _check_location(part: str, value: Any) -> None:
    paths = value if isinstance(value, list) else [value]
    if not paths or not all(isinstance(path, str | Path) and str(path).strip() for path in paths):
        raise ValueError(f"{part} must be a file, a folder, a pattern, or a list of them, got {value!r}")
