"""Forecasts are drawn with bands and dates, alone or above what nodes add to a step."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from command_line import invoke
from matplotlib.figure import Figure

from chainhead_plugin.explain.axes import parts_of_figure
from chainhead_plugin.explain.forecast_pictures import draw_forecast, draw_forecast_on

DESCRIBED = SimpleNamespace(
    prediction_length=3, num_time_features=0, num_input_channels=2, prediction_channel_indices=None
)
RESULT = {
    "forecast": [1.0, 2.0, 3.0],
    "quantiles": {0.1: [0, 1, 2], 0.5: [1, 2, 3], 0.9: [2, 3, 4]},
    "times": ["2024-01-31", "2024-02-29", "2024-03-31"],
}


def texts(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_bands_and_dates():
    figure = draw_forecast(DESCRIBED, np.arange(80.0).reshape(40, 2), RESULT)
    [axes] = figure.axes
    assert texts(figure) == ["past", "10% to 90%", "forecast"]
    past, ahead = (line.get_xdata() for line in axes.lines)
    assert ahead[0] == np.datetime64("2024-01-31")
    assert past[-1] == np.datetime64("2023-12-31")


def test_several_targets_and_the_explained_step():
    pairs = {"forecast": [[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]], "quantiles": {}}
    figure = Figure()
    draw_forecast_on(figure, DESCRIBED, np.arange(80.0).reshape(40, 2), pairs, step=1)
    assert [axes.get_ylabel() for axes in figure.axes] == ["target 1", "target 2"]
    assert texts(figure) == ["past", "forecast", "explained step"]
    for axes, scale in zip(figure.axes, (1, 10), strict=True):
        _, forecast, step = axes.lines
        assert forecast.get_ydata().tolist() == [scale, 2 * scale, 3 * scale]
        assert {*step.get_xdata()} == {forecast.get_xdata()[1]}


@pytest.mark.parametrize(
    ("count", "columns", "rows"), [(1, 1, 1), (3, 1, 3), (4, 2, 2), (8, 2, 4), (9, 3, 3), (16, 3, 6)]
)
def test_many_predictions_stand_in_columns(count, columns, rows):
    figure, parts = parts_of_figure(count, 9, 3)
    assert len(parts) == count
    assert figure.get_size_inches().tolist() == [9 if columns == 1 else 6 * columns, 3 * rows]


def test_the_command_draws_the_forecast_above_what_nodes_add(tmp_path, monkeypatch):
    from chainhead_plugin.plugin import CHECKPOINTS

    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, file, **_: drawn.append(figure))
    samples = json.loads((CHECKPOINTS / "ridership_samples.json").read_text("utf-8"))["samples"][:2]
    file = tmp_path / "past.jsonl"
    file.write_text("".join(json.dumps(sample["rows"]) + "\n" for sample in samples))
    invoke("plot", "chainhead-ridership", "--input", file, "--output", tmp_path / "a.png")
    [figure] = drawn
    forecasts = [part.subfigs[0] for part in figure.subfigs]
    assert [texts(forecast)[-1] for forecast in forecasts] == ["explained step"] * 2
    for forecast, sample in zip(forecasts, samples, strict=True):
        drawn_line = forecast.axes[0].lines[1].get_ydata()
        assert drawn_line == pytest.approx(np.ravel(sample["forecast"]), rel=1e-4)
