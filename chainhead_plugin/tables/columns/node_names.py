"""Check that columns are named like the nodes of a series, before each row is taken for a whole series."""

import re
from collections import Counter
from collections.abc import Sequence

from ..errors import TableError, listed
from ..formats.cells import number_of
from ..formats.table import Table
from ..time.patterns import is_time

_NUMBERED = re.compile(r"(.*?)[-+]?\d+(?:[.,]\d+)?(\D*)")


def check_nodes(table: Table, columns: Sequence[str]) -> None:
    """Check that columns can be the nodes of a series, if the user has not said so.

    Their names have to be numbers, times, or the same text with different numbers behind it.

    Raises
    ------
    TableError
        If the names are none of these, so that each row may as well be a single node with several features; or if a
        few names differ from all the rest.
    """
    if not table.has_names or not columns or are_nodes(table, columns):
        return
    stems = {column: _stem(column) for column in columns}
    common, count = Counter(stems.values()).most_common(1)[0]
    if common is not None and count > 2 and 2 * count > len(columns):
        odd = [column for column in columns if stems[column] != common]
        nodes = [column for column in columns if stems[column] == common]
        raise TableError(
            f"{table.name}: {listed(odd, 4)} {'is' if len(odd) == 1 else 'are'} not named as the nodes of series are, "
            f"{listed(nodes, 4)}: leave it out (--drop {','.join(odd[:4])}), name it as static, group or series, or, "
            "if it is a node, state rows: series (--rows series)"
        )
    is_are = "is" if len(columns) == 1 else "are"
    raise TableError(
        f"{table.name}: no column tells series apart, and {listed(columns, 4)} {is_are} not named as the nodes of one: "
        "name the column that tells series apart, and that of times (--series, --time); or if each row is a whole "
        "series, state rows: series (--rows series)"
    )


def are_nodes(table: Table, columns: Sequence[str]) -> bool:
    """Whether names of columns are numbers, times, or the same text with numbers behind it, as names of nodes are."""
    stems = {_stem(column) for column in columns}
    return len(stems) == 1 and None not in stems and (len(columns) > 1 or len(table.columns) > 2)


def _stem(column: str) -> str | None:
    """Return the part that the names of all nodes of a series share; None if this is no name of a node."""
    if number_of(column) is not None or is_time(column):
        return ""
    found = _NUMBERED.fullmatch(column.strip())
    return None if found is None else f"{found[1]}#{found[2]}"
