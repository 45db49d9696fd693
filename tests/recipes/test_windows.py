"""Windows that are cut on demand, compared with windows cut in advance."""

import tracemalloc

import numpy as np
import pytest

from chainhead_plugin.forecasts.whole_series import Layout, Series
from chainhead_plugin.recipes.data.in_time.windows import hold_out_last, naive_forecasts, windows_from
from chainhead_plugin.recipes.training.fingerprints import of_examples

LAYOUT = Layout(("y",), ("help",), ("known",), season=2)
PAST, FUTURE = 5, 3


def cut_one_by_one(series, stride):
    """Return windows and labels as their definition has them, in the order of time."""
    found = []
    for number, one in enumerate(series):
        for begin in range(0, len(one.values) - PAST - FUTURE + 1, stride):
            window = one.values[begin : begin + PAST + FUTURE].astype(np.float32)
            label = window[PAST:, :1].copy()
            if np.isnan(label).all() or np.isnan(window[:PAST, :1]).all():
                continue
            window[PAST:, :2] = np.nan
            found.append((one.start + begin + PAST, number, window, label))
    found.sort(key=lambda entry: entry[:2])
    return ([entry[place] for entry in found] for place in range(4))


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("lengths", [(30,), (20, 6, 25)])
def test_windows_are_those_that_are_cut_one_by_one(lengths, stride):
    rng = np.random.default_rng(0)
    series = [Series(rng.normal(size=(length, 3)), start=number) for number, length in enumerate(lengths)]
    series[0].values[6:16, 0] = np.nan
    windows = windows_from(series, LAYOUT, PAST, FUTURE, [10] * len(series), stride=stride)
    times, of_series, inputs, labels = cut_one_by_one(series, stride)
    assert windows.times.tolist() == times
    assert windows.of_series.tolist() == of_series
    np.testing.assert_array_equal(windows.inputs, inputs)
    np.testing.assert_array_equal(list(windows.inputs), inputs)
    np.testing.assert_array_equal(windows.inputs[2:4], inputs[2:4])
    np.testing.assert_array_equal(windows.labels, labels)

    odd = np.array([4, 1, 3])
    np.testing.assert_array_equal(windows.take(odd).inputs, [inputs[place] for place in odd])
    np.testing.assert_array_equal(windows.take(odd).labels, [labels[place] for place in odd])
    kept, held_out = hold_out_last(windows, 0.3)
    np.testing.assert_array_equal(held_out.inputs, inputs[-len(held_out.labels) :])
    np.testing.assert_array_equal(kept.labels, labels[: len(kept.labels)])


def test_columns_that_do_not_vary():
    values = np.random.default_rng(0).normal(size=(20, 3))
    values[: 20 - FUTURE, 1] = 7  # in the future, where it varies, nobody knows it
    values[:, 2] = 4
    windows = windows_from([Series(values)], LAYOUT, PAST, FUTURE, [20])
    assert windows.constant_columns() == [1, 2]
    assert windows.constant_indicators() == [0, 1]
    values[3, 0] = np.nan
    assert windows_from([Series(values)], LAYOUT, PAST, FUTURE, [20]).constant_indicators() == [1]


def test_memory_does_not_grow_with_the_length_of_windows():
    values = np.random.default_rng(0).normal(size=(50_000, 1))
    layout, peaks = Layout(("y",), season=2), []
    for past in (12, 288):
        tracemalloc.start()
        windows = windows_from([Series(values)], layout, past, 12, [40_000])
        kept, _ = hold_out_last(windows, 0.2)
        of_examples(kept.take(np.arange(64)))
        naive_forecasts(kept.take(np.arange(4000)))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # All windows of 300 would be 60 MB in float32; a batch of them is copied at a time.
    assert max(peaks) < 25e6
