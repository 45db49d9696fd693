"""Times in the formats of tables, read and written back."""

import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from chainhead_plugin import tables
from chainhead_plugin.tables import TableError
from chainhead_plugin.tables.time.patterns import by_pattern, uniform_iso


def column(times, **options):
    """Return a table whose x counts the rows in the order of the file."""
    return "t,x\n" + "".join(f"{time},{row}\n" for row, time in enumerate(times))


def order(found):
    return [int(value) for value in found[0].values.ravel()]


@pytest.mark.parametrize(
    ("times", "future", "step"),
    [
        (["2024-02-27", "2024-02-28"], ["2024-02-29", "2024-03-01"], "1 day"),
        (["2024/2/27", "2024/2/28"], ["2024/2/29", "2024/3/1"], "1 day"),
        (["27.02.2024", "28.02.2024"], ["29.02.2024", "01.03.2024"], "1 day"),
        (["28/2/2024", "29/2/2024"], ["1/3/2024", "2/3/2024"], "1 day"),
        (["02/27/2024", "02/28/2024"], ["02/29/2024", "03/01/2024"], "1 day"),
        (["20240227", "20240228"], ["20240229", "20240301"], "1 day"),
        (["27 Feb 2024", "28 Feb 2024"], ["29 Feb 2024", "01 Mar 2024"], "1 day"),
        (["2024-01", "2024-02"], ["2024-03", "2024-04"], "1 month"),
        (["2024-01-31", "2024-02-29", "2024-03-31"], ["2024-04-30", "2024-05-31"], "1 month"),
        (["2023-01-30", "2023-02-28", "2023-03-30"], ["2023-04-30", "2023-05-30"], "1 month"),
        (["2020-03-01", "2021-03-01"], ["2022-03-01", "2023-03-01"], "1 year"),
        (["2024-02-28 23:00", "2024-02-29 00:00"], ["2024-02-29 01:00", "2024-02-29 02:00"], "1 hour"),
        (["2024-02-28T23:59:30", "2024-02-28T23:59:45"], ["2024-02-29T00:00:00", "2024-02-29T00:00:15"], "15 seconds"),
        (["2024-01-01T00:00:00.000", "2024-01-01T00:00:00.020"], ["2024-01-01T00:00:00.040"], "20 ms"),
        (["2024-01-01T00:00:00Z", "2024-01-01T12:00:00Z"], ["2024-01-02T00:00:00Z"], "12 hours"),
        (["2024-01-01T00:00+0530", "2024-01-01T00:30+0530"], ["2024-01-01T01:00+0530"], "30 minutes"),
        (["31.12.2024 11:00 PM", "31.12.2024 11:30 PM"], ["01.01.2025 12:00 AM"], "30 minutes"),
        ([f"2024-01-{day:02d}" for day in (4, 5, 8, 9, 10, 11, 12, 15)], ["2024-01-16"], "1 business day"),
        (["7", "9", "11"], [13, 15], "2"),
        (["0.1", "0.2", "0.3", "0.4"], [0.5], "0.1"),
    ],
)  # fmt: skip
def test_every_way_of_writing_times(load, times, future, step):
    found = load(column(times), time="t")
    assert str(found.step) == step
    assert (
        found.future_times(found[0], len(future)) == pytest.approx(future)
        if isinstance(future[0], float)
        else found.future_times(found[0], len(future)) == future
    )
    backwards = load(
        "t,x\n" + "\n".join(f"{time},{row}" for row, time in reversed(list(enumerate(times)))), time="t"
    )
    assert order(backwards) == list(range(len(times)))
    assert "rows sorted by time" in tables.summary(backwards)
    np.testing.assert_array_equal(backwards[0].times, found[0].times)


def test_ambiguous_dates_show_both_readings(load):
    content = column(["01/02/2024", "02/02/2024", "03/02/2024"])
    with pytest.raises(
        TableError,
        match=r"a.csv, row 2, column t: '01/02/2024' is 2024-02-01 with the day first, 2024-01-02 with the month first",
    ):
        load(content)
    assert str(load(content, day_first=True).step) == "1 day"
    assert str(load(content, day_first=False).step) == "1 month"
    assert str(load(content, time="t", time_format="%d/%m/%Y").step) == "1 day"
    with pytest.raises(
        TableError, match=r"row 3, column t: '13/02/2024' cannot be read with day_first: false"
    ):
        load(column(["12/02/2024", "13/02/2024"]), day_first=False)
    with pytest.raises(TableError, match=r"row 2.* with the day first, and .*row 3.* with the month first"):
        load(column(["13/02/2024", "02/13/2024"]))


def test_years_of_two_digits(load):
    long = [f"{day:02d}.02.24" for day in range(1, 20)]
    assert load(column(long)).future_times(load(column(long))[0], 1) == ["20.02.24"]
    found = load(column(["12/31/98", "1/1/99"]))
    assert found.future_times(found[0], 1) == ["1/2/99"]
    assert found[0].times[0] == np.datetime64("1998-12-31")
    found = load(column(["24-01-15", "24-01-16", "24-01-17"]))
    assert found.future_times(found[0], 1) == ["24-01-18"]
    # A later table is too short to tell.
    schema = tables.Schema.from_dict(tables.schema_of(found).to_dict())
    later = tables.load_matched(pd.DataFrame({"t": ["24-01-05"], "x": [1.0]}), schema)
    assert later[0].times[0] == np.datetime64("2024-01-05")
    two = column(["01/02/24", "02/02/24", "03/02/24"])
    with pytest.raises(
        TableError, match="'01/02/24' is 2024-02-01 with the day first, 2024-01-02 with the month"
    ):
        load(two)
    assert str(load(two, day_first=True).step) == "1 day"
    with pytest.raises(
        TableError, match="'24-02-01' is 2001-02-24 with the day first, 2024-02-01 with the year"
    ):
        load(column(["24-02-01", "24-03-01"]))
    with pytest.raises(TableError, match="row 3, column t: '13/13/99' is no date with the day first"):
        load(column(["31/12/98", "13/13/99", "02/01/99"]))
    with pytest.raises(TableError, match=r"'31/12/98' with a year of two digits, and .*row 3.* '01/01/1999'"):
        load(column(["31/12/98", "01/01/1999"]))


def test_offsets_are_instants_over_a_clock_change(load):
    hours = ["01:00+02:00", "02:00+02:00", "02:00+01:00", "03:00+01:00"]
    found = load(column([f"2024-10-27T{hour}" for hour in hours]))
    assert order(found) == [0, 1, 2, 3]
    assert str(found.step) == "1 hour"
    assert found.future_times(found[0], 1) == ["2024-10-27T04:00+01:00"]
    days = ["2024-10-26T00:00+02:00", "2024-10-27T00:00+02:00", "2024-10-28T00:00+01:00"]
    found = load(column(days))
    assert str(found.step) == "1 day"
    assert found.future_times(found[0], 1) == ["2024-10-29T00:00+01:00"]
    with pytest.raises(TableError, match="row 3, column t: '2024-10-27T00:00' has no offset from UTC"):
        load(column(["2024-10-26T00:00+02:00", "2024-10-27T00:00"]))


def test_zones_of_frames():
    hours = pd.date_range("2024-10-26 22:00", periods=5, freq="h", tz="Europe/Berlin")
    found = tables.load(pd.DataFrame({"x": np.arange(5.0)}, index=hours))
    assert str(found.step) == "1 hour"
    zone = ZoneInfo("Europe/Berlin")
    assert found.future_times(found[0], 1) == [datetime.datetime(2024, 10, 27, 2, tzinfo=zone, fold=1)]
    days = pd.date_range("2024-10-26", periods=3, freq="D", tz="Europe/Berlin")
    found = tables.load(pd.DataFrame({"x": np.arange(3.0)}, index=days))
    assert str(found.step) == "1 day"
    assert found.future_times(found[0], 1) == [datetime.datetime(2024, 10, 29, tzinfo=zone)]


def test_typed_dates_of_parquet(tmp_path):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"day": [datetime.date(2024, 2, 28), datetime.date(2024, 2, 29)], "x": [1, 2]})
    frame.to_parquet(tmp_path / "a.parquet")
    found = tables.load(tmp_path / "a.parquet")
    assert found.future_times(found[0], 1) == [datetime.date(2024, 3, 1)]
    assert tables.load(frame).future_times(found[0], 1) == [datetime.date(2024, 3, 1)]


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (["2024-02-30"], "row 2, column t: '2024-02-30' is no time: day"),
        (["2024-02-20T25:00"], "'2024-02-20T25:00' is no time: hour"),
        (["1200-02-20"], "outside of the years 1678 to 2261"),
        (["3000-02-20"], "outside of the years 1678 to 2261"),
        (
            ["2024-02-20", "soon"],
            "row 3, column t holds 'soon', which is no number and no date .* time_format",
        ),
        (
            ["Jan 2018", "Feb 2018", "Foo 2018"],
            "row 4, column t holds 'Foo 2018', which is no time .* the column has 2 others: correct it",
        ),
        (["1", "nan"], "row 3, column t is no time: nan"),
        (["2024-02-20", ""], "row 3, column t is empty, but time needs a value"),
    ],
)
def test_what_is_no_time(load, times, message):
    with pytest.raises(TableError, match=f"a.csv.*{message}"):
        load(column(times), time="t")


def test_a_stated_format(load):
    with pytest.raises(
        TableError, match=r"row 3, column t: '2024.03' is not written as time_format '%Y-%m' says"
    ):
        load(column(["2024-02", "2024.03"]), time="t", time_format="%Y-%m")
    found = load(
        column(["Tuesday 27 February 2024 5pm", "Wednesday 28 February 2024 5pm"]),
        time="t",
        time_format="%A %d %B %Y %I%p",
    )
    assert found.future_times(found[0], 1) == ["Thursday 29 February 2024 05PM"]


@pytest.mark.parametrize(
    "texts",
    [
        ["2024-02-28", "1999-12-31"],
        ["2024-02-28T10:20", "1999-12-31T23:59"],
        ["2024-02-28 10:20:30", "1700-12-31 23:59:59"],
        ["2024-02-28T10:20:30.123456789", "2260-12-31T23:59:59.000000001"],
    ],
)
def test_the_fast_reading_of_iso_times_is_the_plain_one(texts):
    moments, clock = uniform_iso(texts)
    plain, plain_clock = by_pattern(texts, None, str)
    assert moments.astype(np.int64).tolist() == [moment.nanoseconds for moment in plain]
    assert clock == plain_clock
    assert clock.write(moments) == texts


@pytest.mark.parametrize(
    "texts",
    [
        ["2024-02-30"],
        ["2024-2-3"],
        ["2024-02-28", "2024-02-28T10:00"],
        ["3000-01-01"],
        ["2024-01-01T00:00Z"],
        ["2024-01-01", "2024-01-0x"],
    ],
)
def test_what_the_fast_reading_leaves_to_the_plain_one(texts):
    assert uniform_iso(texts) is None


@pytest.mark.parametrize(
    ("times", "coming"),
    [
        (["2024102622", "2024102623", "2024102700"], "2024102701"),
        (["202402282330", "202402290000", "202402290030"], "202402290100"),
        (["20240228235930", "20240229000000"], "20240229000030"),
    ],
)
def test_dates_with_hours_in_digits_alone(load, times, coming):
    found = load(column(times), time="t")
    assert found.future_times(found[0], 1) == [coming]
