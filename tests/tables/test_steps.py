"""The step between times: stated, found, by the calendar; gaps, duplicates and unsorted rows."""

import warnings

import numpy as np
import pandas as pd
import pytest

from chainhead_plugin import tables
from chainhead_plugin.tables import TableError
from chainhead_plugin.tables.time.calendar import CALENDAR, calendar_features, calendar_names
from chainhead_plugin.tables.time.steps import parse_step


def column(times, series=None):
    names = "id,t,x" if series else "t,x"
    rows = [f"{time},{row}" for row, time in enumerate(times)]
    if series:
        rows = [f"{key},{row}" for key, row in zip(series, rows, strict=True)]
    return names + "\n" + "\n".join(rows) + "\n"


DAYS = ["2024-01-01", "2024-01-02", "2024-01-04", "2024-01-05", "2024-01-06"]


def test_gaps_are_an_error_or_missing_nodes(load):
    with pytest.raises(
        TableError,
        match=r"a.csv, row 4, series b: between 2024-01-02 and 2024-01-04 1 row lacks, as times are 1 day apart",
    ):
        load(column(DAYS, series="bbbbb"))
    found = load(column(DAYS, series="bbbbb"), gaps="missing")
    np.testing.assert_array_equal(found[0].values.ravel(), [0, 1, np.nan, 2, 3, 4])
    assert np.datetime_as_string(found[0].times, "D").tolist() == [
        f"2024-01-{day:02d}" for day in range(1, 7)
    ]
    assert "1 missing node put into gaps of time" in tables.summary(found)
    kept = load(column(DAYS, series="bbbbb"), gaps="keep")
    assert len(kept[0]) == 5
    shuffled = load(
        column(DAYS)[:4] + "".join(f"{day},{row}\n" for row, day in list(enumerate(DAYS))[::-1]),
        gaps="missing",
    )
    np.testing.assert_array_equal(shuffled[0].values, found[0].values)


def test_gaps_in_months_and_labels_of_nodes(load):
    content = "t,k,x\n2024-01-31,u,0\n2024-02-29,u,1\n2024-03-31,v,2\n2024-05-31,v,3\n2024-06-30,v,4\n"
    found = load(content, label="k", label_of="node", gaps="missing", time="t")
    assert str(found.step) == "1 month"
    assert np.datetime_as_string(found[0].times, "D").tolist()[3] == "2024-04-30"
    np.testing.assert_array_equal(found[0].values.ravel(), [0, 1, 2, np.nan, 3, 4])
    assert found[0].labels[0].tolist() == ["u", "u", "v", "", "v", "v"]


def test_gaps_over_a_clock_change(load):
    days = [f"2024-10-{day}T00:00+0{2 if day < 28 else 1}:00" for day in (24, 25, 26, 28, 29)]
    found = load(column(days), gaps="missing")
    np.testing.assert_array_equal(found[0].values.ravel(), [0, 1, 2, np.nan, 3, 4])
    assert str(found[0].times[3]).startswith("2024-10-26T22:00")


def test_known_columns_cannot_be_filled(load):
    content = "t,p,x\n" + "".join(f"{day},1,{row}\n" for row, day in enumerate(DAYS))
    with pytest.raises(TableError, match=r"row 4: between 2024-01-02 and 2024-01-04 no row holds p"):
        load(content, known="p", gaps="missing")


def test_a_tiny_step_does_not_fill_memory(load):
    times = ["2024-01-01T00:00:00", "2024-01-01T00:00:01", "2024-01-01T00:00:02", "2034-01-01T00:00:00"]
    with pytest.raises(TableError, match=r"nodes would have to be put between 4"):
        load(column(times), gaps="missing")


def test_duplicates_are_refused_by_name(load):
    content = column(["2024-01-01", "2024-01-02", "2024-01-01", "2024-01-02", "2024-01-02"], series="aabbb")
    with pytest.raises(
        TableError, match=r"a.csv, row 5, series b and row 6 have the same time, 2024-01-02: delete or"
    ):
        load(content)


def test_uneven_times(load):
    times = ["2024-01-01 00:00", "2024-01-01 00:07", "2024-01-01 03:00", "2024-01-02 11:11"]
    found = load(column(times))
    assert found.step is None
    assert "time by t, unevenly spaced" in tables.summary(found)
    with pytest.raises(TableError, match="unevenly spaced: state the step"):
        found.future_times(found[0], 1)
    with pytest.raises(TableError, match="unevenly spaced, so that gaps cannot be filled"):
        load(column(times), gaps="missing")
    with pytest.raises(
        TableError,
        match=r"row 3: time 2024-01-01 00:07 is no whole number of steps of 1 hour after 2024-01-01 00:00",
    ):
        load(column(times), time="t", step="1h")


def test_a_stated_step(load):
    times = ["2024-01-01 00:00", "2024-01-01 02:00", "2024-01-01 04:00"]
    assert str(load(column(times)).step) == "2 hours"
    found = load(column(times), time="t", step="1h", gaps="missing")
    np.testing.assert_array_equal(found[0].values.ravel(), [0, np.nan, 1, np.nan, 2])
    one = load(column(times[:1]), time="t", step="15min")
    assert one.future_times(one[0], 2) == ["2024-01-01 00:15", "2024-01-01 00:30"]


@pytest.mark.parametrize(
    ("stated", "shown"),
    [
        ("1h", "1 hour"), ("15 min", "15 minutes"), ("2 weeks", "14 days"), ("d", "1 day"), ("90s", "90 seconds"),
        ("1 month", "1 month"), ("quarter", "3 months"), ("1y", "1 year"), ("business day", "1 business day"),
        ("500 ms", "500 ms"), ("36h", "36 hours"),
    ],
)  # fmt: skip
def test_steps_in_words(stated, shown):
    step = parse_step(stated, False)
    assert str(step) == shown
    assert parse_step(str(step), False) == step


@pytest.mark.parametrize(
    ("stated", "is_number"), [("soon", False), ("0h", False), (1, False), ("1h", True), (0, True)]
)
def test_what_is_no_step(stated, is_number):
    with pytest.raises(TableError, match="step must be"):
        parse_step(stated, is_number)


def test_series_share_their_time(load):
    times = [f"2024-01-{day:02d}" for day in (3, 4, 5, 1, 2, 3, 4, 5)]
    found = load(column(times, series="aaabbbbb"))
    assert [(series.id, series.start) for series in found] == [("a", 2), ("b", 0)]
    # Without times they end together.
    found = load(column(times, series="aaabbbbb"), drop="t")
    assert [series.start for series in found] == [2, 0]


def test_windows_are_views(load):
    found = load("x,y\n" + "".join(f"{row},{-row}\n" for row in range(10)))
    windows = found[0].windows(4, stride=3)
    assert windows.shape == (3, 4, 2)
    assert windows[1, :, 0].tolist() == [3, 4, 5, 6]
    assert np.shares_memory(windows, found[0].values)
    assert found[0].windows(11).shape == (0, 11, 2)
    with pytest.raises(TableError, match="at least 1"):
        found[0].windows(0)


def test_calendar(load):
    hours = pd.date_range("2023-12-29 22:37", periods=400, freq="7h")
    found = calendar_features(hours.to_numpy(), CALENDAR)
    columns = dict(zip(calendar_names(CALENDAR), found.T, strict=True))
    assert found.shape == (400, 2 * 8 + 1)
    assert (np.abs(found) <= 1).all()
    expected = {
        "minute": (hours.minute, 60), "hour": (hours.hour, 24), "weekday": (hours.dayofweek, 7),
        "day": (hours.day - 1, 31), "week": (hours.isocalendar().week.to_numpy().astype(int) - 1, 53),
        "month": (hours.month - 1, 12), "quarter": (hours.quarter - 1, 4), "dayofyear": (hours.dayofyear - 1, 366),
    }  # fmt: skip
    for name, (place, length) in expected.items():
        np.testing.assert_allclose(
            columns[f"{name}_sin"], np.sin(2 * np.pi * np.asarray(place) / length), atol=1e-12
        )
        np.testing.assert_allclose(
            columns[f"{name}_cos"], np.cos(2 * np.pi * np.asarray(place) / length), atol=1e-12
        )
    assert columns["weekend"].tolist() == (hours.dayofweek >= 5).astype(float).tolist()
    found = load(column(["2024-01-05", "2024-01-06"]), time="t", calendar=["weekend"])
    assert (found.known, found[0].known.tolist()) == (("weekend",), [[0], [1]])
    assert found.future_calendar(found[0], 2).tolist() == [[1], [0]]
    with pytest.raises(TableError, match=r"calendar has no weekdays .did you mean weekday."):
        calendar_names(["weekdays"])
    with pytest.raises(TableError, match="cannot be told from times that are plain numbers"):
        load(column(["1", "2"]), time="t", calendar=["hour"])


def test_the_calendar_is_local(load):
    found = load(column(["2024-01-01T00:00+05:00", "2024-01-01T06:00+05:00"]), time="t", calendar=["hour"])
    np.testing.assert_allclose(found[0].known, [[0, 1], [1, 0]], atol=1e-12)
    np.testing.assert_allclose(found.future_calendar(found[0], 1), [[0, -1]], atol=1e-12)


@pytest.mark.parametrize("count", [4, 20])
@pytest.mark.parametrize("freq", ["D", "7D", "h", "12h", "MS", "B"])
@pytest.mark.parametrize(
    ("zone", "starts"),
    [
        ("Europe/Berlin", ("2024-03-01 00:00", "2024-10-01 06:00")),
        ("Europe/London", ("2024-03-01 00:00", "2024-10-01 23:00")),
        ("America/New_York", ("2024-02-10 12:00",)),
        ("UTC", ("2024-03-01 00:00",)),
    ],
)
def test_days_go_on_at_their_hour_and_hours_as_they_pass(zone, starts, freq, count):
    """Both as pandas does it, also where no clock changes among the times that are given."""
    count = 20 if freq == "B" else count  # business days are told by two weekends
    for start in starts:
        dates = pd.date_range(start, periods=count + 40, freq=freq, tz=zone)
        found = tables.load(pd.DataFrame({"x": np.arange(float(count))}, dates[:count]))
        assert found.future_times(found[0], 40) == [time.to_pydatetime() for time in dates[count:]]


def test_instants_that_keep_no_hour_go_on_as_instants():
    noon = pd.date_range("2024-03-25 12:00", periods=20, freq="D", tz="UTC").tz_convert("Europe/Berlin")
    found = tables.load(pd.DataFrame({"x": np.arange(10.0)}, noon[:10]))
    assert found.future_times(found[0], 10) == [time.to_pydatetime() for time in noon[10:]]


def test_hours_that_clocks_skip_are_no_steps_between_series():
    hours = pd.date_range("2024-03-30", periods=60, freq="h", tz="Europe/Berlin")
    frame = pd.DataFrame({"id": ["a"] * 60 + ["b"] * 10, "t": [*hours, *hours[50:]], "x": np.arange(70.0)})
    found = tables.load(frame, tables.TableSpec(series=("id",), time="t"))
    assert [series.start for series in found] == [0, 50]


@pytest.mark.parametrize(
    ("freq", "values", "is_told"),
    [("D", 6, True), ("2h", 6, True), ("h", 6, False), ("D", 2, False)],
)
def test_rows_of_another_step_than_in_training_are_told(freq, values, is_told):
    hours = pd.date_range("2024-01-01", periods=9, freq="h")
    first = tables.load(pd.DataFrame({"x": np.arange(9.0)}, hours), tables.TableSpec(gaps="missing"))
    later = pd.DataFrame(
        {"x": np.arange(values * 1.0)}, pd.date_range("2024-02-01", periods=values, freq=freq)
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tables.load_matched(later, tables.schema_of(first))
    told = [str(one.message) for one in caught if "no two of its values are 1 hour apart" in str(one.message)]
    assert bool(told) == is_told
