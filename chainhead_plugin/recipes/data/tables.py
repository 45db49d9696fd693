"""What labelled examples and series from files of one's own have in common: their options, and tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import RecipeError
from .examples import require


def check_file_options(options: Mapping[str, Any], known: Sequence[str], purpose: str = "") -> None:
    """Check the names of the options of files.

    Raises
    ------
    RecipeError
        If one is unknown, or there is no part to train on, or not exactly one way to the test part.
    """
    if unknown := sorted(options.keys() - {*known}):
        raise RecipeError(f"data has no {unknown[0]!r}{purpose}: expected {', '.join(known)}")
    if "train" not in options or ("test" in options) == ("test_share" in options):
        raise RecipeError("data needs train, and one of test and test_share")


def check_file(file: Path) -> None:
    """Check that there is a file, and that it is of a kind that is read.

    Raises
    ------
    RecipeError
        If not.
    """
    if not file.is_file():
        raise RecipeError(f"data: there is no file {file}")
    if file.suffix not in (".npz", ".csv", ".parquet"):
        raise RecipeError(f"data: {file.name} is of an unknown kind, expected .npz, .csv or .parquet")


def read_table(file: Path, texts: Sequence[str] = ()) -> Any:
    """Read a .csv or .parquet file as a pandas table.

    Parameters
    ----------
    file : Path
    texts : sequence of str
        Columns of labels and ids, which stay as they stand in a .csv file: "NA" and "007" are texts. Only an empty cell
        is missing, and a column of nothing but whole numbers is numbers.
    """
    pandas = require("pandas", "pandas")
    if file.suffix != ".csv":
        return pandas.read_parquet(file)
    table = pandas.read_csv(file, converters=dict.fromkeys(texts, str))
    for column in table.columns.intersection(list(texts)):
        cells = table[column]
        if all(cell.isascii() and cell.isdigit() and str(int(cell)) == cell for cell in cells):
            table[column] = cells.astype("int64")
        else:
            table[column] = cells.mask(cells.str.strip() == "")
    return table
