"""The common model tests for chain heads: each test runs, or is in a table of exclusions with a reason."""

import tempfile
import unittest
from unittest import mock

import pytest
import torch
import transformers
from common_exclusions import (
    ENCODER,
    EXCLUSIONS,
    NEEDS_ACCELERATOR,
    NEEDS_ACCELERATORS,
    NO_BASE,
    NO_TOKENS,
    TOKENS,
    WRITTEN_FOR,
    reason_for,
)
from common_source import require_transformers_tests
from transformers.models.auto import modeling_auto
from transformers.testing_utils import CaptureLogger, backend_device_count, torch_device
from transformers.utils import logging

from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadForAudioClassification,
    ChainHeadForImageClassification,
    ChainHeadForSequenceClassification,
    ChainHeadForTimeSeriesPrediction,
    ChainHeadForTokenClassification,
    ChainHeadForVideoClassification,
    ChainHeadModel,
)

require_transformers_tests()
from transformers_tests.test_modeling_common import ModelTesterMixin  # noqa: E402

STRICT = transformers.__version__.startswith(f"{WRITTEN_FOR}.")
DEVICES = 0 if torch_device == "cpu" else backend_device_count(torch_device)

# By the names in these tables of transformers the common tests tell which labels a class takes.
CLASS_NAMES = {
    "MODEL_MAPPING_NAMES": "ChainHeadModel",
    "MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING_NAMES": "ChainHeadForAudioClassification",
    "MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES": "ChainHeadForImageClassification",
    "MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES": "ChainHeadForSequenceClassification",
    "MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES": "ChainHeadForTokenClassification",
    "MODEL_FOR_VIDEO_CLASSIFICATION_MAPPING_NAMES": "ChainHeadForVideoClassification",
}


class ModelTester:
    """Configurations and inputs, under the names by which the common tests ask for them.

    Parameters
    ----------
    options : dict
        Fields of the configuration.
    """

    batch_size = 4
    seq_length = 7
    num_labels = 2
    is_training = True

    def __init__(self, options):
        self.config_fields = {"m": 5, "n": 6, "num_labels": self.num_labels, **options}
        config = self.get_config()
        self.num_hidden_layers = config.num_hidden_layers
        # Width of the first of the hidden states, which is the input.
        self.hidden_size = config.m

    def get_config(self):
        return ChainHeadConfig(**self.config_fields)

    def prepare_inputs(self, config):
        features = torch.randn(self.batch_size, self.seq_length, config.m, device=torch_device)
        return {"input_features": features, "attention_mask": self.padding_mask()}

    def padding_mask(self):
        """A chain without padding, two padded on the right and one on the left."""
        mask = torch.ones(self.batch_size, self.seq_length, dtype=torch.long, device=torch_device)
        mask[1, 5:] = 0
        mask[2, 1:] = 0
        mask[3, :2] = 0
        return mask

    def prepare_config_and_inputs_for_common(self):
        config = self.get_config()
        return config, self.prepare_inputs(config)


class TokenModelTester(ModelTester):
    """Of models whose input is tokens."""

    vocab_size = 30

    def __init__(self, options):
        super().__init__({"m": None, **options})

    def prepare_inputs(self, config):
        tokens = torch.randint(1, self.vocab_size, (self.batch_size, self.seq_length), device=torch_device)
        return {"input_ids": tokens, "attention_mask": self.padding_mask()}


class ForecastTester(ModelTester):
    """Of forecasters."""

    prediction_length = 3

    def __init__(self, options):
        super().__init__({"prediction_length": self.prediction_length, **options})

    def prepare_inputs(self, config):
        past = torch.randn(self.batch_size, self.seq_length, config.num_input_channels, device=torch_device)
        past[1, :3] = float("nan")
        inputs = {"past_values": past}
        if config.num_time_features:
            for name, steps in (("past", self.seq_length), ("future", config.prediction_length)):
                shape = self.batch_size, steps, config.num_time_features
                inputs[f"{name}_time_features"] = torch.randn(shape, device=torch_device)
        return inputs


class ImageTester(ModelTester):
    """Of image classifiers: images of `seq_length` rows of pixels, or patches, or places of a feature map."""

    # Pixels to a place of the backbone's feature map.
    stride = 8

    def __init__(self, options):
        super().__init__({"m": None, **options})

    def prepare_inputs(self, config):
        images = torch.randn(self.batch_size, *self.image_shape(config), device=torch_device)
        return {"pixel_values": images}

    def image_shape(self, config):
        if config.backbone_config is not None:
            return config.backbone_config.num_channels, self.stride, self.stride * self.seq_length
        if config.patch_size is not None:
            return config.num_channels, config.patch_size, config.patch_size * self.seq_length
        return config.num_channels, self.seq_length, config.m // config.num_channels


class AudioTester(ModelTester):
    """Of audio classifiers: waveforms of which an encoder makes `seq_length` frames of ten samples each, by fives."""

    samples = 40

    def __init__(self, options):
        super().__init__({"m": None, **options})

    def prepare_inputs(self, config):
        waves = torch.randn(self.batch_size, self.samples, device=torch_device)
        mask = torch.ones(self.batch_size, self.samples, dtype=torch.long, device=torch_device)
        mask[1, 30:] = 0
        mask[2, 10:] = 0
        mask[3, :10] = 0
        return {"input_values": waves, "attention_mask": mask}


class VideoTester(ModelTester):
    """Of video classifiers: videos of which an encoder makes `seq_length` nodes."""

    seq_length = 9

    def __init__(self, options):
        super().__init__({"m": None, **options})

    def prepare_inputs(self, config):
        size = config.backbone_config.image_size
        return {
            "pixel_values": torch.randn(
                self.batch_size, config.num_frames, 3, size, size, device=torch_device
            )
        }


class CommonModelTests(ModelTesterMixin):
    """Base of the test cases.

    `model_tests` makes test cases of them. `exclusions` joins tables of tests that are not run;
    `test_exclusions` checks that transformers would skip each of them, and an unlisted test that skips fails.
    """

    model_tester_class = ModelTester
    all_model_classes = (ChainHeadModel, ChainHeadForSequenceClassification, ChainHeadForTokenClassification)
    exclusions = (
        EXCLUSIONS | ({} if DEVICES else NEEDS_ACCELERATOR) | ({} if DEVICES > 1 else NEEDS_ACCELERATORS)
    )
    has_attentions = False
    test_can_init_all_missing_weights_before_2023 = True

    def setUp(self):
        self.model_tester = self.model_tester_class(self.options)
        for table, class_name in CLASS_NAMES.items():
            names = mock.patch.dict(getattr(modeling_auto, table), chainhead=class_name)
            names.start()
            self.addCleanup(names.stop)

    def skipTest(self, reason):  # noqa: N802
        if STRICT and self._testMethodName in dir(type(self)):
            self.fail(f"skipped for a reason that no table has: {reason}")
        super().skipTest(reason)

    def test_exclusions(self):
        passing = [name for name, test in self.excluded.items() if not self._skips(test)]
        others = {name: getattr(self, name) for name in dir(type(self)) if name.startswith("test_")}
        skipped = [name for name, test in others.items() if getattr(test, "__unittest_skip__", False)]
        if STRICT:
            assert not passing, f"excluded, but would pass: {passing}"
            assert not skipped, f"skipped without a reason in a table: {skipped}"

    def _skips(self, test):
        """Tell whether transformers skips `test` here, by a decorator or when run."""
        if getattr(test, "__unittest_skip__", False):
            return True
        case = type(self)()
        case.setUp()
        try:
            test(case)
        except unittest.SkipTest:
            return True
        finally:
            case.doCleanups()
        return False

    def _prepare_config_and_inputs_for_retain_grad_hidden_states_attentions(self):
        config, inputs = super()._prepare_config_and_inputs_for_retain_grad_hidden_states_attentions()
        # The first hidden state is the input, which has no gradient unless asked for.
        for value in inputs.values():
            value.requires_grad_(value.is_floating_point())
        return config, inputs


class FeatureModelTests(CommonModelTests):
    """Of models whose input is features."""

    exclusions = CommonModelTests.exclusions | NO_TOKENS
    # Without token embeddings there is nothing to resize.
    test_resize_embeddings = False

    def test_model_get_set_embeddings(self):
        """Without token embeddings, the model says so."""
        for model_class in self.all_model_classes:
            model = model_class(self.model_tester.get_config())
            # Not an error, since quantisers ask every model.
            assert model.get_input_embeddings() is None
            with pytest.raises(NotImplementedError, match="embeds no tokens"):
                model.set_input_embeddings(torch.nn.Embedding(3, 3))
            assert model.get_output_embeddings() is None

    def test_load_with_mismatched_shapes(self):
        """What transformers does to the size of a vocabulary, done to the width of the layers."""
        config, inputs = self.model_tester.prepare_config_and_inputs_for_common()
        wider = {"n": 2 * config.n, "hidden_sizes": [2 * width for width in config.hidden_sizes]}
        wider_config = self.model_tester_class(self.options | wider).get_config()
        for model_class in self.all_model_classes:
            with self.subTest(model_class.__name__), tempfile.TemporaryDirectory() as folder:
                model_class(config).save_pretrained(folder)
                with pytest.raises(RuntimeError, match="mismatched"):
                    model_class.from_pretrained(folder, config=wider_config)
                with CaptureLogger(logging.get_logger("transformers.modeling_utils")) as captured:
                    loaded = model_class.from_pretrained(
                        folder, config=wider_config, ignore_mismatched_sizes=True
                    )
                assert "Reinit due to size mismatch" in captured.out
                loaded(**inputs)


class TokenModelTests(CommonModelTests):
    """Of models whose input is tokens."""

    model_tester_class = TokenModelTester
    exclusions = CommonModelTests.exclusions | TOKENS


class ForecastTests(FeatureModelTests):
    """Of forecasters."""

    model_tester_class = ForecastTester
    all_model_classes = (ChainHeadForTimeSeriesPrediction,)
    exclusions = CommonModelTests.exclusions | NO_BASE

    def _prepare_for_class(self, inputs_dict, model_class, return_labels=False):
        inputs = super()._prepare_for_class(inputs_dict, model_class, return_labels)
        if return_labels:
            config = self.model_tester.get_config()
            inputs["future_values"] = torch.zeros(
                len(inputs["past_values"]), config.prediction_length, config.num_targets, device=torch_device
            )
        return inputs


class ImageTests(FeatureModelTests):
    """Of image classifiers."""

    model_tester_class = ImageTester
    all_model_classes = (ChainHeadForImageClassification,)
    exclusions = CommonModelTests.exclusions | NO_BASE


class AudioTests(FeatureModelTests):
    """Of audio classifiers."""

    model_tester_class = AudioTester
    all_model_classes = (ChainHeadForAudioClassification,)
    exclusions = CommonModelTests.exclusions | ENCODER
    test_can_init_all_missing_weights_before_2023 = False

    def _prepare_config_and_inputs_for_retain_grad_hidden_states_attentions(self):
        # Frames have a gradient by the encoder's weights; Wav2Vec2 takes no waveforms that ask for theirs.
        return ModelTesterMixin._prepare_config_and_inputs_for_retain_grad_hidden_states_attentions(self)


class VideoTests(FeatureModelTests):
    """Of video classifiers."""

    model_tester_class = VideoTester
    all_model_classes = (ChainHeadForVideoClassification,)
    exclusions = CommonModelTests.exclusions | ENCODER
    test_can_init_all_missing_weights_before_2023 = False


def model_tests(base, **options):
    """Return a test case: the tests `base` with these fields of the configuration."""
    tests = {name: getattr(base, name) for name in dir(base) if name.startswith("test_")}
    excluded = {
        name: test for name, test in tests.items() if callable(test) and reason_for(name, base.exclusions)
    }
    attributes = {"options": options, "excluded": excluded} | dict.fromkeys(excluded)
    return type("ModelTests", (base, unittest.TestCase), attributes)
