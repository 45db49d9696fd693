"""Load series for forecasts from your own files of any format, and find where the test part begins in time."""

from collections.abc import Callable

import numpy as np

from ....forecasts.whole_series import Layout, Series
from ....inputs.named_sequences import series_sequences
from ....tables.loading import load
from ....tables.schema import schema_of
from ....tables.series import SeriesSet
from ....tables.summarising import summary
from ...errors import RecipeError, said_of
from ...recipe import Recipe
from ..examples import Data, check_known
from ..file_options import file_options
from .continuing import load_continued
from .ridership import load_ridership
from .windows import cut

# Series that ship with the package: functions that return series, their columns, and where the test begins.
SERIES: dict[str, Callable[[], tuple[list[Series], Layout, int]]] = {"chicago-ridership": load_ridership}
_OPTIONS = (
    *(
        "target",
        "known",
        "features",
        "drop",
        "static",
        "series",
        "time",
        "time_format",
        "time_zone",
        "day_first",
    ),
    *("step", "gaps", "missing", "rows", "calendar", "season"),
)


def load_shipped_series(recipe: Recipe, name: str) -> Data:
    """Load series that ship with the package, and cut them.

    Raises
    ------
    RecipeError
        If there are no series of this name.
    """
    check_known(name, SERIES, recipe.task.name)
    return cut(recipe, *SERIES[name]())


def load_series(recipe: Recipe) -> Data:
    """Load series from the files that a recipe names, and cut them.

    The recipe's `data` has these options:

    - `train`: files in which each row is a step. The columns of arrays without names are called x0, x1, ….
    - `test`: files in which each series goes on where it ends in `train`; or `test_share`, the last share of the time.
    - `target`: the column, or columns, to forecast; none with `rows: series`, where each row is a whole series, which
      may end in empty cells, and names of columns may be times.
    - `known`: columns that are known for the future too, such as a holiday or a price; `calendar` adds columns that are
      computed from the time.
    - `series`: the column, or columns, that tell series apart, if there are several.
    - `time`: the column by which rows are sorted. Without times, rows are in order, and all series end together.
    - `season`: steps after which the naive forecast repeats, such as 7 for days.

    All other columns are inputs that are known only for the past. Empty cells are missing values.

    Raises
    ------
    RecipeError
        If a file or a column is missing, or a cell cannot be read.
    """
    options = file_options(recipe, _OPTIONS)
    if not options.spec.target and options.spec.rows != "series":
        raise RecipeError(
            "data needs target, the column to forecast; or if each row is a whole series, rows: series"
        )
    with said_of("data"):
        if options.test is None:
            found, test_starts = load(options.train, options.spec, options.reading), None
        else:
            found, test_starts = load_continued(options.train, options.test, options.spec, options.reading)
        starts = _starts(found)

    spec = found.columns.spec
    past = tuple(name for name in found.features if name not in found.targets)
    layout = Layout(found.targets, past, (*found.known, *spec.static), options.season)
    chains = [sequence.nodes for sequence in series_sequences(found)]
    series = [
        Series(chain, start, one.id, one.times)
        for chain, start, one in zip(chains, starts, found, strict=True)
    ]

    ends = [start + len(one) for start, one in zip(starts, found, strict=True)]
    if test_starts is None:
        assert options.test_share is not None
        test_start = max(ends) - round(options.test_share * (max(ends) - min(starts)))
    else:
        test_start = min(start + first for start, first in zip(starts, test_starts, strict=True))
        for one, start, first in zip(found, starts, test_starts, strict=True):
            if start + first > test_start and first > 0:
                raise RecipeError(
                    f"data: {one.place}: its training part goes on after the test part of another series begins: test "
                    "has to begin after the training part of every series"
                )
    return cut(recipe, series, layout, test_start, schema_of(found), said=(summary(found),))


def _starts(found: SeriesSet) -> list[int]:
    """Return the step at which each series begins, on a time axis that all series share."""
    if found.step is not None and found.columns.spec.gaps != "keep":
        return [one.start for one in found]
    times = [one.times for one in found if one.times is not None]
    if not times:
        longest = max(map(len, found))
        return [longest - len(one) for one in found]
    # Without a step, the axis has all times of all series, and a step leads from each time to the next.
    axis = np.unique(np.concatenate(times))
    ranks = [np.searchsorted(axis, one) for one in times]
    for one, rank in zip(found, ranks, strict=True):
        if (np.diff(rank) > 1).any():
            missing = axis[rank[int((np.diff(rank) > 1).argmax())] + 1 :][:1]
            assert found.clock is not None
            raise RecipeError(
                f"{one.place} has no row for {found.clock.write(missing, one.offset)[0]}, as other series have: add it,"
                " or state step, and gaps: missing, for nodes whose values are missing"
            )
    return [int(rank[0]) for rank in ranks]
