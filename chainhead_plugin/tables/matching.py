"""Match later tables with the names of columns that a model was trained on."""

from collections.abc import Sequence
from typing import Any

from .columns.guessing import is_series_name, tells_apart
from .columns.meaning import index_columns
from .columns.numerals.units import check_units
from .errors import TableError, listed, renamed
from .formats.cells import number_of
from .formats.table import Sequences, Table
from .loading import from_sequences, from_table
from .other_steps import tell_other_step
from .read import Reading, read_raw
from .schema import Schema
from .series import SeriesSet
from .spec import TableSpec
from .time.counted_times import NUMBER
from .time.patterns import is_time


def match(schema: Schema, table: Table, *, labelled: bool = False) -> TableSpec:
    """Return how to read a table for a model, its columns matched by name.

    Parameters
    ----------
    schema : Schema
        The schema of the model.
    table : Table
        Its columns may be in any order. Columns of groups may be missing, and so may labels unless
        `labelled` asks for them, and times if the schema drops them.
    labelled : bool
        Whether the labels are to be read, for an evaluation.

    Returns
    -------
    TableSpec

    Raises
    ------
    TableError
        If the table lacks a column of the model, or has an unknown column; the message lists both.
    """
    here = set(table.columns)
    needed = [*schema.features, *schema.known, *schema.static]
    needed += schema.label if labelled else ()
    if not table.has_names:
        expected = f"takes {listed(needed)}" if needed else "was trained on a table with a header"
        raise TableError(
            f"{table.name} has no names of columns, but the model {expected}: add a header with these names"
        )
    optional = [*schema.label, *schema.series, *schema.drop, schema.group, schema.time, *table.made]
    optional += schema.time_parts
    time = _time_of(schema, table, needed)
    if time is None and schema.time is not None and (schema.calendar or schema.time not in schema.drop):
        needed += [schema.time, *schema.time_parts]
    missing = [name for name in needed if name not in here]
    indices = index_columns(table, [name for name in here if name not in {*needed, *optional}])
    unknown = [name for name in table.columns if name not in {*needed, *optional, *indices, *table.index}]
    nodes: list[str] = []
    if schema.rows == "series":
        nodes = unknown
        missing_nodes, unknown = _match_nodes(schema.nodes, nodes)
        missing += missing_nodes
    if missing or unknown:
        hints = renamed([*missing, *(name for name in schema.series if name not in here)], unknown)
        if not schema.series and (ids := [name for name in unknown if is_series_name(name)]):
            hints += f" (if {ids[0]} tells series apart, say so with --series {ids[0]})"
        if schema.time in missing and not schema.calendar:
            hints += (
                f" (if rows stand in the order of time, say so with --drop {schema.time}; in Python pass the values "
                "alone, as an array)"
            )
        takes = listed(needed or schema.nodes)
        raise TableError(
            f"{table.name} has other columns than the model was trained on: missing {listed(missing)}; unknown "
            f"{listed(unknown)}{hints}. The model takes {takes}: rename "
            "the columns, and leave out unknown columns, or drop them with --drop"
        )
    check_units(table, [*schema.features, *schema.known, *schema.static], schema.units)
    here -= set(schema.drop)
    used = {*(schema.label if labelled else ()), *schema.series, schema.group}
    unwanted = [name for name in (*schema.drop, *(() if labelled else schema.label)) if name in table.columns]
    unwanted += [name for name in table.made if name not in {*used, *unwanted}]
    series = tuple(name for name in schema.series if name in here)
    if not series and len(table.index) > 1 and not {*needed} & {*table.index}:
        series = table.index[:-1] if time == table.index[-1] else table.index
    return TableSpec(
        features=_in_order(schema, nodes),
        target=schema.target,
        known=schema.known,
        static=schema.static,
        label=schema.label if labelled else (),
        label_of=schema.label_of,  # type: ignore[arg-type]  # checked by from_dict
        series=series,
        drop=(*dict.fromkeys(unwanted),),
        calendar=schema.calendar if time else (),
        group=schema.group if schema.group in here else None,
        time=time,
        time_parts=schema.time_parts if time == schema.time and time else (),
        time_format=_time_format(schema) if time else None,
        time_zone=schema.time_zone if time else None,
        day_first=schema.day_first,
        step=schema.step if time else None,
        gaps="keep" if schema.rows == "series" and schema.label else schema.gaps,
        missing=schema.missing,
        rows=schema.rows,  # type: ignore[arg-type]
    )


def _time_format(schema: Schema) -> str | None:
    """Return how times are written. A step that is a plain number says that times are plain numbers too."""
    if schema.time_format is None and schema.step is not None and number_of(str(schema.step)) is not None:
        return NUMBER
    return schema.time_format


def _time_of(schema: Schema, table: Table, needed: Sequence[str]) -> str | None:
    """Return the column of times: the model's, or else the last level of a DataFrame's index, if that may be a time."""
    if schema.time in table.columns and schema.time not in schema.drop:
        return schema.time
    if not table.index or table.index[-1] in (*schema.series, *needed):
        return None
    *outer, last = table.index
    return last if schema.time is not None or tells_apart(table, outer, last) else None


def _match_nodes(known: Sequence[str], given: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the nodes that a table with a series in every row lacks, and its columns that are unknown nodes.

    Its series may be shorter or longer than in training: columns may be missing at the end, and there may be more of
    them if their names end in numbers.
    """
    if not known:
        return [], []  # older schemas hold no names of nodes
    if known and given and all(map(is_time, (*known, *given))):
        return [], []  # later tables have later times
    stems = {name.rstrip("0123456789") for name in known}
    goes_on = len(stems) == 1 and known[-1] not in stems
    unknown = [
        name
        for name in given
        if name not in known and not (goes_on and name.rstrip("0123456789") in stems and name not in stems)
    ]
    last = max((known.index(name) for name in given if name in known), default=-1)
    return [name for name in known[: last + 1] if name not in given] or (
        [known[0]] if last < 0 else []
    ), unknown


def _in_order(schema: Schema, nodes: Sequence[str]) -> tuple[str, ...] | None:
    """Return the columns of features in the order of the training table."""
    if schema.rows != "series":
        return tuple(name for name in schema.features if name not in schema.target)
    if not schema.nodes:
        return None
    if nodes and all(map(is_time, nodes)):
        return tuple(nodes)
    known = [name for name in schema.nodes if name in nodes]
    later = (name for name in nodes if name not in schema.nodes)
    return (*known, *sorted(later, key=lambda name: int(name[len(name.rstrip("0123456789")) :])))


def load_matched(
    data: Any, schema: Schema, reading: Reading | None = None, *, labelled: bool = False
) -> SeriesSet:
    """Load series for a model, as `load` does, with all columns matched by name.

    Sequences without names are taken by position, and need as many features as the model takes.

    Parameters
    ----------
    data : str, Path, list of them, Source, pandas.DataFrame or Table
        As in `load`.
    schema : Schema
        The schema of the model.
    reading : Reading, optional
        How to read files that do not tell it themselves.
    labelled : bool
        Whether the labels are to be read, for an evaluation.

    Returns
    -------
    SeriesSet

    Raises
    ------
    TableError
        As in `match` and `load`.
    """
    raw, notes, stems = read_raw(data, reading or Reading(feature_size=len(schema.features) or None))
    if isinstance(raw, Table):
        spec = match(schema, raw, labelled=labelled)
        check_series_columns(schema, spec, raw, may_be_alone=isinstance(data, Table) or hasattr(data, "iloc"))
        found = from_table(raw, spec, notes, stems)
        if spec.gaps == "missing" and spec.rows != "series":
            tell_other_step(found)
        return found
    return from_sequences(raw, match_sequences(schema, raw[0], labelled=labelled), notes)


def check_series_columns(schema: Schema, spec: TableSpec, table: Table, *, may_be_alone: bool) -> None:
    """Check that a table has the columns that told series apart in training.

    Parameters
    ----------
    schema : Schema
    spec : TableSpec
        As `match` returns it.
    table : Table
    may_be_alone : bool
        Whether the table may lack all of these columns, as a DataFrame that holds a single series does. Of several
        files each is a series.

    Raises
    ------
    TableError
        If some of the columns are missing, or all of them from a file, unless the schema drops them.
    """
    missing = [name for name in schema.series if name not in {*table.columns, *schema.drop}]
    is_alone = len(missing) == len(schema.series) and (
        may_be_alone or len(table.files) > 1 or table.has_siblings or bool(table.index)
    )
    if not missing or is_alone or schema.rows == "series" or not table.has_names:
        return
    raise TableError(
        f"{table.name} has no column {listed(missing)}, which told series apart in the table that the model was "
        f"trained on: add it, or if the table holds a single series, say so with --drop {','.join(missing)}; in Python "
        "pass it as a DataFrame"
    )


def match_sequences(schema: Schema, part: Sequences, *, labelled: bool = False) -> TableSpec:
    """Return how to read whole sequences for a model: by name if they have names, else by position.

    Parameters
    ----------
    schema : Schema
        The schema of the model.
    part : Sequences
    labelled : bool
        Whether the labels are to be read, for an evaluation.

    Raises
    ------
    TableError
        If the sequences do not have the features of the model.
    """
    label = schema.label if labelled else ()
    common = TableSpec(label=label, label_of=schema.label_of)  # type: ignore[arg-type]
    needed = (*schema.features, *schema.known)
    if part.features is None:
        width = part.values[0].shape[1]
        if schema.rows == "nodes" and width != len(needed):
            raise TableError(f"{part.file} has {width} features a node, but the model takes {listed(needed)}")
        positions = tuple(f"x{i}" for i in range(width))
        count = len(schema.features) if schema.rows == "nodes" else width
        return TableSpec(
            features=positions[:count],
            known=positions[count:],
            label=label,
            label_of=common.label_of,
        )
    missing = [name for name in needed if name not in part.features]
    unknown = [name for name in part.features if name not in {*needed, *schema.drop}]
    if missing or unknown:
        raise TableError(
            f"{part.file} has other features than the model was trained on: missing {listed(missing)}; unknown "
            f"{listed(unknown)}. The model takes {listed(needed)}"
        )
    return TableSpec(
        features=tuple(name for name in schema.features if name not in schema.target),
        target=schema.target,
        known=schema.known,
        label=label,
        label_of=common.label_of,
    )
