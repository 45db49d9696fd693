"""Tables that go on into the future with what is known of it."""

import numpy as np
import pandas as pd
import pytest

from chainhead_plugin.inputs.named_sequences import series_sequences
from chainhead_plugin.tables.errors import TableError
from chainhead_plugin.tables.loading import load
from chainhead_plugin.tables.spec import TableSpec

SPEC = TableSpec(features=("sold",), known=("price",), series=("shop",), time="day", rows="nodes")


def sales(future):
    """Return two shops of five days, the last two to come."""
    days = pd.date_range("2025-05-01", periods=5)
    shops = [("north", [4, 5, 6, np.nan, np.nan]), ("south", [7, 8, 9, *future])]
    return pd.concat(
        pd.DataFrame({"shop": name, "day": days, "sold": sold, "price": 2.5}) for name, sold in shops
    )


def test_rows_to_come():
    sequences = series_sequences(load(sales([np.nan, np.nan]), SPEC), 2)
    assert [str(time)[:10] for time in sequences[0].times] == ["2025-05-04", "2025-05-05"]


def test_a_series_without_rows_to_come_is_named():
    message = "series south: its last 2 rows hold values of sold, expected rows of the future to forecast, with price"
    with pytest.raises(TableError, match=message):
        series_sequences(load(sales([np.nan, 3]), SPEC), 2)
