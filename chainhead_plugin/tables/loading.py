"""Load series with named values, from files or from tables in memory."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .assembly.assembling import assemble
from .assembly.rows import numeric_labels, read_rows, warn_of_codes_in
from .columns.codes import warn_of_codes
from .columns.meaning import Columns, check_row, resolve
from .columns.numbers import is_missing, to_numbers
from .columns.numerals.decimal_signs import check_decimals
from .columns.numerals.spelling import check_spelling
from .columns.numerals.thousands import plain_numbers
from .columns.numerals.units import without_units
from .columns.totals import check_totals
from .columns.wide import NodeTimes, node_times
from .errors import TableError, closest, listed, place
from .formats.cells import to_texts
from .formats.table import Sequences, Table
from .read import FOLDER, Reading, read_raw
from .series import Series, SeriesSet
from .spec import TableSpec


def load(data: Any, spec: TableSpec | None = None, reading: Reading | None = None) -> SeriesSet:
    """Load series.

    Parameters
    ----------
    data : str, Path, list of them, Source, pandas.DataFrame or Table
        A file, a folder, a pattern such as `runs/*.csv`, or several of them as one set; or a table in memory.
    spec : TableSpec, optional
        The meanings of the columns; by default those that can safely be guessed.
    reading : Reading, optional
        How to read files that do not tell it themselves.

    Returns
    -------
    SeriesSet

    Raises
    ------
    TableError
        If the data cannot be read as they stand; the message names file, row, column and series, and the remedy.
    """
    spec, reading = spec or TableSpec(), reading or Reading()
    raw, notes, stems = read_raw(data, reading)
    if isinstance(raw, Table):
        return from_table(raw, spec, notes, stems)
    return from_sequences(raw, spec, notes)


def from_table(
    table: Table, spec: TableSpec, notes: Sequence[str] = (), stems: Sequence[str] = ()
) -> SeriesSet:
    """Return the series of a table.

    Parameters
    ----------
    table : Table
    spec : TableSpec
    notes : sequence of str
        Sentences about the reading so far, for the summary.
    stems : sequence of str
        The names of the table's files without suffixes: the ids of series if each file is a series.

    Raises
    ------
    TableError
        As in `load`.
    """
    columns = resolve(table, spec)
    table = plain_numbers(without_units(table, columns.numeric, columns.spec.missing), columns.numeric)
    columns = replace(columns, units=table.units or {})
    said = (*notes, *table.notes, *columns.notes, *check_totals(table, columns.spec))
    if columns.spec.text is not None:
        raise TableError(
            f"{table.name}: column {columns.spec.text} is of texts, which are no series: load texts"
        )
    if columns.spec.rows == "series":
        times = None if columns.spec.label else node_times(table, columns.features, columns.spec)
        series = wide_series(table, columns, times)
        nodes = columns.features if table.has_names else ()
        columns = replace(columns, features=("value",), nodes=nodes)
        return SeriesSet(
            tuple(series),
            columns,
            table.files,
            None if times is None else times.clock,
            None if times is None else times.step,
            has_names=table.has_names,
            notes=said,
            has_decimal_commas=table.decimal != ".",
        )
    rows = read_rows(table, columns, stems)
    warn_of_codes_in(rows, columns, table.name)
    found = assemble(rows, columns)
    return SeriesSet(
        tuple(found.series),
        columns,
        table.files,
        None if rows.times is None else rows.times.clock,
        found.step,
        table.has_names,
        (*said, *found.notes),
        has_decimal_commas=table.decimal != ".",
    )


def wide_series(table: Table, columns: Columns, times: NodeTimes | None = None) -> list[Series]:
    """Return a series for every row, whose nodes are the columns; rows of shorter series end in empty cells.

    Parameters
    ----------
    table : Table
    columns : Columns
    times : NodeTimes, optional
        The times of the nodes; without times all series end together.
    """
    spec = columns.spec
    if times is not None:
        columns = replace(columns, features=tuple(columns.features[place] for place in times.order))
    check_decimals(table, [*columns.features, *numeric_labels(table, spec)])
    matrix = np.empty((len(table), len(columns.features)))
    for position, column in enumerate(columns.features):
        matrix[:, position] = to_numbers(table, column, spec.missing)
    warn_of_codes(table.name, matrix.ravel())
    present = ~np.isnan(matrix)
    lengths = np.where(present.any(1), matrix.shape[1] - present[:, ::-1].argmax(1), 0)
    if not lengths.all():
        file, row = table.place(int((lengths == 0).argmax()))
        raise TableError(
            f"{place(file, row=row)} has no values, expected a series: fill it in, or delete the row"
        )
    for column in spec.series:
        check_row(table, column, is_missing(table.columns[column]), "a column that tells series apart")
    for column in (*spec.series, *spec.label, *((spec.group,) if spec.group is not None else ())):
        check_spelling(table, column)
    keys = [to_texts(table.columns[column]) for column in spec.series]
    labels = [to_texts(table.columns[column]) for column in spec.label]
    for column, texts in zip(spec.label, labels, strict=True):
        missing = is_missing(texts)
        if missing.any() and not missing.all():
            check_row(table, column, missing, "a table with labels")
    if labels and all(is_missing(texts).all() for texts in labels):
        labels = []
    groups = None if spec.group is None else to_texts(table.columns[spec.group])
    static = [to_numbers(table, column, spec.missing) for column in spec.static]
    for column, numbers in zip(spec.static, static, strict=True):
        check_row(table, column, np.isnan(numbers), "a static column")
    longest = int(lengths.max())
    series = []
    for i, length in enumerate(lengths.tolist()):
        file, row = table.place(i)
        key = tuple(str(column[i]) for column in keys)
        series.append(
            Series(
                " / ".join(key),
                matrix[i, :length, np.newaxis],
                file,
                row,
                row,
                times=None if times is None else times.moments[:length],
                offset=0 if times is None else int(times.offsets[length - 1]),
                start=longest - length if times is None else 0,
                labels=tuple(str(column[i]) for column in labels),
                known=np.empty((length, 0)),
                static=np.array([column[i] for column in static]),
                group="" if groups is None else str(groups[i]),
                keys=key,
            )
        )
    return series


def from_sequences(parts: Sequence[Sequences], spec: TableSpec, notes: Sequence[str] = ()) -> SeriesSet:
    """Return the series of files that hold them as wholes.

    Parameters
    ----------
    parts : sequence of Sequences
        The sequences of each file.
    spec : TableSpec
    notes : sequence of str
        Sentences about the reading so far, for the summary.

    Raises
    ------
    TableError
        If the files do not have the same features, or lack a field or a feature that the spec names.
    """
    first = parts[0]
    for part in parts:
        if part.features != first.features or part.values[0].shape[1] != first.values[0].shape[1]:
            raise TableError(
                f"{first.file} and {part.file} have not the same features: {_shown(first)}, and {_shown(part)}"
            )
    for unsaid in ("time", "static"):
        if getattr(spec, unsaid):
            raise TableError(
                f"{first.file} holds whole sequences, without a column for {unsaid}: leave it out"
            )
    width = first.values[0].shape[1]
    names = first.features or tuple(f"x{i}" for i in range(width))
    spec = _spec_of_fields(first, spec)
    columns = _chosen(first.file, names, spec)
    places = [names.index(name) for name in columns.features]
    known = [names.index(name) for name in spec.known]
    longest = max(len(values) for part in parts for values in part.values)
    series: list[Series] = []
    for part in parts:
        for i, values in enumerate(part.values):
            where = place(part.file, row=part.rows[i])
            if values.shape[1] != width:
                raise TableError(
                    f"{where} has nodes of {values.shape[1]} features, expected {width} as the first"
                )
            series.append(_sequence(part, i, values, places, known, spec, longest))
    files = tuple(part.file for part in parts)
    said = tuple(dict.fromkeys([*notes, *(note for part in parts for note in part.notes)]))
    return SeriesSet(tuple(series), columns, files, has_names=first.features is not None, notes=said)


def _shown(part: Sequences) -> str:
    return listed(part.features) if part.features else f"{part.values[0].shape[1]} without names"


def _spec_of_fields(part: Sequences, spec: TableSpec) -> TableSpec:
    """Check that named fields exist. Unnamed, a field "label" or "folder" holds labels, and a field "id" holds ids."""
    for role in ("label", "series", "group"):
        stated = getattr(spec, role) or ()
        for name in (stated,) if isinstance(stated, str) else stated:
            if name not in part.fields:
                raise TableError(
                    f"{part.file} has no field {name} for {role}{closest(name, part.fields)}; it has "
                    f"{listed(part.fields)}"
                )
    if not spec.label:
        spec = replace(spec, label=next(((name,) for name in ("label", FOLDER) if name in part.fields), ()))
    if not spec.series and "id" in part.fields:
        spec = replace(spec, series=("id",))
    return replace(spec, rows="nodes")


def _chosen(file: str, names: tuple[str, ...], spec: TableSpec) -> Columns:
    for role in ("features", "target", "known"):
        for name in getattr(spec, role) or ():
            if name not in names:
                raise TableError(
                    f"{file} has no feature {name} for {role}{closest(name, names)}; it has {listed(names)}"
                )
    wanted = spec.features
    if wanted is None:
        wanted = tuple(name for name in names if name not in {*spec.drop, *spec.known})
    features = (*spec.target, *(name for name in wanted if name not in spec.target))
    return Columns(spec, features)


def _sequence(
    part: Sequences,
    i: int,
    values: NDArray[np.float64],
    places: list[int],
    known: list[int],
    spec: TableSpec,
    longest: int,
) -> Series:
    where = place(part.file, row=part.rows[i])
    chosen = values if places == list(range(values.shape[1])) else values[:, places]
    key = tuple(_text(part.fields[name][i], f"{where}, field {name}") for name in spec.series)
    labels: list[Any] = []
    for name in spec.label:
        given = part.fields[name][i]
        if spec.label_of == "series":
            labels.append(_text(given, f"{where}, field {name}"))
            continue
        if not isinstance(given, list | tuple | np.ndarray) or len(given) != len(values):
            raise TableError(f"{where}, field {name} has no label for each of the {len(values)} nodes")
        labels.append(to_texts(np.array([_text(label, where) for label in given], dtype=object)))
    return Series(
        " / ".join(key),
        chosen,
        part.file,
        part.rows[i],
        part.rows[i],
        start=longest - len(values),
        labels=tuple(labels) if any(len(label) for label in labels) else (),
        known=values[:, known],
        group="" if spec.group is None else _text(part.fields[spec.group][i], where),
        keys=key,
        fields={name: cells[i] for name, cells in part.fields.items() if cells[i] is not None},
    )


def _text(value: Any, where: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float | np.generic):
        return str(to_texts(np.array([value]))[0])
    raise TableError(f"{where} holds {value!r:.40}, expected a text or a number")
