"""Earlier and later values of series, joined along time."""

from typing import Any

import numpy as np

from ...inputs.named_sequences import is_frame
from ...tables.errors import listed
from .histories import as_numbers


def joined(before: Any, later: Any) -> Any:
    """Return earlier and later values joined along time: tables, arrays, or lists of arrays.

    Raises
    ------
    TypeError, ValueError
        If the two are of different types or shapes, tables have other columns, or both have a row for the same time.
    """
    if is_frame(before) != is_frame(later):
        raise TypeError(
            "give the new values in the form of the values before: both as tables, or both as arrays"
        )
    if is_frame(before):
        import pandas

        if hasattr(before, "columns") != hasattr(later, "columns"):
            raise TypeError("give the new values in the form of the values before: a Series, or a DataFrame")
        if hasattr(before, "columns"):
            _check_columns(before, later)
        # An index that counts rows begins anew in every table, whose times are in a column.
        again = later.index[later.index.isin(before.index)]
        if len(again) and (again.nlevels > 1 or hasattr(again, "year")):
            raise ValueError(
                f"{len(again)} of the {len(later)} new rows are for steps that were given before, the first for "
                f"{again[0]}: leave them out"
            )
        return pandas.concat([before, later])
    if isinstance(before, list | tuple) and before and np.ndim(before[0]) > 0:
        if not isinstance(later, list | tuple) or len(later) != len(before):
            raise ValueError(f"give the new values as a list of {len(before)} arrays, as the values before")
        return [joined(*parts) for parts in zip(before, later, strict=True)]
    first, second = as_numbers("what came before", None, before), as_numbers("what goes on", None, later)
    if first.shape[1:] != second.shape[1:]:
        raise ValueError(
            f"the new values have shape {list(second.shape)}, the values before {list(first.shape)}"
        )
    return np.concatenate([first, second])


def _check_columns(before: Any, later: Any) -> None:
    """Check that a later table has the columns of the earlier, as pandas would take a missing column as missing values.

    Raises
    ------
    ValueError
        If the names differ.
    """
    missing = [name for name in before.columns if name not in later.columns]
    unknown = [name for name in later.columns if name not in before.columns]
    if missing or unknown:
        raise ValueError(
            f"the new rows have other columns than the rows before: missing {listed(missing)}; unknown "
            f"{listed(unknown)}"
        )


__all__ = ["joined"]
