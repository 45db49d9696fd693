"""Tables in which each row is a whole series to forecast, with the times of its nodes in the names of columns."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import TableError
from ..formats.cells import number_of, objects, to_texts
from ..formats.table import Table, single
from ..spec import TableSpec
from ..time.clock import Clock
from ..time.inference import infer_step
from ..time.parsing import parse_times
from ..time.patterns import is_time
from ..time.steps import Step, parse_step
from ..time.zones import in_zone, instants_of
from .node_names import are_nodes
from .numbers import is_missing, looks_numeric

LEAST_NODES = 3


@dataclass(frozen=True)
class NodeTimes:
    """The times that the names of columns tell.

    Attributes
    ----------
    moments : array [nodes] of datetime64[ns] in UTC
        In ascending order.
    order : int64 array [nodes]
        The column of each node.
    offsets : int64 array [nodes]
        Seconds by which local times are ahead of UTC.
    clock : Clock
    step : Step, optional
    """

    moments: NDArray[Any]
    order: NDArray[np.intp]
    offsets: NDArray[np.int64]
    clock: Clock
    step: Step | None


def ids_of_rows(table: Table, free: list[str]) -> tuple[str, ...]:
    """Return the column of texts that are different in all rows, if all other columns are named as nodes are.

    It is returned in a tuple, which is empty if there is no such column. Where it is named as the others are, as in the
    files of the M4 competition, it holds no number: a node may have a cell that is no number by mistake.
    """
    if len(free) <= LEAST_NODES:
        return ()
    is_like_nodes = are_nodes(table, free)
    for column in free:
        cells = table.columns[column]
        if cells.dtype.kind != "O" or looks_numeric(cells, None) or is_missing(cells).any():
            continue
        texts = to_texts(cells)
        is_id = len({*texts}) == len(texts) and not (
            is_like_nodes and any(number_of(text) is not None for text in texts)
        )
        if is_id and are_nodes(table, [name for name in free if name != column]):
            return (column,)
    return ()


def is_wide(table: Table, spec: TableSpec, free: list[str]) -> bool:
    """Whether each row can only be a whole series: an id, and columns named as nodes are.

    Parameters
    ----------
    table : Table
    spec : TableSpec
        Without labels, targets and times.
    free : list of str
        Columns without a meaning.
    """
    ids = ids_of_rows(table, free)
    nodes = [column for column in free if column not in ids]
    if len(nodes) < LEAST_NODES or not table.has_names or not are_nodes(table, nodes):
        return False
    if not all(looks_numeric(table.columns[node], None, spec.missing) for node in nodes):
        return False
    return bool(ids) or all(map(is_time, nodes))


def node_times(table: Table, nodes: tuple[str, ...], spec: TableSpec) -> NodeTimes | None:
    """Return the times in the names of columns, or None if the names are no times.

    Raises
    ------
    TableError
        If a time is there twice, or between two columns columns are missing.
    """
    if len(nodes) < 2 or not table.has_names or not all(map(is_time, nodes)):
        return None
    names = f"{table.name}, names of columns"
    times = parse_times(
        single({"time": objects(list(nodes))}, names),
        "time",
        time_format=spec.time_format,
        day_first=spec.day_first,
    )
    if spec.time_zone is not None:
        times = in_zone(times, spec.time_zone, names)
        times = (
            instants_of(times, lambda node: f"{table.name}, column {nodes[node]}")
            if times.is_local
            else times
        )
    order = np.argsort(times.moments, kind="stable")
    moments, local = times.moments[order], times.local[order]
    same = np.flatnonzero(np.diff(moments) == np.timedelta64(0))
    if len(same):
        twice = [nodes[order[same[0] + i]] for i in (0, 1)]
        raise TableError(
            f"{table.name}: columns {twice[0]} and {twice[1]} have the same time: leave one of them out"
        )
    step = infer_step([moments], [local]) if spec.step is None else parse_step(spec.step, False)
    if step is not None and spec.gaps != "keep":
        positions = step.positions(local if step.is_local or step.unit != "ns" else moments)
        uneven = np.flatnonzero(~(np.abs(positions - np.arange(len(positions))) < 1e-6))
        if len(uneven):
            before, after = (nodes[order[uneven[0] + i]] for i in (-1, 0))
            raise TableError(
                f"{table.name}: columns are missing between {before} and {after}, as times are {step} apart: add them, "
                "empty if there are no values, or state gaps: keep (--gaps keep) for columns as they are"
            )
    return NodeTimes(moments, order, times.offsets[order], times.clock, step)
