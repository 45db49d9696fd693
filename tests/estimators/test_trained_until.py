"""A forecaster that was tested on the last of its table, and then saved, knows until when it was trained."""

import numpy as np
import pandas as pd
import pytest
from command_line import invoke
from transformers import pipeline

from chainhead_plugin.estimators import ChainHeadForecaster
from chainhead_plugin.forecasts.following.state import ERRORS_FILE, read_state

COUNT, TRAINED = 160, 120


def table(zone=None):
    times = pd.date_range("2024-02-01", periods=COUNT, freq="D", tz=zone, name="day")
    rng = np.random.default_rng(0)
    promo = (rng.random(COUNT) < 0.2).astype(float)
    sales = 100 + 20 * (times.dayofweek >= 5) + 30 * promo + rng.normal(0, 3, COUNT)
    sales[TRAINED:] += rng.normal(0, 20, COUNT - TRAINED)
    return pd.DataFrame({"sales": sales, "promo": promo}, times)


@pytest.mark.parametrize("part", ["test_share", "test"])
@pytest.mark.parametrize("columns", [["sales"], ["sales", "promo"]])
def test_bands_of_a_tested_forecaster_follow(tmp_path, part, columns):
    whole = table()[columns]
    whole.to_csv(tmp_path / "whole.csv")
    whole[:TRAINED].to_csv(tmp_path / "early.csv")
    whole[TRAINED:].to_csv(tmp_path / "later.csv")
    options = ["--horizon", 5, "--target", "sales", *(["--known", "promo"] if "promo" in columns else [])]
    if part == "test":
        source, tested = "early.csv", ["--test", tmp_path / "later.csv"]
    else:
        source, tested = "whole.csv", ["--test-share", 0.25]
    invoke("train", tmp_path / source, *options, *tested, "--output", tmp_path / "model")

    X = whole[["promo"]] if "promo" in columns else None
    plain = ChainHeadForecaster().fit(whole.sales[:TRAINED], X if X is None else X[:TRAINED], horizon=5)
    plain.save_pretrained(tmp_path / "plain")
    marks = [read_state(tmp_path / name / ERRORS_FILE).mark for name in ("model", "plain")]
    assert marks[0] == marks[1]
    past = whole.copy()
    if X is not None:
        past.iloc[-5:, 0] = np.nan
    found, expected = (
        pipeline("time-series-forecasting", model=str(tmp_path / name))(past) for name in ("model", "plain")
    )
    assert found["new_origins"] == expected["new_origins"] == COUNT - TRAINED - (0 if X is None else 5)
    for level, values in expected["quantiles"].items():
        np.testing.assert_allclose(found["quantiles"][level], values, rtol=1e-5)


def test_the_time_of_the_last_step_is_that_before_the_clocks_changed(tmp_path):
    """The zone is an hour further ahead at the end of the table than at the end of the training."""
    sales = table("Europe/Berlin").sales
    sales.index = sales.index.tz_convert("UTC")
    file = tmp_path / "sales.csv"
    sales.tz_convert("Europe/Berlin").tz_localize(None).to_csv(file)
    invoke(
        *("train", file, "--horizon", 5, "--time-zone", "Europe/Berlin"),
        *("--test-share", 0.75, "--output", tmp_path / "model"),
    )
    mark = read_state(tmp_path / "model" / ERRORS_FILE).mark
    assert mark.time == np.datetime64("2024-03-11T00:00:00")
