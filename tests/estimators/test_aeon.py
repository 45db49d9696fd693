"""aeon's own checks of estimators, and one of its pipelines."""

import warnings

import numpy as np
from random_chains import two_kinds

from chainhead_plugin.estimators import ChainHeadClassifier
from chainhead_plugin.estimators.aeon import AeonChainHeadClassifier, AeonChainHeadRegressor

with warnings.catch_warnings():
    # Test data of aeon are made when they are imported, some of them by functions that pandas will remove.
    warnings.simplefilter("ignore")
    from aeon.classification.compose import ClassifierPipeline
    from aeon.testing.estimator_checking import parametrize_with_checks
    from aeon.transformations.collection import Normalizer


@parametrize_with_checks([AeonChainHeadClassifier, AeonChainHeadRegressor])
def test_checks_of_aeon(check):
    check()


def test_a_pipeline_of_aeon():
    series, labels = two_kinds()
    options = {"num_biases": 1, "num_groups": 4, "num_levels": 8}
    pipe = ClassifierPipeline(Normalizer(), AeonChainHeadClassifier(options=options, random_state=0))
    scaled = (series - series.mean(1, keepdims=True)) / series.std(1, keepdims=True)
    plain = ChainHeadClassifier(**options, random_state=0, n_jobs=1).fit(scaled[:, None], labels)
    proba = pipe.fit(series[:, None], labels).predict_proba(series[:, None])
    np.testing.assert_allclose(proba, plain.predict_proba(scaled[:, None]), atol=1e-5)
