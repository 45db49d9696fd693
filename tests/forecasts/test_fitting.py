"""Fitting a forecaster to series without any option."""

import numpy as np
import pytest
import torch

from chainhead_plugin.forecasts import find_seasons, fit_forecaster, origins
from chainhead_plugin.forecasts.candidates import Candidate, Trial
from chainhead_plugin.forecasts.choosing import _held_out, _probabilities
from chainhead_plugin.forecasts.classical import level_maps, naive, smoothing, trend_maps, with_drift
from chainhead_plugin.forecasts.origins import (
    Fold,
    RollingOrigins,
    folds_of,
    sample_of,
    windows_before,
    windows_within,
)
from chainhead_plugin.forecasts.ridge import RidgeFit

HORIZON = 6


def seasonal(length=160, season=12, seed=0, noise=1.0):
    rng = np.random.default_rng(seed)
    steps = np.arange(length)
    return 50 + 10 * np.sin(2 * np.pi * steps / season) + noise * rng.normal(size=length)


def whole(windows):
    """Return all pasts and all futures of windows."""
    return [np.concatenate(part) for part in zip(*windows.blocks(), strict=True)]


def trials(errors, ridges=()):
    """Return candidates with given mean errors at six origins in two folds, and the origins."""
    zeros = np.zeros((6, 2))
    origins = RollingOrigins(
        (Fold(0, 3), Fold(3, 6)), np.array([3, 3]), zeros, zeros, np.arange(6), np.full(6, 1 / 6)
    )
    ridges = ridges or (None,) * len(errors)
    pool = [
        Trial(Candidate(place + 1, True, "mean", ridge), zeros + error, error)
        for place, (error, ridge) in enumerate(zip(errors, ridges, strict=True))
    ]
    return pool, origins


def forecast(fit, past):
    with torch.no_grad():
        return fit.model(torch.tensor(past).unsqueeze(0))


class TestForecaster:
    def test_beats_the_naive_forecast_and_covers(self):
        y = seasonal(260)
        fit = fit_forecaster([y[:200]], HORIZON)
        assert fit.seasons == [12]
        length = fit.model.config.chain_length
        origins = range(200, 260 - HORIZON)
        pasts = torch.tensor(np.stack([y[i - length : i] for i in origins]))
        futures = np.stack([y[i : i + HORIZON] for i in origins])
        with torch.no_grad():
            out = fit.model(pasts)
        levels = fit.model.config.quantiles
        low, high = (out.quantile_outputs[..., levels.index(level)].numpy() for level in (0.1, 0.9))
        naive = np.stack([y[i - 12 : i - 12 + HORIZON] for i in origins])
        assert np.abs(out.prediction_outputs.numpy() - futures).mean() < 0.9 * np.abs(naive - futures).mean()
        assert 0.7 < ((low <= futures) & (futures <= high)).mean() < 0.9
        assert fit.error < fit.naive_error
        assert sum(fit.shares.values()) == pytest.approx(1)

    def test_saved_and_loaded(self, tmp_path):
        y = seasonal()
        fit = fit_forecaster([y], HORIZON)
        fit.model.save_pretrained(tmp_path)
        again = type(fit.model).from_pretrained(tmp_path)
        torch.testing.assert_close(
            forecast(fit, y).quantile_outputs,
            again(torch.tensor(y).unsqueeze(0)).quantile_outputs,
        )

    def test_scaled_data_give_scaled_forecasts(self):
        y = seasonal()
        plain, large = (fit_forecaster([values], HORIZON) for values in (y, 1e8 + 1e3 * y))
        expected = 1e8 + 1e3 * forecast(plain, y).quantile_outputs.double()
        torch.testing.assert_close(
            forecast(large, 1e8 + 1e3 * y).quantile_outputs.double(), expected, rtol=0, atol=2.0
        )

    def test_several_series_of_any_levels(self):
        series = [scale * seasonal(seed=seed) for seed, scale in enumerate((1, 1000, 0.01))]
        fit = fit_forecaster(series, HORIZON)
        assert fit.model.config.scaling == "std"
        for one in series:
            error = np.abs(
                forecast(fit, one[:-HORIZON]).prediction_outputs[0].numpy() - one[-HORIZON:]
            ).mean()
            assert error < 0.5 * one.std()

    def test_several_targets(self):
        table = np.stack([seasonal(seed=1), -5 * seasonal(seed=2)], 1)
        out = forecast(fit_forecaster([table], HORIZON), table)
        assert out.quantile_outputs.shape[:3] == (1, HORIZON, 2)

    def test_missing_values_are_interpolated(self):
        y = np.linspace(0, 100, 101)
        gaps = y.copy()
        gaps[[40, 41, 60, 98]] = np.nan
        fit = fit_forecaster([gaps], HORIZON)
        torch.testing.assert_close(
            forecast(fit, gaps).prediction_outputs, forecast(fit, y).prediction_outputs, rtol=1e-4, atol=1e-3
        )

    def test_a_constant_series_stays(self):
        fit = fit_forecaster([np.full(40, 7.0)], HORIZON)
        np.testing.assert_allclose(forecast(fit, np.full(40, 7.0)).quantile_outputs, 7, atol=1e-3)

    @pytest.mark.parametrize(
        ("series", "message"),
        [
            ([np.arange(9.0)], "the longest series has 9 steps, expected at least 13"),
            ([np.full(40, np.nan)], "series 0: column 0 has no value"),
            ([np.r_[np.arange(40.0), np.inf]], "series 0 is infinite in step 40"),
            ([np.zeros((40, 2)), np.zeros(40)], r"series have \[1, 2\] columns"),
            ([], "there is no series"),
        ],
    )
    def test_what_cannot_be_fitted(self, series, message):
        with pytest.raises(ValueError, match=message):
            fit_forecaster(series, HORIZON)


class TestParts:
    def test_smoothing_is_the_recursion(self):
        rng = np.random.default_rng(0)
        y, season, level, gamma = rng.normal(size=20), 4, 0.3, 0.2
        at, states = y[:season].mean(), y[:season] - y[:season].mean()
        for step in range(season, 20):
            error = y[step] - at - states[step % season]
            at += level * error
            states[step % season] += gamma * error
        expected = [at + states[step % season] for step in range(20, 26)]
        np.testing.assert_allclose(y @ smoothing(20, 6, [season], level, gamma), expected)

    def test_classical_maps_keep_the_level(self):
        levels = level_maps(30, 5, [7, 12])
        maps = levels | trend_maps(levels, 30, 5, [7, 12])
        assert {"smoothing 0.3", "smoothing 0.3 + season 0.2 + drift", "season 12 + drift"} <= set(maps)
        for name, weights in maps.items():
            np.testing.assert_allclose(weights.sum(0), 1, atol=1e-9, err_msg=name)

    @pytest.mark.parametrize("season", [1, 4])
    def test_drift_goes_on_along_a_line_around_a_season(self, season):
        steps = np.arange(17)
        profile = np.array([0.0, 3.0, -1.0, 2.0])[:season]
        values = 5 + 0.7 * steps + profile[steps % season]
        weights = with_drift(naive(12, 5, season), season)
        np.testing.assert_allclose(values[:12] @ weights, values[12:])

    def test_smoothing_with_trend_goes_on_along_a_line_around_a_season(self):
        steps = np.arange(32)
        values = 3 + 0.7 * steps + np.array([0.0, 3.0, -1.0, 2.0])[steps % 4]
        weights = smoothing(24, 8, [4], 0.3, 0.1, trend=0.2, damping=1.0)
        np.testing.assert_allclose(values[:24] @ weights, values[24:])

    @pytest.mark.parametrize("length", [36, 48, 60])
    def test_a_few_seasons_are_enough_for_seasons_around_a_trend(self, length):
        steps = np.arange(length + 12)
        noise = np.random.default_rng(0).normal(size=len(steps))
        values = 100 + 1.5 * steps + 15 * np.sin(steps * np.pi / 6) + 2 * noise
        fit = fit_forecaster([values[:length]], 12, seasons=[12])
        found = forecast(fit, values[:length]).prediction_outputs[0].numpy()
        # Repeating the last season is off by a year's growth, which is 18.
        assert np.abs(found - values[length:]).mean() < 6

    def test_many_series_make_a_regression_sure(self):
        """Twelve steps repeat around a fast return to the level, which no classical forecast follows."""
        steps = np.arange(72)
        series = []
        for seed in range(60):
            rng = np.random.default_rng(seed)
            values = 10 * np.sin(steps * np.pi / 6 + rng.uniform(0, 6))
            noise = rng.normal(size=len(steps))
            for step in range(1, len(steps)):
                noise[step] += -0.7 * noise[step - 1]
            series.append(values + 5 * noise)
        few, many = (fit_forecaster(series[:count], 6, seasons=[12]) for count in (2, 60))
        regressions = [
            sum(share for name, share in fit.shares.items() if "regression" in name) for fit in (few, many)
        ]
        assert regressions[1] > 0.9
        assert regressions[1] > regressions[0]

    def test_folds_leave_two_seasons_before_them(self):
        cases = (
            (60, 12, [24], 48),
            (60, 12, [12], 36),
            (36, 12, [12], 24),
            (30, 12, [12], 18),
            (49, 1, [24], 29),
        )
        for length, horizon, seasons, begin in cases:
            folds = folds_of([sample_of(np.arange(float(length)), length)], horizon, seasons)
            assert (folds[0].begin, folds[-1].end) == (begin, length), (length, seasons)

    def test_a_past_without_two_seasons_has_no_drift(self):
        levels = level_maps(13, 5, [7])
        assert not [name for name in trend_maps(levels, 13, 5, [7]) if "drift" in name]

    @pytest.mark.parametrize("keeps_level", [True, False])
    def test_ridge_is_the_normal_equations(self, keeps_level):
        rng = np.random.default_rng(0)
        windows = windows_before([sample_of(rng.normal(size=40), 40)], 40, 8, 3)
        past, future = whole(windows)
        start = rng.normal(size=(8, 3))
        level = past.mean(1, keepdims=True) * keeps_level
        weights = 1 / past.std(1, keepdims=True)
        x, t = (past - level) * weights, (future - level) * weights
        new = rng.normal(size=(4, 8))
        at = new.mean(1, keepdims=True) * keeps_level
        fit = RidgeFit(windows, keeps_level)

        change = np.linalg.solve(x.T @ x + 0.1 * 30 * np.eye(8), x.T @ (t - x @ start))
        np.testing.assert_allclose(new @ fit.solve(start, 0.1), at + (new - at) @ (start + change))

    def test_a_robust_ridge_follows_most_windows(self):
        values = np.random.default_rng(0).normal(size=200)
        for step in range(1, 200):
            values[step] += 0.9 * values[step - 1]
        outlier = values.copy()
        outlier[100] += 50
        start = np.zeros((6, 2))
        plain, robust = (
            np.abs(solve(start, 1e-3) - kept(start, 1e-3)).mean()
            for name in ("solve", "solve_robustly")
            for solve, kept in [
                [
                    getattr(RidgeFit(windows_before([sample_of(one, 200)], 200, 6, 2), False), name)
                    for one in (outlier, values)
                ]
            ]
        )
        assert robust < 0.5 * plain

    @pytest.mark.parametrize("name", ["solve", "solve_robustly"])
    def test_blocks_make_no_difference(self, monkeypatch, name):
        windows = windows_before([sample_of(seasonal(60), 60)], 60, 8, 3)
        start = np.zeros((8, 3))
        at_once = getattr(RidgeFit(windows, True), name)(start, 0.1)
        monkeypatch.setattr(origins, "_BLOCK", 7)
        np.testing.assert_allclose(getattr(RidgeFit(windows, True), name)(start, 0.1), at_once)

    def test_blocks_are_all_windows(self, monkeypatch):
        values = np.arange(50.0)
        values[20] = np.nan
        monkeypatch.setattr(origins, "_BLOCK", 7)
        windows = windows_before([sample_of(values, 50), sample_of(values[:9], 50)], 50, 5, 2)
        past, future = whole(windows)
        begins = [begin for begin in range(44) if 20 not in (begin + 5, begin + 6)]
        np.testing.assert_array_equal(past[:, 0], [float(begin) for begin in begins] + [0, 1, 2])
        np.testing.assert_array_equal(future[:, 1] - future[:, 0], 1)
        assert len(windows) == len(past) == len(begins) + 3

    def test_no_window_learns_from_its_fold(self):
        samples = [sample_of(np.arange(100.0), 100), sample_of(np.arange(70.0), 90)]
        folds = folds_of(samples, HORIZON)
        assert folds[0].begin >= 50
        assert folds[-1].end == 100
        for fold in folds:
            _, learned = whole(windows_before(samples, fold.begin, 10, HORIZON))
            _, judged, times = windows_within(samples, fold, 10, HORIZON)
            # The second series starts 20 steps later.
            assert learned.max() < fold.begin
            assert judged.min() >= fold.begin - 20
            assert ((times >= fold.begin) & (times < fold.end)).all()

    def test_a_past_does_not_know_what_comes_after_it(self):
        values = np.arange(60.0)
        values[48:52] = np.nan
        values[52:] = 1e6
        past, _, _ = windows_within([sample_of(values, 60)], Fold(50, 51), 10, 3)
        np.testing.assert_array_equal(past[0, -3:], [47, 47, 47])

    def test_probabilities_are_those_of_laplace_errors(self):
        errors = np.array([0.5, 0.4, 0.8])
        shares = _probabilities(*trials(errors, ridges=(None, 0.1, None)), np.ones(6, bool), 4.0)
        expected = errors**-4.0 * [1, np.exp(-2), 1]
        np.testing.assert_allclose(shares, expected / expected.sum())

    def test_only_the_most_probable_have_a_share(self):
        shares = _probabilities(*trials(np.linspace(1, 2, 30)), np.ones(6, bool), 2.0)
        assert (shares[:15] > 0).all()
        assert not shares[15:].any()
        assert shares.sum() == pytest.approx(1)

    def test_forecasts_without_errors_share_alike(self):
        np.testing.assert_allclose(_probabilities(*trials(np.zeros(3)), np.ones(6, bool), 5.0), 1 / 3)

    def test_a_fold_is_forecast_by_the_errors_on_the_other_folds(self):
        pool, origins = trials(np.array([0.2, 0.2]))
        # The first candidate is good in the first fold, the second in the second: each fold takes the other's choice.
        forecasts = np.full((2, 6, 2), 1.0)
        forecasts[0, :3], forecasts[1, 3:] = 0, 0
        pool = [
            Trial(trial.candidate, forecast, origins.error_of(forecast))
            for trial, forecast in zip(pool, forecasts, strict=True)
        ]
        np.testing.assert_allclose(_held_out(pool, origins, 40.0), 1, atol=1e-6)

    @pytest.mark.parametrize(("season", "length"), [(7, 140), (12, 60), (24, 500)])
    def test_seasons_are_found(self, season, length):
        assert find_seasons([seasonal(length, season)]) == [season]

    @pytest.mark.parametrize(("season", "likely"), [(24, (24, 168)), (48, (48, 336)), (12, (12,)), (7, (7,))])
    @pytest.mark.parametrize("cycles", [4, 6, 9, 20])
    def test_a_smooth_season_is_not_taken_for_a_neighbour_of_the_likely(self, season, likely, cycles):
        steps = np.arange(cycles * season)
        for seed in range(5):
            noise = np.random.default_rng(seed).normal(0, 0.1, len(steps))
            y = np.sin(2 * np.pi * steps / season) + noise
            assert find_seasons([y], likely) == [season]
            assert find_seasons([y, y[:season], y[:5]], likely) == [season]

    def test_two_seasons(self):
        steps = np.arange(1200)
        y = np.sin(2 * np.pi * steps / 24) + np.where(steps % 168 < 120, 1.0, -1.0)
        assert find_seasons([y], [24, 168]) == [24, 168]

    def test_noise_and_trends_have_no_season(self):
        assert find_seasons([np.random.default_rng(0).normal(size=300)]) == []
        assert find_seasons([np.arange(50.0)]) == []
        assert find_seasons([np.zeros(50)]) == []


def test_a_single_origin_is_not_enough_for_a_trained_chain():
    """Its lead, however large, has no spread to be compared with."""
    y = np.arange(84) % 12 + np.random.default_rng(0).normal(size=84)
    reason = fit_forecaster([y[:, None]], 12, seconds=0.5).reason
    assert reason.startswith("the map of the past was kept: at 1 origin ")
    assert "standard error of the difference unknown" in reason
