"""Columns under the names that they usually have, in small or capital letters."""

from collections.abc import Iterable


def usual_column(name: str, columns: Iterable[str]) -> str | None:
    """Return the column of a usual name: in small letters, or the only column that has it in other letters.

    Parameters
    ----------
    name : str
        In small letters, such as "label".
    columns : iterable of str

    Returns
    -------
    str, optional
        None if there is no such column, or if there are several.
    """
    alike = [column for column in columns if column.strip().lower() == name]
    if name in alike:
        return name
    return alike[0] if len(alike) == 1 else None
