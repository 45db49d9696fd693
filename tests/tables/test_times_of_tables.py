"""Times in several columns, local times of a zone, and numbers that count from a known day."""

import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from chainhead_plugin import tables
from chainhead_plugin.tables import TableError

_HOURS, _HOUR = range(30), "1 hour"
# Half hours around the end of summer time, in order.
_UTC = [datetime.datetime(2025, 10, 25, 22) + datetime.timedelta(minutes=30 * i) for i in range(12)]
_BERLIN = [
    moment.replace(tzinfo=datetime.UTC).astimezone(ZoneInfo("Europe/Berlin")).strftime("%Y-%m-%d %H:%M")
    for moment in _UTC
]


def written(head, rows):
    return "\n".join([head, *rows]) + "\n"


def _with_points(i):
    return f"{1 + i // 24}.3.2004;{i % 24:02d}.00.00;{i},5"


def _ending(i):
    return f"2024-01-0{1 + i // 24},{1 + i % 24}:00,{i}"


def _in_numbers(i):
    return f"{i + 1},2010,1,{1 + i // 24},{i % 24},{i}"


def _in_words(i):
    return f"{2010 + i // 12},{datetime.date(2010, 1 + i % 12, 1):%B},{i}"


def _in_halves(i):
    return f"1/{13 + i // 24}/2024,{(i % 12) or 12}:15 {'AP'[i % 24 // 12]}M,{i}"


def test_a_date_and_an_hour_are_the_time_where_an_hour_is_there_twice(load):
    start = datetime.datetime(2025, 10, 22, tzinfo=datetime.UTC)
    moments = [
        (start + datetime.timedelta(hours=i)).astimezone(ZoneInfo("Europe/Berlin")) for i in range(24 * 7)
    ]
    rows = written("date,hour,x", [f"{moment:%Y-%m-%d,%H:%M},{i}" for i, moment in enumerate(moments)])
    (series,) = load(rows, time_zone="Europe/Berlin")
    assert series.values.ravel().tolist() == list(range(24 * 7))
    assert (np.diff(series.times) == np.timedelta64(1, "h")).all()
    with pytest.raises(TableError, match=r"have the same time, 2025-10-26 02:00.*state time_zone"):
        load(rows)


@pytest.mark.parametrize(
    ("head", "row", "first", "coming", "step"),
    [
        ("date,hour,x", lambda i: f"2024-01-0{1 + i // 24},{i % 24},{i}", "2024-01-01T00", "2024-01-02 06:00", _HOUR),
        ("day;Time;x", _with_points, "2004-03-01", "2.3.2004 06:00", _HOUR),
        ("date,ending,x", _ending, "2024-01-01T01", "2024-01-02 07:00", _HOUR),
        ("date,time,x", _in_halves, "2024-01-13T00:15", "1/14/2024 06:15", _HOUR),
        ("No,year,month,day,hour,x", _in_numbers, "2010-01", "2010-01-02 06:00", _HOUR),
        ("year,month,x", lambda i: f"{2010 + i // 12},{1 + i % 12},{i}", "2010-01", "2012-07", "1 month"),
        ("year,month,x", _in_words, "2010-01", "2012-07", "1 month"),
        ("year,week,x", lambda i: f"{2010},{1 + i},{i}", "2010-01-04", "2010-W31", "7 days"),
        ("year,quarter,x", lambda i: f"{2010 + i // 4},{1 + i % 4},{i}", "2010-01", "2017-Q3", "3 months"),
    ],
)  # fmt: skip
def test_columns_that_tell_the_time_together(load, head, row, first, coming, step):
    found = load(written(head, map(row, _HOURS)), day_first=True if ";" in head else None)
    assert found.features == ("x",)
    assert found[0].times[0] == np.datetime64(first)
    assert found.future_times(found[0], 1) == [coming]
    assert str(found.step) == step
    schema = tables.Schema.from_dict(tables.schema_of(found).to_dict())
    assert len(schema.time_parts) == head.replace(";", ",").count(",") - 1 - ("No" in head)
    again = tables.load_matched(
        tables.source_of(written(head, map(row, _HOURS)).encode(), "again.csv"), schema
    )
    assert again[0].times.tolist() == found[0].times.tolist()


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("date,at,x\n2024-01-01,25,1\n", {"time": ["date", "at"]}, "column at holds 25, expected a time of day"),
        ("date,at,x\n2024-01-01,noon,1\n", {"time": ["date", "at"]}, "column at holds 'noon', expected a time of day"),
        ("date,at,x\n2024-01-01 10:00,1,1\n", {"time": ["date", "at"]}, "holds more than days"),
        ("y,m,d,x\n2024,2,30,1\n", {"time": ["y", "m", "d"]}, "row 2, column y: 2024-2-30 is no date"),
        ("date,x\n2024-01-01,1\n2024-01-01,2\n", {}, "--time date,hour.*--time-zone Europe/Berlin"),
        ("d,at,x\n2024-01-01,1:30,1\n2024-01-01,2:30,1\n", {"time": "d"}, r"time: \[date, at\]"),
    ],
)  # fmt: skip
def test_columns_that_make_no_time(load, content, options, message):
    with pytest.raises(TableError, match=message):
        load(content, **options)


@pytest.mark.parametrize("newest_first", [False, True])
def test_local_times_of_a_zone_are_instants(load, newest_first):
    rows = [f"{time},{i}" for i, time in enumerate(_BERLIN)]
    found = load(
        written("t,x", reversed(rows) if newest_first else rows), time_zone="Europe/Berlin", calendar="hour"
    )
    assert found[0].times.tolist() == np.array(_UTC, "datetime64[ns]").tolist()
    assert found[0].values.ravel().tolist() == list(range(12))
    assert found.future_times(found[0], 1) == ["2025-10-26 05:00"]
    angle = 2 * np.pi * np.array([int(time[11:13]) for time in _BERLIN]) / 24
    np.testing.assert_allclose(found[0].known, np.stack([np.sin(angle), np.cos(angle)], axis=1))


@pytest.mark.parametrize(
    ("rows", "zone", "message"),
    [
        ([f"{time},1" for time in _BERLIN[:6]], "Europe/Berlin", "row 6: .* is there twice .* the file has it once"),
        ([f"{_BERLIN[i]},1" for i in (3, 0, 6, 2, 4, 1, 5, 7)], "Europe/Berlin", "rows are not in the order of time"),
        (["2025-03-30 01:00,1", "2025-03-30 02:00,1"], "Europe/Berlin", "row 3: 2025-03-30 02:00 does not exist"),
        (["2025-03-30 01:00,1"], "Europe/Berln", "'Europe/Berln' .*Europe/Berlin"),
        (["1,1", "2,1"], "Europe/Berlin", "plain numbers, so that time_zone has no effect"),
    ],
)  # fmt: skip
def test_local_times_that_cannot_be_told(load, rows, zone, message):
    with pytest.raises(TableError, match=message):
        load(written("t,x", rows), time="t", time_zone=zone)


@pytest.mark.parametrize(
    ("times", "name", "told", "first", "coming"),
    [
        ([1700000000 + 3600 * i for i in range(4)], "t", "epoch_seconds", "2023-11-14T22:13:20", 1700014400),
        ([1700000000000 + 20 * i for i in range(4)], "t", "epoch_milliseconds", "2023-11-14T22:13:20", 1700000000080),
        ([1700000000 + 0.25 * i for i in range(4)], "t", "epoch_seconds", "2023-11-14T22:13:20", 1700000001),
        ([45292 + i for i in range(4)], "Date", "excel", "2024-01-01", 45296),
        ([f"{45292 + i / 24:.5f}" for i in range(4)], "Date", "excel", "2024-01-01", 45292 + 4 / 24),
    ],
)  # fmt: skip
def test_numbers_that_count_from_a_known_day(load, times, name, told, first, coming):
    found = load(written(f"{name},x", [f"{time},1" for time in times]), time=name, calendar="weekday")
    assert f"(time_format: {told})" in tables.summary(found)
    assert found[0].times[0] == np.datetime64(first)
    assert found.future_times(found[0], 1) == pytest.approx([coming])
    assert tables.schema_of(found).time_format == told
    plain = load(written(f"{name},x", [f"{time},1" for time in times]), time=name, time_format="number")
    assert plain[0].times[0] == float(times[0])
