"""Draw forecasts of the last steps of a test part beside the observed values."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...explain.style import MODEL, REFERENCE
from ..data.in_time.windows import Windows
from .figures import new_figure, open_axes, save_figure

_STEPS = 56


def draw_forecast(
    forecasts: NDArray[Any],
    windows: Windows,
    unit: str | None,
    file: Path,
    quantiles: NDArray[Any] | None = None,
    levels: tuple[float, ...] = (),
) -> None:
    """Draw consecutive forecasts of the first target of a single series.

    Parameters
    ----------
    forecasts : array [windows, future steps, targets]
    windows : Windows
        The windows of the test part.
    unit : str, optional
        The unit of the target.
    file : Path
        A PNG.
    quantiles : array [windows, future steps, targets, levels], optional
        The band between the first and the last level is drawn.
    levels : tuple of float
        The levels of the quantiles.
    """
    steps, number = windows.labels.shape[1], int(windows.of_series[-1])
    of_one = np.flatnonzero(windows.of_series == number)
    chosen = of_one[np.arange(len(of_one) - 1, -1, -steps)[: max(1, _STEPS // steps)][::-1]]
    series = windows.whole.series[number]
    places = windows.times[chosen][:, np.newaxis] + np.arange(steps)
    axis: NDArray[Any] = places - int(windows.times[of_one[0]]) + 1
    if series.times is not None:
        axis = series.times[places - series.start]

    figure = new_figure(7.2, 3.1)
    axes = figure.subplots()
    if quantiles is not None and len(levels) > 1:
        for part, (own, bands) in enumerate(zip(axis, quantiles[chosen, :, 0], strict=True)):
            label = f"from {levels[0]:.0%} to {levels[-1]:.0%}" if part == 0 else ""
            if steps > 1:
                axes.fill_between(
                    own, bands[:, 0], bands[:, -1], color=MODEL, alpha=0.2, linewidth=0, label=label
                )
            else:
                axes.vlines(
                    own, bands[:, 0], bands[:, -1], color=MODEL, alpha=0.35, linewidth=2.5, label=label
                )
    happened = windows.labels[chosen, :, 0]
    axes.plot(axis.ravel(), happened.ravel(), color=REFERENCE, linewidth=1.2, label="what happened")
    style = "o" if steps == 1 else "-"
    ahead = f"forecast, {steps} step{'s' if steps > 1 else ''} ahead"
    for part, (own, forecast) in enumerate(zip(axis, forecasts[chosen, :, 0], strict=True)):
        label = ahead if part == 0 else ""
        axes.plot(own, forecast, style, color=MODEL, markersize=3.5, linewidth=1.6, label=label)

    told = f", series {series.name}" if series.name else ""
    axes.set(ylabel=f"{windows.names[0]}{f', {unit}' if unit else ''}", title=f"end of the test part{told}")
    if series.times is None:
        axes.set_xlabel("step of the test part")
    elif np.issubdtype(axis.dtype, np.datetime64):
        _as_dates(axes)
    axes.legend(frameon=False, ncols=3, loc="upper left")
    axes.margins(y=0.2)
    open_axes(axes)
    save_figure(figure, file)


def _as_dates(axes: Any) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(maxticks=9)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
