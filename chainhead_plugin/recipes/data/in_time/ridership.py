"""Daily ridership of Chicago's elevated trains, which ships with the package."""

from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from ....forecasts.whole_series import Layout, Series

_FILE = "recipes/zoo/chicago_ridership.npz"


def load_ridership() -> tuple[list[Series], Layout, int]:
    """Load the series, a row for each day.

    Its columns are entries at Clark/Lake, to be forecast, and at 19 other stations, in thousands; temperature (°F),
    wind, rain and snow; and values that are known beforehand: for each of five teams whether it plays at home or away,
    the weekday and the season of the year. The last fifth of the days is the test part.

    Returns
    -------
    series : list of Series
        A single series.
    layout : Layout
        The meanings of its columns.
    test_start : int
        The row of the first day of the test part.
    """
    with (
        (files("chainhead_plugin") / _FILE).open("rb") as opened,
        np.load(opened, allow_pickle=False) as data,
    ):
        columns = {name: data[name] for name in data.files}
    days = columns["first_day"] + np.arange(len(columns["entries"]))
    entries = columns["entries"] / 2000  # stored as whole numbers of half entries
    known = np.concatenate([columns["games"], _calendar(days)], axis=1)
    values = np.concatenate([entries, columns["weather"], known], axis=1)
    stations, weather = columns["stations"].tolist(), columns["weather_names"].tolist()
    layout = Layout(
        targets=(stations[0],),
        past=(*stations[1:], *weather),
        known=(*columns["teams"].tolist(), *_CALENDAR),
        season=7,
    )
    return [Series(values, times=days.astype("datetime64[D]"))], layout, len(values) - len(values) // 5


_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_CALENDAR = (*_WEEKDAYS, "year's sine", "year's cosine")


def _calendar(days: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return weekday and season [days, 9] of days since 1970, which began on a Thursday."""
    weekday = np.eye(len(_WEEKDAYS))[(days + 3) % 7]
    angle = days * (2 * np.pi / 365.2425)
    return np.concatenate([weekday, np.sin(angle)[:, np.newaxis], np.cos(angle)[:, np.newaxis]], axis=1)
