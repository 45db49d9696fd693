"""Sequences out of tables: columns by name, an index of series as a batch, an index of times as time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..tables.columns.guessing import tells_apart
from ..tables.errors import TableError, listed
from ..tables.formats.frame import from_frame
from ..tables.loading import from_table
from ..tables.matching import load_matched
from ..tables.schema import Schema
from ..tables.series import Series, SeriesSet
from ..tables.spec import TableSpec
from ..tables.time.calendar import calendar_names
from ..tables.time.marks import TimeMark, last_mark
from .sequences import is_batch, split_batch


@dataclass(frozen=True)
class NamedSequence:
    """A sequence whose columns stand in the order in which a model takes them.

    Attributes
    ----------
    nodes : float64 array [L, m]
        Features, then what is known for the future too, then what is static, the same for every node. For a
        forecast, the steps of the future stand behind the past where a model takes more than the past.
    times : list, optional
        Of the steps to forecast, in the type that the table has; None without times, or where they are unevenly
        spaced.
    targets : tuple of str
        The names of the columns to forecast; empty where there are none.
    last : TimeMark, optional
        The time of the last row that the table holds; None without times, or where they are unevenly spaced.
    """

    nodes: NDArray[np.float64]
    times: list[Any] | None = None
    targets: tuple[str, ...] = ()
    last: TimeMark | None = None


def width_of(schema: Schema) -> int:
    """Return how many features a node has in a model with these names."""
    features = 1 if schema.rows == "series" else len(schema.features)
    return features + len(schema.known) + len(calendar_names(schema.calendar)) + len(schema.static)


def listed_beside_targets(schema: Mapping[str, Any]) -> str:
    """Return the names of the features that a forecasting model takes beside its targets; empty if there are none."""
    names = Schema.from_dict(schema)
    past = [name for name in names.features if name not in names.target]
    return listed(past) if past else ""


def checked_schema(stated: Any, feature_size: int) -> dict[str, Any]:
    """Return the names that a file or a caller states, as they are saved.

    Parameters
    ----------
    stated : mapping or Schema
    feature_size : int
        Features of a node.

    Raises
    ------
    ValueError
        If it is no schema, of a later version, or does not name as many features.
    """
    schema = stated if isinstance(stated, Schema) else Schema.from_dict(stated)
    if width_of(schema) != feature_size:
        raise ValueError(f"schema names {width_of(schema)} features, expected feature_size={feature_size}")
    return schema.to_dict()


def is_frame(data: Any) -> bool:
    """Tell whether data is a DataFrame or a Series of pandas."""
    return hasattr(data, "iloc") and hasattr(data, "index")


def split_named(
    data: Any,
    schema: Mapping[str, Any] | None,
    feature_size: int,
    batched: bool | None = None,
    horizon: int | None = None,
) -> tuple[list[Any], bool]:
    """Return the sequences in data, columns of tables put into the model's order.

    Parameters
    ----------
    data : array, tensor, DataFrame, Series or list
        One sequence or a batch, as `split_batch` takes them. Of a DataFrame or a Series of pandas a MultiIndex is a
        batch, whose outer levels tell series apart; a DatetimeIndex, a PeriodIndex, or the last level of a MultiIndex
        is time: rows are sorted by it.
    schema : mapping, optional
        The model's names, with which the columns of tables are matched; without it they are taken by position.
    feature_size : int
        Features of a node.
    batched : bool, optional
        Whether data is a batch. None tells by the number of axes, and of tables by what tells series apart.
    horizon : int, optional
        Steps that the model forecasts.

    Returns
    -------
    sequences : list
        Of NamedSequence where names, or an index, say something; else as they were given.
    batched : bool
        Whether data was a batch.

    Raises
    ------
    TypeError, ValueError
        As of `split_batch`; also if columns are missing or unknown, or rows are not in time.
    """
    if is_frame(data):
        found = _read_frame(data, schema, feature_size)
        if found is not None:
            spec = found.columns.spec
            is_batch_of_series = bool(spec.series) or spec.rows == "series" or len(found) > 1
            if batched is False and is_batch_of_series:
                raise ValueError("batched=False, but the table holds a batch of series: drop batched")
            return series_sequences(found, horizon), is_batch_of_series
    if batched is None:
        batched = is_batch(data, feature_size)
    sequences: list[Any] = []
    for number, part in enumerate(split_batch(data, feature_size, batched)):
        sequences.append(one_named(part, schema, feature_size, number, horizon))
    return sequences, batched


def one_named(
    data: Any,
    schema: Mapping[str, Any] | None,
    feature_size: int,
    number: int = 0,
    horizon: int | None = None,
) -> Any:
    """Return one sequence of a batch, as `split_named` does; of a table it has to be one series."""
    found = _read_frame(data, schema, feature_size) if is_frame(data) else None
    if found is None:
        return data
    if len(found) > 1:
        raise ValueError(
            f"sequence {number} is a table of {len(found)} series, expected one: pass such a table alone"
        )
    return series_sequences(found, horizon)[0]


def _read_frame(data: Any, schema: Mapping[str, Any] | None, feature_size: int) -> SeriesSet | None:
    """Return the series of a DataFrame or a Series; None where neither names nor the index say anything."""
    frame = data if hasattr(data, "columns") else _as_frame(data, schema)
    if schema is not None:
        return load_matched(frame, Schema.from_dict(schema))
    table = from_frame(frame) if _says_something(frame.index) else None
    if table is None:
        return None

    levels = list(table.index)
    features = tuple(name for name in table.columns if name not in levels)
    if len(features) != feature_size:
        raise TableError(
            f"{table.name} has {len(features)} columns, expected the {feature_size} features of a node"
        )

    has_time = tells_apart(table, levels[:-1], levels[-1])
    spec = TableSpec(
        features=features,
        series=tuple(levels[:-1] if has_time else levels),
        time=levels[-1] if has_time else None,
        rows="nodes",
    )
    return from_table(table, spec)


def _says_something(index: Any) -> bool:
    return index.nlevels > 1 or type(index).__name__ in ("DatetimeIndex", "PeriodIndex")


def _as_frame(data: Any, schema: Mapping[str, Any] | None) -> Any:
    if schema is not None and schema.get("rows") == "series":
        return data.to_frame().T  # a row is a whole series, whose nodes are the columns
    features = [] if schema is None else schema["features"]
    is_unnamed = data.name is None and len(features) == 1
    return data.to_frame(features[0]) if is_unnamed else data.to_frame()


def series_sequences(found: SeriesSet, horizon: int | None = None) -> list[NamedSequence]:
    """Return the sequences of series that were read.

    Parameters
    ----------
    found : SeriesSet
    horizon : int, optional
        Steps that the model forecasts. What the table has to tell for them, it tells in its last rows; what time
        tells is made.
    """
    targets = found.targets if found.has_names else ()
    return [
        replace(
            _sequence(found, series, horizon),
            targets=targets,
            last=last_mark(series.times, series.offset, found.clock, found.step),
        )
        for series in found
    ]


def _sequence(found: SeriesSet, series: Series, horizon: int | None) -> NamedSequence:
    nodes = series.values
    if series.known.size or len(series.static):
        known = series.known if series.known.size else np.empty((len(series), 0))
        nodes = np.hstack([nodes, known, np.tile(series.static, (len(series), 1))])
    if horizon is None:
        return NamedSequence(nodes)
    spec = found.columns.spec
    if spec.known:
        # The table goes on into the future.
        _check_unknown(found, series, horizon)
        if series.times is None or found.clock is None:
            return NamedSequence(nodes)
        return NamedSequence(nodes, found.clock.write(series.times[-horizon:], series.offset))
    if spec.calendar or len(series.static):
        calendar = np.empty((horizon, 0))
        if spec.calendar:
            calendar = found.future_calendar(series, horizon)
        unknown = np.full((horizon, series.values.shape[1]), np.nan)
        nodes = np.vstack([nodes, np.hstack([unknown, calendar, np.tile(series.static, (horizon, 1))])])
    has_times = series.times is not None and found.step is not None
    return NamedSequence(nodes, found.future_times(series, horizon) if has_times else None)


def _check_unknown(found: SeriesSet, series: Series, horizon: int) -> None:
    """Raise where a series does not end with rows to forecast, in which what is to be forecast is empty."""
    if not np.isnan(series.values[-horizon:]).all():
        raise TableError(
            f"{series.place}: its last {horizon} rows hold values of {listed(found.features)}, expected rows of the "
            f"future to forecast, with {listed(found.columns.spec.known)} alone: add them, and leave their other cells "
            "empty"
        )


def arrays_of(sequences: Sequence[Any]) -> list[Any]:
    """Return sequences with the nodes alone of those that have names."""
    return [one.nodes if isinstance(one, NamedSequence) else one for one in sequences]
