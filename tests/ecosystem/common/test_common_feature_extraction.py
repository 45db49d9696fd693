"""transformers' common feature-extractor tests."""

import unittest
from types import MappingProxyType

import numpy as np
import pytest
from common_source import require_transformers_tests

from chainhead_plugin import ChainHeadFeatureExtractor

require_transformers_tests()
from transformers_tests.test_sequence_feature_extraction_common import (  # noqa: E402
    SequenceFeatureExtractionTestMixin,
)


class FeatureExtractionTester:
    """Options and sequences, under the names by which the common tests ask for them."""

    batch_size = 7
    min_seq_length = 40
    max_seq_length = 105
    seq_length_diff = (max_seq_length - min_seq_length) // (batch_size - 1)

    def __init__(self, **options):
        self.options = options
        self.feature_size = options["feature_size"]

    def prepare_feat_extract_dict(self):
        return self.options

    def prepare_inputs_for_common(self, equal_length=False, numpify=False):
        lengths = range(self.min_seq_length, self.max_seq_length, self.seq_length_diff)
        random = np.random.default_rng(0)
        rows = [
            random.normal(size=(self.max_seq_length if equal_length else length, self.feature_size))
            for length in lengths
        ]
        return [row.astype(np.float32) if numpify else row.tolist() for row in rows]


class FeatureExtractionTests(SequenceFeatureExtractionTestMixin):
    feature_extraction_class = ChainHeadFeatureExtractor

    def setUp(self):
        self.feat_extract_tester = FeatureExtractionTester(**self.options)

    def test_init_without_params(self):
        """The number of features is the user's to say: no default would be right more often than by chance."""
        with pytest.raises(TypeError, match="feature_size"):
            super().test_init_without_params()

    def test_truncation_from_list(self):
        """Sequences longer than `max_length` are an error without `truncation`: elsewhere they come out unpadded."""
        with pytest.raises(ValueError, match="pass truncation=True"):
            super().test_truncation_from_list()

    def test_truncation_from_array(self):
        with pytest.raises(ValueError, match="pass truncation=True"):
            super().test_truncation_from_array()


class TestOneFeature(FeatureExtractionTests, unittest.TestCase):
    options = MappingProxyType({"feature_size": 1})


class TestScaled(FeatureExtractionTests, unittest.TestCase):
    options = MappingProxyType({"feature_size": 2, "mean": [1.0, 2.0], "std": [3.0, 4.0]})
