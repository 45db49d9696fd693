"""scikit-learn's own checks of estimators, and its tools applied to the estimators here."""

import numpy as np
import pytest
from random_chains import two_kinds
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from chainhead_plugin.estimators import ChainHeadClassifier, ChainHeadForecaster, ChainHeadRegressor

SMALL = {"num_biases": 1, "num_groups": 4, "num_levels": 8, "random_state": 0}


def reasons(estimator):
    """Checks that fail for a reason."""
    return {
        "check_sample_weight_equivalence_on_dense_data": "a series of weight 2 is left out as a whole where "
        "leave-one-out errors choose settings, while of two equal series the other stays"
    }


@parametrize_with_checks(
    [ChainHeadClassifier(**SMALL), ChainHeadRegressor(**SMALL)], expected_failed_checks=reasons
)
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture
def data():
    series, labels = two_kinds()
    return series, np.array(["noise", "walk"])[labels]


def test_cross_val_score(data):
    scores = cross_val_score(ChainHeadClassifier(**SMALL), *data, cv=StratifiedKFold(4))
    assert scores.shape == (4,)
    assert scores.min() >= 0.9


def test_cross_validation_of_lists_of_unequal_lengths(data):
    series, labels = data
    pieces = [one[: 40 + number % 20] for number, one in enumerate(series)]
    answers = cross_val_predict(ChainHeadClassifier(**SMALL), pieces, labels, cv=StratifiedKFold(4))
    assert (answers == labels).mean() >= 0.9


def test_grid_search(data):
    search = GridSearchCV(ChainHeadClassifier(**SMALL), {"causal": [True, False], "num_biases": [1, 2]}, cv=3)
    search.fit(*data)
    assert len(search.cv_results_["params"]) == 4
    assert search.best_score_ >= 0.9
    assert search.best_estimator_.get_params()["num_groups"] == 4


def test_grid_search_in_processes(data):
    search = GridSearchCV(ChainHeadClassifier(**SMALL), {"causal": [True, False]}, cv=2, n_jobs=2)
    assert search.fit(*data).best_score_ >= 0.8


def test_pipeline(data):
    series, labels = data
    pipe = make_pipeline(StandardScaler(), ChainHeadClassifier(**SMALL)).fit(series, labels)
    assert pipe.score(series, labels) == 1.0
    assert list(pipe.classes_) == ["noise", "walk"]


def test_calibration_of_three_axes(data):
    series, labels = data
    calibrated = CalibratedClassifierCV(ChainHeadClassifier(**SMALL), cv=3).fit(series[:, None], labels)
    proba = calibrated.predict_proba(series[:, None])
    assert proba.shape == (40, 2)
    assert (calibrated.classes_[proba.argmax(1)] == labels).mean() >= 0.9


def test_clones_are_not_fitted(data):
    fitted = ChainHeadClassifier(**SMALL, class_weight={"noise": 2.0, "walk": 1.0}).fit(*data)
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert not hasattr(copy, "model_")
    assert copy.set_params(causal=False).causal is False


def test_numbers_of_numpy_are_numbers(data):
    """Grids of parameters are made of them."""
    grid = {name: np.array([value])[0] for name, value in SMALL.items()}
    expected, found = (
        ChainHeadClassifier(**options).fit(*data)
        for options in (SMALL, grid | {"causal": np.bool_(True), "n_jobs": np.int64(1)})
    )
    np.testing.assert_array_equal(found.predict_proba(data[0]), expected.predict_proba(data[0]))

    y, level = data[0][0].cumsum(), np.float64(0.1)
    expected = ChainHeadForecaster(seasons=[7, 14], quantiles=[0.1, 0.5, 0.9], random_state=1).fit(
        y, horizon=3
    )
    found = ChainHeadForecaster(
        seasons=np.array([7, 14]), quantiles=np.array([0.1, 0.5, 0.9]), random_state=np.int64(1)
    ).fit(y, horizon=np.int64(3))
    np.testing.assert_array_equal(
        found.predict_quantiles(np.int32(2), alpha=level), expected.predict_quantiles(2, alpha=0.1)
    )
