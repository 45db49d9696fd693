"""The data sets that ship inside the package: sentences of reviews, and ridership."""

import numpy as np
import pandas as pd
import pytest
from recipe_writing import write_recipe

from chainhead_plugin.recipes.data.in_time.ridership import load_ridership
from chainhead_plugin.recipes.data.load import load_data
from chainhead_plugin.recipes.recipe_files import RECIPES, load_recipe
from release.make_ridership import main as make_ridership

SENTIMENT = {
    "name": "sentences",
    "task": "text-classification",
    "data": "sentiment",
    "model": {"m": 4},
    "training": {"num_train_epochs": 1},
    "validation_folds": 2,
}


def test_sentences(tmp_path):
    recipe = load_recipe(write_recipe(tmp_path, SENTIMENT, {}))
    data = load_data(recipe)
    texts = [*data.train.inputs, *data.test.inputs]
    assert len(set(texts)) == len(texts) == 2982
    assert all(text == text.strip() and text for text in texts)
    assert data.train.names == data.test.names == ("negative", "positive")
    assert np.bincount(data.train.labels).tolist() == [1193, 1192]
    assert np.bincount(data.test.labels).tolist() == [299, 298]
    known = dict(zip(data.train.inputs, data.train.labels, strict=True))
    assert known["Good case, Excellent value."] == 1
    assert (RECIPES / "sentiment.csv.gz").stat().st_size < 150_000


def test_days_and_columns_of_ridership():
    (series,), layout, test_start = load_ridership()
    columns = [*layout.targets, *layout.past, *layout.known]
    assert series.values.shape == (5684, len(columns))
    assert test_start == 5684 - 1136
    days = pd.DataFrame(
        series.values, columns=columns, index=pd.date_range("2001-01-22", periods=5684, freq="D")
    )
    assert days.Monday.to_numpy().tolist() == (days.index.dayofweek == 0).astype(float).tolist()
    assert days.loc["2001-01-22", "Clark_Lake"] == 15.732
    # A day's columns are of that day: stations rise and fall together, games are on one side alone.
    assert days[["Clark_Lake", "Monroe", "Quincy_Wells"]].corr().to_numpy().min() > 0.8
    assert days.temperature.groupby(days.index.month).mean().idxmax() == 7
    assert ((days.Bulls_Home + days.Bulls_Away) <= 1).all()
    assert not np.isnan(series.values).any()


def test_ridership_is_made_from_the_pinned_package_alone(tmp_path):
    (tmp_path / "other.deb").write_bytes(b"no package")
    with pytest.raises(ValueError, match=r"has SHA-256 .*, expected 66c2e08b"):
        make_ridership([str(tmp_path / "other.deb"), "--output", str(tmp_path / "made.npz")])
    assert not (tmp_path / "made.npz").exists()
