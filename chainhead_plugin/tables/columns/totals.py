"""Find a last row of sums, which spreadsheets put below a table, before it is taken for a label or a series."""

from ..errors import TableError, place
from ..formats.cells import to_texts
from ..formats.table import Table
from ..spec import TableSpec

_WORDS = {
    *(
        "total",
        "totals",
        "grand total",
        "subtotal",
        "sum",
        "sums",
        "all",
        "overall",
        "mean",
        "average",
        "avg",
    ),
    *(
        "median",
        "count",
        "gesamt",
        "gesamtergebnis",
        "summe",
        "mittelwert",
        "somme",
        "moyenne",
        "totale",
        "suma",
    ),
}


def check_totals(table: Table, spec: TableSpec) -> list[str]:
    """Check that the last row is no sum of the rows above it.

    Parameters
    ----------
    table : Table
    spec : TableSpec
        The meanings of the columns.

    Returns
    -------
    list of str
        A sentence for the summary if the last row is a series that is called a total, as a series may well be.

    Raises
    ------
    TableError
        If the last row alone has a label such as "Total", or is the only node of a series that is called so.
    """
    for column in spec.label:
        if (text := _total(table, column)) is not None:
            file, row = table.place(len(table) - 1)
            raise TableError(
                f"{place(file, row=row, column=column)} holds {text!r}, which no other row has: it is the last row, "
                "and seems to be a sum or a mean of the rows above: delete it, or if it is a label, put the row "
                "elsewhere"
            )
    for column in spec.series:
        if (text := _total(table, column)) is None:
            continue
        if spec.rows != "series" and len({*to_texts(table.columns[column])}) < len(table):
            file, row = table.place(len(table) - 1)
            raise TableError(
                f"{place(file, row=row, column=column)} holds {text!r}, a series of a single row, which is "
                "the last row and seems to be a sum or a mean of the rows above: delete it"
            )
        return [f"the last row, {text}, is a series of its own: delete it if it is a sum of the rows above"]
    return []


def _total(table: Table, column: str) -> str | None:
    """Return the text in the last row of a column if it is called a total, and is alone in the column."""
    if len(table) < 3 or table.columns[column].dtype.kind != "O":
        return None
    texts = to_texts(table.columns[column])
    last = str(texts[-1])
    is_total = " ".join(last.split()).rstrip(":").casefold() in _WORDS
    return last if is_total and (texts == last).sum() == 1 else None
