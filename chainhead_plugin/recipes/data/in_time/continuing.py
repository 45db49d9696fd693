"""Series that go on in later files: the last node in a file is followed by the first of the next, a step later."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....tables.errors import TableError, listed
from ....tables.loading import load
from ....tables.matching import load_matched
from ....tables.node_places import NodePlaces, joined_places
from ....tables.read import Reading
from ....tables.schema import schema_of
from ....tables.series import Series, SeriesSet
from ....tables.spec import TableSpec


def load_continued(
    first: Any, later: Any, spec: TableSpec | None = None, reading: Reading | None = None
) -> tuple[SeriesSet, list[int]]:
    """Load series from files, and their continuations from later files.

    Parameters
    ----------
    first, later : str, Path, list of them, Source, pandas.DataFrame or Table
        The earlier and the later files, as in `load`.
    spec : TableSpec, optional
        The meanings of the columns.
    reading : Reading, optional
        How files are written.

    Returns
    -------
    found : SeriesSet
    starts : list of int
        As in `continued`.

    Raises
    ------
    TableError
        As in `load` and `continued`.
    """
    return continued(load(first, spec, reading), later, reading)


def continued(known: SeriesSet, later: Any, reading: Reading | None = None) -> tuple[SeriesSet, list[int]]:
    """Return series with their continuations in later files, whose columns are matched by name.

    Parameters
    ----------
    known : SeriesSet
        The series so far.
    later : str, Path, list of them, Source, pandas.DataFrame or Table
        As in `load`. Each series may be in `known`, in `later`, or in both. At times that are in both, values have to
        be equal.
    reading : Reading, optional
        How the later files are written.

    Returns
    -------
    found : SeriesSet
        All series, continued.
    starts : list of int
        For every series, the first node that only `later` holds; the series' length if there is no such node.

    Raises
    ------
    TableError
        As in `load`; and if a series does not go on where it ended, values at the same time differ, or no series goes
        on.
    """
    schema = schema_of(known)
    if schema is None:
        more = load(later, known.columns.spec, reading)
        if len(more.features) != len(known.features):
            raise TableError(
                f"{more.files[0]} has {len(more.features)} features a node, but {known.files[0]} has "
                f"{len(known.features)}"
            )
    else:
        more = load_matched(later, schema, reading)
    following = {_key(one, more): one for one in more}
    if len(known) > 1 and not {_key(one, known) for one in known} & following.keys():
        raise TableError(
            f"{more.files[0]}: none of its series ({listed(one.id for one in more)}) goes on from one of "
            f"{known.files[0]} ({listed(one.id for one in known)})"
        )
    joined, starts, moved = [], [], 0
    for one in known:
        then = following.pop(_key(one, known), None)
        then = None if then is None else _after(known, one, then)
        joined.append(one if then is None else _joined(known, one, then))
        starts.append(len(one) if then is None else len(joined[-1]) - len(then))
        if then is not None:
            moved = one.start + starts[-1] - then.start
    if not following and all(start == len(one) for start, one in zip(starts, joined, strict=True)):
        raise TableError(
            f"{more[0].place} ends where {known.files[0]} ends, or before: nothing of it comes later, to test on"
        )
    # The first steps of new series are counted on the same axis.
    joined += [replace(one, start=one.start + moved) for one in following.values()]
    starts += [0] * len(following)
    return replace(
        known,
        series=tuple(joined),
        files=(*known.files, *more.files),
        notes=tuple(dict.fromkeys([*known.notes, *more.notes])),
    ), starts


def _after(found: SeriesSet, one: Series, then: Series) -> Series | None:
    """Return the nodes of a later file that come after a series, and check that values at the same times are equal."""
    if one.times is None or then.times is None or then.times[0] > one.times[-1]:
        return then
    assert found.clock is not None
    count = int(np.searchsorted(then.times, one.times[-1], side="right"))
    places = np.searchsorted(one.times, then.times[:count])
    strange = one.times[places] != then.times[:count]
    if strange.any():
        row = int(strange.argmax())
        raise TableError(
            f"{_words(then, row, found.columns.spec.time or '')} holds a time that {one.place} lacks, "
            "although its file begins earlier: name a file that goes on where that file ends"
        )
    for names, known, again in (
        (found.features, one.values[places], then.values[:count]),
        (found.known, one.known[places], then.known[:count]),
    ):
        differs = ~((known == again) | (np.isnan(known) & np.isnan(again)))
        if differs.any():
            row, column = (int(place) for place in np.argwhere(differs)[0])
            raise TableError(
                f"{_words(then, row, names[column])} holds {again[row, column]:g}, but "
                f"{_words(one, int(places[row]), names[column])} {known[row, column]:g} at the same time: "
                "files have to agree where their times overlap"
            )
    if count == len(then):
        return None
    return replace(
        then,
        values=then.values[count:],
        known=then.known[count:],
        times=then.times[count:],
        start=then.start + count,
        nodes=None if then.nodes is None else then.nodes.after(count),
    )


def _words(series: Series, node: int, column: str) -> str:
    """Return the words for the place of a node."""
    if series.nodes is None:
        return f"{series.place}, node {node + 1}"
    return series.nodes.words(node, column, series.id)


def _key(series: Series, found: SeriesSet) -> tuple[str, ...]:
    """Return the cells that tell a series apart, or no cells if each file holds a single series."""
    return series.keys if len(found) > 1 or found.columns.spec.series else ()


def _joined(found: SeriesSet, one: Series, then: Series) -> Series:
    values, times = [one.values], [one.times]
    nodes: list[NodePlaces | int | None] = [one.nodes]
    if one.times is not None and then.times is not None:
        gap = _between(found, one, then)
        if len(gap):
            if found.columns.spec.gaps in (None, "error") or one.known.shape[1]:
                raise TableError(
                    f"{then.place} begins {len(gap)} step{'s' if len(gap) > 1 else ''} after {one.place} should go on: "
                    "add the missing rows, or state gaps: missing for nodes whose values are missing"
                )
            values.append(np.full((len(gap), one.values.shape[1]), np.nan))
            times.append(gap)
            nodes.append(len(gap))
    values.append(then.values)
    times.append(then.times)
    nodes.append(then.nodes)
    return replace(
        one,
        values=np.concatenate(values),
        known=np.concatenate([one.known, then.known]),
        times=None if one.times is None else np.concatenate([part for part in times if part is not None]),
        offset=then.offset,
        last_row=then.last_row if one.file == then.file else one.last_row,
        nodes=None if None in nodes else joined_places([part for part in nodes if part is not None]),
    )


def _between(found: SeriesSet, one: Series, then: Series) -> NDArray[Any]:
    """Return the times that are missing between the end of a series and its continuation."""
    assert one.times is not None and then.times is not None  # noqa: PT018 - one condition for mypy
    if found.step is None or found.columns.spec.gaps == "keep":
        return one.times[:0]
    count = 1
    moments = found.next_moments(one, count)
    while moments[-1] < then.times[0]:
        count *= 2
        moments = found.next_moments(one, count)
    lacking = moments[moments < then.times[0]]
    if moments[len(lacking)] != then.times[0]:
        raise TableError(
            f"{then.place} does not begin a whole number of steps of {found.step} after {one.place}: state gaps: keep "
            "to take rows as they are"
        )
    return lacking
