"""Tables that name files of one kind, such as sounds, in a column of paths."""

from collections.abc import Callable
from pathlib import Path

from ....tables.errors import TableError, listed
from ....tables.formats.cells import to_texts
from ....tables.formats.table import Table
from ....tables.read import Reading, read_raw

# Tables of paths are small: a larger file is not looked at.
_LARGEST = 16 * 2**20


def small_table(file: Path, reading: Reading) -> Table | None:
    """Return the table that a file holds; None if it holds something else, cannot be read, or is larger than 16 MiB."""
    if not file.is_file() or file.stat().st_size > _LARGEST:
        return None
    try:
        found = read_raw(file, reading)[0]
    except (TableError, OSError):
        return None
    return found if isinstance(found, Table) else None


def column_of_paths(table: Table, includes: Callable[[Path], bool]) -> str | None:
    """Return the column whose cells are all names of files of a kind; None if there is no such column.

    Parameters
    ----------
    table : Table
    includes : callable
        Tells whether a file is of the kind.

    Raises
    ------
    TableError
        If there are several.
    """
    found = [
        name
        for name, cells in table.columns.items()
        if cells.dtype.kind == "O" and all(includes(Path(cell.strip())) for cell in cells)
    ]
    if len(found) > 1:
        raise TableError(
            f"{table.name}: the columns {listed(found)} name files: leave one of them in the table"
        )
    return found[0] if found else None


def paths_named_by(table: Table, column: str, folder: Path) -> list[tuple[Path, dict[str, str]]]:
    """Return the files that a column names, each with the other cells of its row that are not empty.

    Parameters
    ----------
    table : Table
    column : str
    folder : Path
        The table's, which paths start from.

    Raises
    ------
    TableError
        If a file is missing.
    """
    others = {name: to_texts(cells) for name, cells in table.columns.items() if name != column}
    found = []
    for row, cell in enumerate(table.columns[column]):
        path = folder / cell.strip()
        if not path.is_file():
            file, number = table.place(row)
            raise TableError(
                f"{file}, row {number}, column {column}: there is no file {cell.strip()} in {folder.resolve()}"
            )
        found.append((path, {name: str(cells[row]) for name, cells in others.items() if cells[row]}))
    return found
