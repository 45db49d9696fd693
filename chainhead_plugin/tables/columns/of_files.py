"""Tell from the labels of several files whether each file is a series."""

from collections.abc import Sequence

import numpy as np

from ..formats.cells import to_texts
from ..formats.table import Table
from .node_names import are_nodes


def is_series_a_file(table: Table, labels: Sequence[str], columns: Sequence[str]) -> bool:
    """Whether each of several files is a series of nodes with one label.

    Parameters
    ----------
    table : Table
    labels : sequence of str
        Columns of labels.
    columns : sequence of str
        The columns that are left as features.
    """
    if (len(table.files) < 2 and not table.has_siblings) or not labels or are_nodes(table, columns):
        return False
    counts = np.bincount(table.file_of, minlength=len(table.files))
    if counts.min() < 2:
        return False
    first_rows = np.cumsum(counts) - counts
    return all(
        bool((texts == texts[first_rows[table.file_of]]).all())
        for texts in (to_texts(table.columns[label]) for label in labels)
    )
