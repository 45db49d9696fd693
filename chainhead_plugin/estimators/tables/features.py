"""Features and labels of a table that may be something else."""

import numpy as np

from ...tables.errors import TableError, listed
from ...tables.series import SeriesSet


def check_no_empty(found: SeriesSet) -> None:
    """Check that every feature has a value at some node of some series.

    Raises
    ------
    TableError
        If features have none; the message names them.
    """
    if found.columns.spec.rows == "series":
        return
    has_value = np.any([~np.isnan(series.values).all(0) for series in found], axis=0)
    if not has_value.all():
        empty = [name for name, has in zip(found.features, has_value, strict=True) if not has]
        advice = f"leave it out (--drop {','.join(empty)})" if found.has_names else "leave it out"
        raise TableError(f"{found.files[0]}: {listed(empty)} has no value in any row: {advice}")


def told_constant(found: SeriesSet) -> list[str]:
    """Return a sentence on features that are the same at all nodes of a series; none without such.

    Whole numbers may be that of a person or a machine, by which a model would tell series apart that it was trained on.
    Where all series are single nodes, the nodes may stand in columns.
    """
    if found.columns.spec.rows == "series":
        return []
    if max(map(len, found)) < 2:
        one = "every series is a single node, so that nothing follows in it"
        return [f"{one}: if each row is a whole series, say --rows series"] if len(found.features) > 1 else []
    firsts = np.stack([series.values[0] for series in found])
    is_number = np.mod(firsts, 1) == 0
    stays = np.stack([(series.values == series.values[0]).all(0) for series in found])
    places = np.flatnonzero((stays & is_number).all(0) & (np.ptp(firsts, axis=0) > 1))
    if not len(places):
        return []
    names = [found.features[place] for place in places]
    one = names[0]
    return [
        f"taken for a feature, though the same in all rows of each series: {listed(names)}; if it names what series "
        f"belong to, such as a person, say --group {one}, and leave it out otherwise with --drop {one}"
    ]


def told_codes(found: SeriesSet) -> list[str]:
    """Return a sentence on labels that are written as the codes of missing values are; none without such."""
    codes = sorted({series.labels[0].strip() for series in found} & {*found.columns.spec.missing})
    if not codes:
        return []
    return [
        f"taken for a label, though it is a code of missing values in columns of numbers: {listed(codes)}; if the "
        "label is missing, leave these series out"
    ]


__all__ = ["check_no_empty", "told_codes", "told_constant"]
