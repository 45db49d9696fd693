"""Durations are seconds, in texts and typed columns alike."""

import numpy as np
import pandas as pd
import pytest

from chainhead_plugin import tables
from chainhead_plugin.tables import TableError
from chainhead_plugin.tables.time.durations import seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0 days 00:01:30", 90),
        ("1 day", 86400),
        ("2 days 01:00:00.5", 2 * 86400 + 3600.5),
        ("-1 days +23:59:30", -30),
        ("1:00:00", None),
        ("90", None),
        ("", None),
    ],
)
def test_seconds(text, seconds):
    assert seconds_of(text) == seconds
    assert seconds_of("1:00:00", without_days=True) == 3600


def test_durations_are_the_time_in_every_format(tmp_path):
    frame = pd.DataFrame({"since": pd.to_timedelta([0, 90, 180, 270], unit="s"), "x": [1.0, 2, 3, 4]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    turned = frame[::-1]
    for data in (tmp_path / "a.csv", tmp_path / "a.parquet", frame, turned, frame.set_index("since")):
        found = tables.load(data)
        assert "time by since, 90 apart; " in tables.summary(found)
        assert "since in seconds" in tables.summary(found)
        assert found[0].values.ravel().tolist() == [1, 2, 3, 4]
        assert found.future_times(found[0], 2) == [360, 450]


def test_durations_that_do_not_rise_are_features(load):
    rows = "id,took,x\n" + "a,0 days 00:00:30,1\na,0 days 00:00:10,2\na,,3\n"
    found = load(rows)
    np.testing.assert_array_equal(found[0].values, [[30, 1], [10, 2], [np.nan, 3]])
    assert "took in seconds" in tables.summary(found)


def test_times_of_day(load):
    found = load("clock,x\n" + "".join(f"{hour}:30:00,{hour}\n" for hour in range(8, 14)))
    assert "time by clock, 3600 apart" in tables.summary(found)
    with pytest.raises(
        TableError, match="row 3, column clock holds '23:59:59', and row 4 '00:00:00': times of day"
    ):
        load("clock,x\n23:59:58,1\n23:59:59,2\n00:00:00,3\n", time="clock")
