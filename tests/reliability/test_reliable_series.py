"""Promise 7, for forecasts: a series is forecast as NumPy reads it, or an error says why not."""

import numpy as np
import pytest
import torch
from fuzzing import fuzz
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from transformers import pipeline

import chainhead_plugin
from chainhead_plugin import ChainHeadConfig, ChainHeadForTimeSeriesPrediction

STEPS, LEVELS = 3, [0.1, 0.5, 0.9]
SMALL = st.floats(-9, 9, width=32)
THINGS = st.one_of(
    st.integers(),
    st.floats(),
    st.none(),
    st.booleans(),
    st.text(max_size=5),
    st.binary(max_size=5),
    st.complex_numbers(),
    st.sampled_from([object(), {"a": 1}, np.datetime64(0, "s"), 10**400, "\ud800"]),
)
NUMBERS = st.one_of(SMALL, SMALL, SMALL, st.none(), st.just(float("nan")), st.floats())
KINDS = ["f4", "f8", "f2", "i1", "u8", "?", "c8", "S3", "U3", "M8[s]", "m8[s]", "O"]
SHAPES = st_numpy.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


def build(channels, **fields):
    chainhead_plugin.register()
    torch.manual_seed(channels)
    options = {"pooling": "flatten", "chain_length": 8, "prediction_length": STEPS, "quantiles": LEVELS}
    model = ChainHeadForTimeSeriesPrediction(ChainHeadConfig(**(options | {"m": channels, "n": 4} | fields)))
    return pipeline("time-series-forecasting", model=model.eval(), device="cpu")


FORECASTERS = {channels: build(channels) for channels in (1, 2)}


def inputs_of(channels):
    row = NUMBERS if channels == 1 else st.lists(NUMBERS, min_size=channels, max_size=channels)
    series = st.one_of(
        st.lists(row, min_size=1, max_size=12),
        st.lists(st.one_of(row, THINGS, st.lists(NUMBERS, max_size=3)), max_size=5),
        st.sampled_from(KINDS).flatmap(lambda kind: st_numpy.arrays(kind, SHAPES)),
        THINGS,
    )
    return st.one_of(series, series, st.lists(series, max_size=3))


def as_batch(inputs, channels):
    """Return the series in what was accepted, as float64 with NaN for None."""
    is_batch = np.ndim(inputs) == 3 if isinstance(inputs, np.ndarray) else channels <= depth(inputs) - 1
    return [
        np.array(np.asarray(series, dtype=object), dtype=np.float64).reshape(-1, channels)
        for series in (inputs if is_batch else [inputs])
    ]


def trailing_gap(series):
    """Return how many nodes at the end of a series [length, channels] have no value at all."""
    observed = np.flatnonzero((~np.isnan(series)).any(1))
    return len(series) - 1 - int(observed[-1]) if len(observed) else 0


def depth(inputs):
    if isinstance(inputs, np.ndarray):
        return inputs.ndim
    return 1 + depth(inputs[0]) if isinstance(inputs, (list, tuple)) else 0


@pytest.mark.parametrize("channels", FORECASTERS)
def test_fuzzed_series_give_an_error_or_a_forecast_of_what_they_hold(channels, full):
    forecaster, accepted = FORECASTERS[channels], 0

    def check(inputs):
        nonlocal accepted
        try:
            results = forecaster(inputs)
        except (TypeError, ValueError) as error:
            if len(str(error)) <= 15:
                raise
            return
        accepted += 1
        batch = as_batch(inputs, channels)
        results = results if isinstance(results, list) else [results]
        for series, result in zip(batch, results, strict=True):
            assert not np.isinf(series).any()
            gap = trailing_gap(series)
            gap = gap if gap < 8 else 0
            history = series[: len(series) - gap]
            assert (~np.isnan(history[-8:])).any(0).all()
            forecast = np.array(result["forecast"])
            assert forecast.shape == ((STEPS,) if channels == 1 else (STEPS, channels))
            bands = np.stack([result["quantiles"][level] for level in LEVELS])
            assert np.isfinite(forecast).all()
            assert np.isfinite(bands).all()
            assert (np.diff(bands, axis=0) >= 0).all()
            if gap:
                # A gap at the end is forecast as the first steps behind the values before it.
                ahead = forecaster(history[:, 0] if channels == 1 else history, prediction_length=STEPS + gap)
                expected = np.reshape(ahead["forecast"], (-1, channels))[gap:]
            else:
                last = series[-8:]
                past = torch.tensor(np.concatenate([np.full((8 - len(last), channels), np.nan), last]))
                with torch.no_grad():
                    expected = forecaster.model(past_values=past[None]).prediction_outputs[0].numpy()
            scale = np.nanmax(np.abs(series))
            np.testing.assert_allclose(
                forecast.reshape(STEPS, channels), expected, rtol=1e-4, atol=1e-4 * scale
            )

    examples = 5000 if full else 200
    fuzz(check, inputs_of(channels), examples)
    assert accepted > examples / 10


GOOD = [np.arange(length, dtype=float) for length in (3, 9, 2, 5)]
BAD = {
    "empty": [],
    "ragged": [[1.0], [2.0, 3.0]],
    "all missing": [float("nan"), None, float("nan")],
    "infinity": [1.0, float("inf")],
    "too large to scale": [1.7e308, 1.7e308, 1.7e308, -1.7e308],
    "text": "not numbers",
    "numbers as text": ["1", "2"],
    "bytes": b"\xff\xfe",
    "complex": np.ones(4, dtype=complex),
    "dates": np.array(["2025-01-01"], dtype="M8[D]"),
    "truth": np.ones(4, dtype=bool),
    "two channels": np.ones((4, 2)),
    "no rows": np.ones((0, 1)),
    "an object": object(),
    "None": None,
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("batch_size", [1, 4])
def test_a_bad_series_is_named_and_costs_the_others_nothing(bad, batch_size):
    forecaster = FORECASTERS[1]
    inputs = [*GOOD[:2], bad, *GOOD[2:]]
    results, found = iter(forecaster((series for series in inputs), batch_size=batch_size)), []
    for index in range(len(inputs)):
        if index == 2:
            with pytest.raises((TypeError, ValueError), match=r"^sequence 2\b"):
                next(results)
        else:
            found.append(next(results))
    assert next(results, None) is None
    for one, other in zip(found, forecaster(GOOD), strict=True):
        np.testing.assert_allclose(one["forecast"], other["forecast"], rtol=1e-5)


@pytest.mark.parametrize("channels", FORECASTERS)
def test_series_of_any_lengths_give_in_a_batch_what_each_gives_alone(channels):
    series = [np.repeat(values[:, np.newaxis], channels, 1) ** [1, 0.5][:channels] for values in GOOD]
    batched = FORECASTERS[channels](series, batched=True, batch_size=len(series))
    for together, values in zip(batched, series, strict=True):
        alone = FORECASTERS[channels](values, batched=False)
        np.testing.assert_allclose(together["forecast"], alone["forecast"], rtol=1e-5)
