"""The labels of tables: the only column of texts, if it must be that, and labels spelled as another table does."""

from collections import Counter
from contextlib import suppress
from dataclasses import replace

from ...tables.columns.numerals.spelling import spelled_as
from ...tables.errors import TableError, TextColumnError, listed
from ...tables.loading import load
from ...tables.series import SeriesSet
from .plan import TablePlan


def labelled_alike(found: SeriesSet, other: SeriesSet) -> SeriesSet:
    """Return other series with their labels spelled as those of series that were found; each has a single label."""
    names = {series.labels[0] for series in found}
    labels = spelled_as(names, (series.labels[0] for series in other))
    alike = (replace(series, labels=(label,)) for series, label in zip(other, labels, strict=True))
    return replace(other, series=tuple(alike))


def labelled_by_texts(plan: TablePlan, error: TextColumnError) -> SeriesSet:
    """Return a plan's table with its only column of texts as its labels, if that is what the column must be.

    Parameters
    ----------
    plan : TablePlan
        Without labels.
    error : TextColumnError
        Of reading the table without labels; it names the column.

    Raises
    ------
    ValueError
        If the column may be something else; the message says which option names its meaning.
    """
    column, tried = error.column, ""
    try:
        found = _labelled_by(plan, column)
    except TableError as other:
        found, tried = None, f"With {column} as the label: {other}. "
    if found is not None:
        return found
    if _tells_series_apart(plan, column):
        raise ValueError(
            f"{plan.data}: column {column} holds texts, and for each of them times of its own: say --series {column} "
            f"to forecast the series that it tells apart, or --label {column} to learn it"
        ) from error
    raise ValueError(
        f"no column is named label: name the column of labels with --label. {tried}Without labels: {error}"
    ) from error


def check_series_named(plan: TablePlan, error: TextColumnError) -> None:
    """Raise an error that names `--series` if a column of texts beside the labels can only tell series apart.

    Parameters
    ----------
    plan : TablePlan
    error : TextColumnError
        Of reading the table; it names the column.

    Raises
    ------
    ValueError
        If no other column does so, and it gives several series, each with a single label.
    """
    if plan.table.series:
        return
    try:
        found = load(str(plan.data), replace(plan.table, series=(error.column,)), plan.reading)
        with suppress(TableError):
            without = replace(plan.table, drop=(*plan.table.drop, error.column))
            if load(str(plan.data), without, plan.reading).columns.spec.series:
                return
    except TableError:
        return
    if len(found) > 1 and found.is_labelled and found.columns.spec.label_of == "series":
        raise ValueError(
            f"{plan.data}: column {error.column} holds texts, and tells {len(found)} series apart, with a label each: "
            f"say --series {error.column}, or --drop {error.column} if it has no meaning"
        ) from error


def _labelled_by(plan: TablePlan, column: str) -> SeriesSet | None:
    """Return a plan's table with a column of texts as its labels, if that is what the column must be; None otherwise.

    It has to be the only column of texts without another meaning, with one text for each series, and two labels or
    more that several series have.

    Raises
    ------
    TableError
        If the table cannot be read with these labels.
    ValueError
        If there are dates too, and no task is stated, so that the table may also be for forecasts.
    """
    found = load(str(plan.data), replace(plan.table, label=(column,)), plan.reading)
    counts = Counter(series.labels[0] for series in found)
    if found.columns.spec.label_of != "series" or len(counts) < 2 or min(counts.values()) < 2:
        return None
    if plan.task is None and found.clock is not None and found.clock.kind != "number":
        raise ValueError(
            f"{plan.data}: column {column} has a text for every series ({listed(sorted(counts), 4)}), and there are "
            f"dates: say --label {column} to learn it, or --drop {column} and --task forecasting to forecast"
        )
    return replace(
        found, notes=(*found.notes, f"took {column} for the label, as it is the only column of texts")
    )


def _tells_series_apart(plan: TablePlan, column: str) -> bool:
    """Return whether a plan's table could be forecast if a column of texts told its series apart."""
    try:
        found = load(str(plan.data), replace(plan.table, series=(column,), gaps="missing"), plan.reading)
    except TableError:
        return False
    return len(found) > 1 and found.clock is not None and found.clock.kind != "number"
