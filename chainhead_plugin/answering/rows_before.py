"""Tell that a table goes on for more rows than are forecast, so that the forecast begins after some of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..inputs.named_sequences import NamedSequence
from ..tables.errors import listed
from .wanted import Record


def told_rows_before(record: Record, result: Any) -> str:
    """Return a sentence on rows before a forecast that have no value to forecast; empty if there are none.

    Parameters
    ----------
    record : Record
    result : object
        Of the pipeline. Only a forecast of a series whose covariates go on into the future has such rows.
    """
    series = record.data
    if not (isinstance(series, NamedSequence) and series.targets and isinstance(result, Mapping)):
        return ""
    nodes, steps = series.nodes, len(result["forecast"])
    empty = np.isnan(nodes[:, : len(series.targets)]).all(1)
    filled = np.flatnonzero(~empty)
    open_rows = len(nodes) - (int(filled[-1]) + 1 if len(filled) else 0)
    goes_on = np.isfinite(nodes[-1]).any() and open_rows > steps
    if not goes_on:
        return ""
    return (
        f"the forecast begins after {open_rows - steps:,} further rows without {listed(series.targets)}: --horizon "
        f"{open_rows} forecasts these too"
    )
