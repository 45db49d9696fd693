"""The series that forecasters are compared on: those that statsmodels, pmdarima and this package ship."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEVELS = tuple(round(0.1 * level, 1) for level in range(1, 10))
_TEST_SHARE = 5


@dataclass(frozen=True)
class SeriesToForecast:
    """A series in its two parts.

    Attributes
    ----------
    values : float64 array [length]
    horizon : int
    seasons : tuple of int
        That peers are told; the default forecaster finds its own.
    stride : int
        Steps between the origins of the test part.
    """

    values: Array
    horizon: int
    seasons: tuple[int, ...]
    stride: int

    @property
    def test_start(self) -> int:
        """The first step of the test part, the last fifth."""
        return len(self.values) - len(self.values) // _TEST_SHARE

    @property
    def origins(self) -> range:
        """Steps from which the test part is forecast."""
        return range(self.test_start, len(self.values) - self.horizon + 1, self.stride)

    @property
    def futures(self) -> Array:
        """The values to forecast [origins, horizon]."""
        return np.stack([self.values[origin : origin + self.horizon] for origin in self.origins])


def load_series(name: str) -> SeriesToForecast:
    """Return a series by name; needs statsmodels or pmdarima."""
    if name == "elnino":
        from statsmodels.datasets import elnino

        table = elnino.load_pandas().data
        return SeriesToForecast(table.drop(columns="YEAR").to_numpy(float).ravel(), 12, (12,), 1)
    if name == "sunspots":
        from statsmodels.datasets import sunspots

        return SeriesToForecast(sunspots.load_pandas().data["SUNACTIVITY"].to_numpy(float), 8, (), 1)
    if name == "taylor":
        from pmdarima.datasets import load_taylor

        return SeriesToForecast(np.asarray(load_taylor(), float), 48, (48, 336), 12)
    if name == "wineind":
        from pmdarima.datasets import load_wineind

        return SeriesToForecast(np.asarray(load_wineind(), float), 12, (12,), 1)
    from chainhead_plugin.recipes.data.in_time.ridership import load_ridership

    series, _, _ = load_ridership()
    return SeriesToForecast(series[0].values[:, 0].astype(float), 7, (7,), 3)


SERIES = ("elnino", "sunspots", "taylor", "wineind", "ridership")
