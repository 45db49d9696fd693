"""Feature extractors and sequences for the tests of this folder."""

import numpy as np
import pytest

from chainhead_plugin import ChainHeadFeatureExtractor


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def extractor():
    return ChainHeadFeatureExtractor(feature_size=3)


@pytest.fixture
def univariate():
    return ChainHeadFeatureExtractor(feature_size=1)


@pytest.fixture
def ragged_batch(rng):
    return [rng.normal(size=(length, 3)) for length in (4, 2, 7)]
