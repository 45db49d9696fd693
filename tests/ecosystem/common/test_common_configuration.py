"""transformers' common configuration tests."""

import unittest

import pytest
from common_source import require_transformers_tests

from chainhead_plugin import ChainHeadConfig

require_transformers_tests()
from transformers_tests.test_configuration_common import ConfigTester  # noqa: E402

FIELDS = [
    {"m": 5, "n": 6},
    {"m": 5, "hidden_sizes": [8, 6], "with_lorr": True, "r": 2, "pooling": "max"},
    {"m": 5, "n": 6, "bi_directional": True, "with_multihop": True, "h": 2, "self_scaling": 0.5},
    {"m": 5, "n": 6, "channel_hops": [0, 1]},
    {"m": 5, "with_inverse_approx": True, "decay": 0.5, "with_learned_decay": True},
    {"m": 5, "vocab_size": 30, "pad_token_id": 0},
    {"m": 6, "prediction_length": 3, "quantiles": [0.1, 0.5], "with_observed_indicator": True},
]


@pytest.mark.parametrize("fields", FIELDS)
def test_common_configuration(fields):
    tester = ConfigTester(
        unittest.TestCase(),
        config_class=ChainHeadConfig,
        has_text_modality="vocab_size" in fields,
        common_properties=["hidden_size", "num_hidden_layers"],
        **fields,
    )
    tester.run_common_tests()
