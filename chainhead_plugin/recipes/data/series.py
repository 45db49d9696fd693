"""Series of one's own for forecasts: tables and arrays, and the part of their time that is the test."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...checks.values import check_number, check_whole_number
from ...tables.schema import Schema
from ..errors import RecipeError, said_of
from ..recipe import Recipe
from .examples import Data, check_known, require
from .ridership import load_ridership
from .tables import check_file, check_file_options, read_table
from .windows import Layout, Series, cut

# Those that ship with the package: series, their columns, and where the test begins.
SERIES: dict[str, Callable[[], tuple[list[Series], Layout, int]]] = {"chicago-ridership": load_ridership}
_OPTIONS = ("train", "test", "test_share", "target", "known", "series", "time", "season")


def load_shipped_series(recipe: Recipe, name: str) -> Data:
    """Load series that ship with the package, and cut them.

    Raises
    ------
    RecipeError
        If there are none of this name.
    """
    check_known(name, SERIES, recipe.task.name)
    return cut(recipe, *SERIES[name]())


def load_series(recipe: Recipe) -> Data:
    """Load series from the files that a recipe names, and cut them.

    - `train`: .csv or .parquet, a row a step; or .npz with an array `x` [steps, columns] or [steps], whose columns
      are called x0, x1, ….
    - `test`: a file that goes on where `train` ends; or `test_share`, the last share of the time.
    - `target`: the column, or columns, to forecast.
    - `known`: columns known for the future too, such as the weekday, a holiday or a price.
    - `series`: a column of identifiers, where there are several series.
    - `time`: a column of numbers or dates, by which rows are sorted. A step leads from one to the next that there is in
      any series, be they days, business days or months. Without it rows are in order, and series end together.
    - `season`: steps after which the naive forecast repeats, such as 7 for days.

    All other columns are measured along with the targets, and only help. Empty cells are missing values.

    Raises
    ------
    RecipeError
        If a file or a column is missing, or a column holds no numbers.
    """
    assert isinstance(recipe.data, Mapping)
    options = recipe.data
    check_file_options(options, _OPTIONS, " for forecasts")
    share = options.get("test_share")
    if share is not None:
        with said_of("data"):
            check_number("test_share", share, above=0, below=1)
    if "target" not in options:
        raise RecipeError("data needs target, the column to forecast")
    season = options.get("season")
    if season is not None:
        with said_of("data"):
            check_whole_number("season", season, 2)
    pandas = require("pandas", "pandas")
    parts = [_table(recipe.folder / options[name]) for name in ("train", "test") if name in options]
    if [*parts[0]] != [*parts[-1]]:
        raise RecipeError(f"data: train has columns {', '.join(parts[0])}; test {', '.join(parts[1])}")
    table = pandas.concat(parts, ignore_index=True)
    is_test = np.arange(len(table)) >= len(parts[0]) if len(parts) == 2 else None
    identifiers = _columns(options, "series", table)
    moments = _columns(options, "time", table)
    targets, known = _columns(options, "target", table), _columns(options, "known", table)
    past = [name for name in table if name not in {*identifiers, *moments, *targets, *known}]
    layout = Layout(tuple(targets), tuple(past), tuple(known), season)
    values = _numbers(table, [*targets, *past, *known])
    for name in known:
        if np.isnan(column := table[name].to_numpy(float)).any():
            raise RecipeError(
                f"data: known column {name!r} is missing in row {int(np.isnan(column).argmax())}"
            )
    groups = (
        [index for _, index in table.groupby(identifiers[0], sort=False).indices.items()]
        if identifiers
        else [np.arange(len(table))]
    )
    longest = max(map(len, groups))
    steps = np.empty(len(table), dtype=np.int64)
    for index in groups:
        steps[index] = longest - len(index) + np.arange(len(index))
    if moments:
        steps = _steps(table[moments[0]], groups)
    series = []
    for index in groups:
        ordered = index[np.argsort(steps[index], kind="stable")]
        series.append(Series(values[ordered], int(steps[ordered[0]])))
    if is_test is not None:
        if steps[~is_test].max() >= steps[is_test].min():
            raise RecipeError("data: test has to go on where train ends, in every series")
        start = int(steps[is_test].min())
    else:
        first, end = int(steps.min()), int(steps.max()) + 1
        start = end - round(options["test_share"] * (end - first))
    schema = Schema(
        features=(*targets, *past),
        target=tuple(targets),
        known=tuple(known),
        series=tuple(identifiers),
        time=moments[0] if moments else None,
    )
    from_tables = all(Path(options[name]).suffix != ".npz" for name in ("train", "test") if name in options)
    return cut(recipe, series, layout, start, schema if from_tables else None)


def _table(file: Path) -> Any:
    check_file(file)
    if file.suffix != ".npz":
        return read_table(file)
    with np.load(file, allow_pickle=False) as arrays:
        if "x" not in arrays.files:
            raise RecipeError(f"data: {file} has no array 'x'")
        x = arrays["x"]
    if x.ndim not in (1, 2):
        raise RecipeError(f"data: {file} has x {list(x.shape)}, expected [steps] or [steps, columns]")
    x = x.reshape(len(x), -1)
    return require("pandas", "pandas").DataFrame(x, columns=[f"x{column}" for column in range(x.shape[1])])


def _columns(options: Mapping[str, Any], name: str, table: Any) -> list[str]:
    named = options.get(name, [])
    columns = [named] if isinstance(named, str) else list(named)
    if name in ("series", "time") and len(columns) > 1:
        raise RecipeError(f"data: {name} is one column, got {columns}")
    for column in columns:
        if column not in table:
            raise RecipeError(f"data: there is no column {column!r} for {name}, but {', '.join(table)}")
    return columns


def _numbers(table: Any, columns: list[str]) -> Any:
    pandas = require("pandas", "pandas")
    for column in columns:
        if not pandas.api.types.is_numeric_dtype(table[column]):
            raise RecipeError(
                f"data: column {column!r} holds no numbers: drop it, or name it as series or time if it is that"
            )
    return table[columns].to_numpy(float)


def _steps(times: Any, groups: list[Any]) -> Any:
    """Number times by their rank, which is the same for all series.

    Raises
    ------
    RecipeError
        If a series lacks a step between two others, or has one twice.
    """
    if times.isna().any():
        raise RecipeError(f"data: time of row {int(times.isna().to_numpy().argmax())} is missing")
    pandas = require("pandas", "pandas")
    if not pandas.api.types.is_numeric_dtype(times):
        try:
            times = pandas.to_datetime(times)
        except ValueError as error:
            raise RecipeError(f"data: time holds what is neither number nor date: {error}") from error
    steps = np.unique(times.to_numpy(), return_inverse=True)[1]
    for index in groups:
        distances = np.diff(np.sort(steps[index]))
        if (distances != 1).any():
            place = np.sort(times.iloc[index].to_numpy())[int((distances != 1).argmax())]
            raise RecipeError(
                f"data: after time {place} a series {'has the same time again' if 0 in distances else 'has a gap'}: "
                "put one row for every step, empty cells where nothing was measured"
            )
    return steps.astype(np.int64)
