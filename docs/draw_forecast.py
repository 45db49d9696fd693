"""Train a forecaster and draw the forecasting guide's picture: `python docs/draw_forecast.py`."""

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import torch
from aeon.datasets import load_airline
from numpy.typing import NDArray
from transformers import pipeline

from chainhead_plugin import ChainHeadConfig, ChainHeadForTimeSeriesPrediction
from chainhead_plugin.explain.style import MODEL

PAST, FUTURE, FIRST_YEAR, YEARS = 24, 12, 1949, 4
QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95]
OUTPUT = Path(__file__).parent / "images" / "forecast.png"


def train(months: NDArray[np.float32], steps: int = 150) -> ChainHeadForTimeSeriesPrediction:
    """Fit quantiles to all windows of a series."""
    torch.manual_seed(0)
    model = ChainHeadForTimeSeriesPrediction(
        ChainHeadConfig(
            m=1,
            n=16,
            with_relu=False,
            pooling="flatten",
            chain_length=PAST,
            prediction_length=FUTURE,
            quantiles=QUANTILES,
        )
    )
    windows = torch.tensor(np.lib.stride_tricks.sliding_window_view(months, PAST + FUTURE))
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, steps)
    for _ in range(steps):
        chosen = windows[torch.randint(len(windows), (64,))]
        model(chosen[:, :PAST], future_values=chosen[:, PAST:]).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
    return model


def main() -> None:
    """Forecast each of the last years from the years before it, by a model that has seen no other."""
    mpl.use("agg")
    passengers = np.asarray(load_airline(), dtype=np.float32).ravel()
    figure, axis = plt.subplots(figsize=(8, 3.6), layout="constrained")
    time = FIRST_YEAR + np.arange(len(passengers)) / 12
    axis.plot(time, passengers, color="black", linewidth=1.2, label="passengers")
    errors, naive_errors, inside = [], [], []
    for start in range(len(passengers) - YEARS * 12, len(passengers), 12):
        known, year, when = passengers[:start], passengers[start : start + 12], time[start : start + 12]
        forecast = pipeline("time-series-forecasting", model=train(known), device="cpu")(known)
        bands = {level: np.asarray(values) for level, values in forecast["quantiles"].items()}
        first = not errors
        for low, high, alpha in ((0.05, 0.95, 0.2), (0.25, 0.75, 0.35)):
            label = f"{low:.0%} to {high:.0%}" if first else None
            axis.fill_between(
                when, bands[low], bands[high], color=MODEL, alpha=alpha, linewidth=0, label=label
            )
        axis.plot(when, bands[0.5], color=MODEL, linewidth=1.2, label="median" if first else None)
        axis.axvline(when[0] - 1 / 24, color="grey", linewidth=0.6, linestyle=":")
        errors.append(np.abs(bands[0.5] - year).mean())
        naive_errors.append(np.abs(known[-12:] - year).mean())
        inside.append(np.mean((bands[0.05] <= year) & (year <= bands[0.95])))
    axis.set_title(
        f"Mean absolute error {np.mean(errors):.1f} thousand, of last year's values again "
        f"{np.mean(naive_errors):.1f};\n{np.mean(inside):.0%} of the months lie in the band from 5% to 95%",
        fontsize=10,
    )
    axis.set_xlim(FIRST_YEAR + 4, FIRST_YEAR + 12)
    axis.set(xlabel="year", ylabel="thousand passengers a month")
    axis.legend(loc="upper left", frameon=False, fontsize=9)
    figure.savefig(OUTPUT, dpi=110)


if __name__ == "__main__":
    main()
