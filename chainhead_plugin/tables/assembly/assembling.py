"""Put rows together to series: sort them in time, refuse duplicates, fill or refuse gaps, check labels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..columns.meaning import Columns
from ..errors import TableError, counted
from ..node_places import NodePlaces
from ..series import Series
from ..spec import TableSpec
from ..time.clock import Clock
from ..time.counted_times import told
from ..time.inference import infer_step
from ..time.steps import Step, parse_step, steps_between
from ..time.zones import instants_of
from .gaps import shown_time, without_gaps
from .rows import Rows


@dataclass(frozen=True)
class Assembled:
    """Series, the step of their times, and notes for the summary."""

    series: list[Series]
    step: Step | None
    notes: list[str]


def assemble(rows: Rows, columns: Columns, step: Step | None = None) -> Assembled:
    """Put rows together to series.

    Parameters
    ----------
    rows : Rows
        The rows of all series.
    columns : Columns
        The meanings of the columns.
    step : Step, optional
        The step of the times, if it is known. By default it is the step that the spec states, or else it is inferred
        from all series.

    Returns
    -------
    Assembled

    Raises
    ------
    TableError
        If a series has the same time twice, lacks a time that it must have, is unevenly spaced although it must not
        be, or has several labels. The message names file, row and series.
    """
    spec = columns.spec
    parts, is_sorted = _sorted_parts(rows)
    notes = [] if is_sorted else ["rows sorted by time"]
    if rows.times is not None:
        clock = rows.times.clock
        if clock.kind == "counted" and spec.time_format is None:
            notes.append(f"{spec.time} counts {told(clock.format)} (time_format: {clock.format})")
        if step is None:
            step = _step(parts, spec, rows.times.clock)
        if step is None and spec.gaps == "missing" and any(len(part) > 1 for part in parts):
            raise _uneven(parts)
    filled = 0
    series = []
    for part in parts:
        whole = part
        if step is not None and spec.gaps != "keep":
            whole = without_gaps(part, step, spec)
            filled += len(whole) - len(part)
        series.append(_series(part, whole, spec))
    if spec.label_of == "series" and not any(label for one in series for label in one.labels):
        series = [replace(one, labels=()) for one in series]
    if filled:
        notes.append(f"{counted(filled, 'missing node')} put into gaps of time")
    return Assembled(_placed_in_time(series, parts, step), step, notes)


def _sorted_parts(rows: Rows) -> tuple[list[Rows], bool]:
    """Return the rows of every series in the order of time, and whether they were so already."""
    count = len(rows.keys)
    if count > 1:
        order = np.argsort(rows.series_of, kind="stable")
        ends = np.searchsorted(rows.series_of[order], np.arange(1, count + 1))
        starts = np.concatenate([[0], ends[:-1]])
        in_runs = bool((np.diff(rows.series_of) >= 0).all())
        slices: list[Any] = [
            slice(start, end) if in_runs else order[start:end]
            for start, end in zip(starts, ends, strict=True)
        ]
    else:
        slices = [slice(None)]
    parts, is_sorted = [], True
    for number, chosen in enumerate(slices):
        part = _in_instants(rows.take(chosen, number))
        if part.times is not None and len(part) > 1:
            moments = part.times.moments
            if (moments[1:] < moments[:-1]).any():
                is_sorted = False
                part = part.take(np.argsort(moments, kind="stable"), 0)
            _check_duplicates(part)
        parts.append(part)
    return parts, is_sorted


def _in_instants(part: Rows) -> Rows:
    """Return rows whose local times, in a zone that the user states, have become instants."""
    if part.times is None or not part.times.is_local:
        return part
    return replace(part, times=instants_of(part.times, part.place))


def _check_duplicates(part: Rows) -> None:
    assert part.times is not None
    same = part.times.moments[1:] == part.times.moments[:-1]
    if same.any():
        row = int(same.argmax())
        raise TableError(
            f"{part.place(row)} and row {int(part.numbers[row + 1])} have the same time, {shown_time(part, row)}: "
            "delete or average one of them, name the column that tells series apart (--series), or if another column "
            "holds the time of day, name both, as time: [date, hour] (--time date,hour); if clocks were set back "
            "then, state time_zone (--time-zone Europe/Berlin)"
        )


def _step(parts: Sequence[Rows], spec: TableSpec, clock: Clock) -> Step | None:
    times = [part.times for part in parts if part.times is not None]
    inferred = infer_step([one.moments for one in times], [one.local for one in times])
    if spec.step is None:
        return inferred
    try:
        stated = parse_step(spec.step, clock.kind == "number")
    except TableError as error:
        if clock.kind != "number":
            raise
        raise TableError(
            f"{parts[0].place(0)}: its time is the number {shown_time(parts[0], 0)}, which does not go with a step of "
            f"{spec.step}: {error}; if these are dates, write them as such, as 2024-03-09 14:00"
        ) from error
    if inferred is not None and str(inferred) == str(stated):
        return inferred  # unlike the stated step, it knows about local times and ends of months
    return stated


def _uneven(parts: Sequence[Rows]) -> TableError:
    """Return the error for times that have no step, at the first distance that is not the most common distance."""
    advice = "state the step, such as step: 1h (--step 1h), or gaps: keep (--gaps keep) for rows as they are"
    for part in parts:
        assert part.times is not None
        distances = np.diff(part.times.moments)
        values, counts = np.unique(distances, return_counts=True)
        if len(values) > 1:
            row = 1 + int((distances != values[counts.argmax()]).argmax())
            return TableError(
                f"{part.place(row)}: times are unevenly spaced, so that gaps cannot be filled: from "
                f"{shown_time(part, row - 1)} to {shown_time(part, row)} it is another step than elsewhere: correct "
                f"the time, {advice}"
            )
    return TableError(
        f"{parts[0].place(0)}: times are unevenly spaced from series to series, so that gaps cannot be filled: {advice}"
    )


def _series(part: Rows, whole: Rows, spec: TableSpec) -> Series:
    labels = tuple(
        whole.labels[i] if spec.label_of == "node" else _only(part, part.labels[i], column)
        for i, column in enumerate(spec.label)
    )
    for position, column in enumerate(spec.known):
        if (missing := np.isnan(part.known[:, position])).any():
            raise TableError(
                f"{part.place(int(missing.argmax()), column)} is empty, but a known column needs a value in every row: "
                "fill it in"
            )
    for position, column in enumerate(spec.static):
        differs = part.static[:, position] != part.static[0, position]
        if differs.any():
            row = int(differs.argmax())
            raise TableError(
                f"{part.place(row, column)} holds {part.static[row, position]:g}, but {part.static[0, position]:g} in "
                "the first row of the series: a static column has one number for each series, without empty cells"
            )
    return Series(
        id=" / ".join(part.keys[0]),
        values=whole.values,
        file=part.files[int(part.file_of[0])],
        first_row=int(part.numbers.min()),
        last_row=int(part.numbers.max()),
        times=None if whole.times is None else whole.times.moments,
        offset=0 if whole.times is None else int(whole.times.offsets[-1]),
        labels=labels,
        known=whole.known,
        static=part.static[0],
        group="" if part.groups is None else _only(part, part.groups, spec.group or ""),
        keys=part.keys[0],
        nodes=NodePlaces.of(whole.files, whole.file_of, whole.numbers),
    )


def _only(part: Rows, cells: NDArray[np.object_], column: str) -> str:
    """Return the text that all rows of a series share in a column."""
    differs = cells != cells[0]
    if differs.any() and not cells[0]:
        row = int(differs.argmax())
        raise TableError(
            f"{part.place(0, column)} is empty, but {cells[row]!r} in row {int(part.numbers[row])} of the series: "
            "expected the same in all rows of a series: name the columns that tell series apart (--series), or if "
            "every node has a label of its own, take a task for nodes, by a recipe with task: time-series-segmentation"
        )
    if differs.any():
        row = int(differs.argmax())
        held = f"holds {cells[row]!r}" if cells[row] else "is empty"
        raise TableError(
            f"{part.place(row, column)} {held}, but {cells[0]!r} in the first row of the series: "
            "expected the same in all rows of a series: name the columns that tell series apart (--series), or if "
            "every node has a label of its own, take a task for nodes, by a recipe with task: time-series-segmentation"
        )
    return str(cells[0])


def _placed_in_time(series: list[Series], parts: Sequence[Rows], step: Step | None) -> list[Series]:
    """Number the first step of each series from the earliest time of all; without times all series end together."""
    if step is None:
        longest = max(len(one) for one in series)
        return [replace(one, start=longest - len(one)) for one in series]
    taken = (part.take(slice(1), 0).times for part in parts)
    # An hour that clocks skip or show twice is no step of hours.
    starts = [(times.local if step.is_of_days else times.moments)[0] for times in taken if times is not None]
    first = min(starts)
    return [
        replace(one, start=steps_between(first, start, step))
        for one, start in zip(series, starts, strict=True)
    ]
