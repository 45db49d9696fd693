"""Two hundred series that R packages ship, as `export_series.R` writes them, in development and aside."""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .forecast_sets import SeriesToForecast

Array = NDArray[np.float64]

# By the steps of a cycle: steps to forecast, and the season that peers are told. Days of trade have a week of five.
_HORIZONS = {1: 6, 4: 8, 12: 12, 13: 13, 52: 13, 248: 14, 260: 14, 365: 14}
_SEASONS: dict[int, tuple[int, ...]] = {4: (4,), 12: (12,), 13: (13,), 52: (52,), 248: (5,), 260: (5,)}
KINDS = ("yearly and others without a season", "the same, under 60 steps", "quarterly", "monthly", "others")
_SHORT, _SHORT_HORIZON, _LONGEST, _MOST_ORIGINS = 60, 4, 1200, 12

# Parts of names. Development series of the other comparison; copies, lags and differences of series that stay; and
# what is no measurement.
_LEFT_OUT = (
    "taylor",
    "wineind",
    "sunspot",
    "__dy",
    "tcm10y",
    "tcm1y",
    "tcm3y",
    "tcm5y",
    "tcmd__",
    "tseries__rl__",
    "tseries__rs__",
    "nino3.4__",
    "nino3__",
    "tseries__temp",
    "tseries__prec",
    "flow.jok__flow",
    "flow.vat__flow",
    "tseries__M1__",
    "tseries__GNP__",
    "wool__wool",
    "durab__lag",
    "MASS__",
    "UKDriverDeaths",
    "PhillipsCurve__d",
    "PhillipsCurve__u1",
    "BenderlyZwick__growth2",
    "BenderlyZwick__inflation2",
    "DutchSales",
    "beaver",
    "Seatbelts__law",
)
# Kept aside, as many know them, or as packages of Python ship them or series like them.
_WELL_KNOWN = (
    "AirPassengers",
    "austres",
    "lynx",
    "Nile",
    "datasets__co2",
    "woolyrnq",
    "USMacroSWQ",
    "tseries__nino__",
)


def load_r_series(folder: Path) -> dict[str, tuple[SeriesToForecast, str, bool]]:
    """Return series by name, each with its kind, one of `KINDS`, and whether it is kept aside.

    Missing values at both ends are cut off, and series with others are left out, as are series that are too short to
    hold five horizons. Of long series the last 1,200 steps are taken. Columns of one data set are on the same side:
    two of five data sets, by the hash of their names, and what is well known, are kept aside.

    Parameters
    ----------
    folder : Path
        As `export_series.R` writes it.
    """
    found: dict[str, tuple[SeriesToForecast, str, bool]] = {}
    beginnings = set()
    for file in sorted(folder.glob("*.txt")):
        name = file.stem
        package, data_set, column = name.split("__", 2)
        is_copy = package == "tseries" and data_set == column
        if is_copy and (folder / f"tseries__NelPlo__{column}.txt").is_file():
            continue
        cycle, values = _read(file)
        if any(part in name for part in _LEFT_OUT) or cycle not in _HORIZONS or np.isnan(values).any():
            continue
        values = values[-_LONGEST:]
        is_short = cycle == 1 and len(values) < _SHORT
        horizon = _SHORT_HORIZON if is_short else _HORIZONS[cycle]
        test = len(values) // 5
        if values.std() == 0 or test < horizon or len(values) - test < 4 * horizon:
            continue
        beginning = round(float(values[:20].sum()), 6)
        if beginning in beginnings:
            continue
        beginnings.add(beginning)

        seasons = _SEASONS.get(cycle, ())
        series = SeriesToForecast(values, horizon, seasons, max(1, (test - horizon + 1) // _MOST_ORIGINS))
        digest = hashlib.sha256(f"{package}__{data_set}".encode()).hexdigest()
        is_aside = int(digest, 16) % 5 < 2 or any(part in name for part in _WELL_KNOWN)
        found[name] = series, _kind(seasons, len(values)), is_aside
    return found


def _read(file: Path) -> tuple[int, Array]:
    """Return the steps of a cycle, and the values without those that are missing at both ends."""
    first, *lines = file.read_text("utf-8").splitlines()
    values = np.array([np.nan if line == "NA" else float(line) for line in lines])
    observed = np.flatnonzero(~np.isnan(values))
    return int(float(first)), values[observed[0] : observed[-1] + 1]


def _kind(seasons: tuple[int, ...], length: int) -> str:
    if seasons:
        return {(4,): "quarterly", (12,): "monthly"}.get(seasons, "others")
    return KINDS[1] if length < _SHORT else KINDS[0]


__all__ = ["KINDS", "load_r_series"]
