"""The benchmark on many short series: which series it takes, on which side they are, and its report."""

import numpy as np
import pytest

from benchmarks.accuracy.many_series import render
from benchmarks.accuracy.r_series import load_r_series


def export(folder, name, cycle, values):
    lines = [str(cycle), *("NA" if np.isnan(value) else repr(float(value)) for value in values)]
    (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", "utf-8")


def test_series_are_taken_with_their_horizon_kind_and_side(tmp_path):
    values = np.random.default_rng(0).normal(size=2000)
    export(tmp_path, "pkg__monthly__a", 12, values[:120])
    export(tmp_path, "pkg__monthly__b", 12, values[1:121])
    export(tmp_path, "pkg__short__short", 1, np.r_[np.nan, values[300:340], np.nan])
    export(tmp_path, "pkg__long__long", 1, values)
    export(tmp_path, "datasets__AirPassengers__AirPassengers", 12, values[5:125])
    found = load_r_series(tmp_path)

    assert {name: (one.horizon, one.seasons, kind) for name, (one, kind, _) in found.items()} == {
        "pkg__monthly__a": (12, (12,), "monthly"),
        "pkg__monthly__b": (12, (12,), "monthly"),
        "pkg__short__short": (4, (), "the same, under 60 steps"),
        "pkg__long__long": (6, (), "yearly and others without a season"),
        "datasets__AirPassengers__AirPassengers": (12, (12,), "monthly"),
    }
    sides = {name: is_aside for name, (_, _, is_aside) in found.items()}
    assert sides["pkg__monthly__a"] == sides["pkg__monthly__b"]
    assert sides["datasets__AirPassengers__AirPassengers"]
    np.testing.assert_array_equal(found["pkg__long__long"][0].values, values[-1200:])
    np.testing.assert_array_equal(found["pkg__short__short"][0].values, values[300:340])


@pytest.mark.parametrize(
    ("name", "cycle", "values"),
    [
        ("forecast__wineind__wineind", 12, np.arange(120.0)),
        ("pkg__gap__gap", 12, np.r_[np.arange(60.0), np.nan, np.arange(60.0)]),
        ("pkg__flat__flat", 12, np.ones(120)),
        ("pkg__tiny__tiny", 12, np.arange(40.0)),
        ("pkg__odd__odd", 7, np.arange(120.0)),
        ("pkg__same__copy", 12, np.arange(200.0)),
    ],
)
def test_what_is_left_out(tmp_path, name, cycle, values):
    export(tmp_path, "pkg__original__original", 12, np.arange(200.0))
    export(tmp_path, name, cycle, values)
    assert list(load_r_series(tmp_path)) == ["pkg__original__original"]


def test_report():
    models = ["ChainHeadForecaster", "Theta", "seasonal naive"]
    errors = {"a": (0.5, 2.0, 1.0), "b": (2.0, 2.0, 1.0), "c": (9.0, 3.0, 3.0)}
    rows = [
        {
            "series": series,
            "model": model,
            "seed": 0,
            "scores": {"mase": error, "wql": error / 2, "coverage": 0.75},
            "fit": 1.0,
            "predict": 0.5,
        }
        for series, values in errors.items()
        for model, error in zip(models, values, strict=True)
    ]
    facts = {"kind": "monthly", "steps": 60, "horizon": 12}
    series = {"a": facts | {"aside": True}, "b": facts | {"aside": True}, "c": facts | {"aside": False}}
    text = render(
        {
            "machine": {"Python": "3"},
            "models": models,
            "seeds": 1,
            "failed": ["d"],
            "series": series,
            "rows": rows,
        }
    )
    aside, development = text.split("## 1 series that the default was developed on")
    assert "## 2 series that nothing was chosen on" in aside
    assert "| error of the median | **1.000** | 2.000 | **1.000** |" in aside
    assert "| 80 % bands off by, in points | **5.0** | **5.0** | **5.0** |" in aside
    assert "| monthly (1) | 3.000 | **1.000** | **1.000** |" in development
    assert "are left out: d." in development
    assert "ChainHeadForecaster 4.5" in development
