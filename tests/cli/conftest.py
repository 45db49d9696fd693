"""Checkpoints for the command line."""

import pytest
import torch
from command_line import TEXTS
from sounds import save_classifier_of_sounds

from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadFeatureExtractor,
    ChainHeadForImageClassification,
    ChainHeadForSequenceClassification,
    ChainHeadForTimeSeriesPrediction,
    ChainHeadForTokenClassification,
    ChainHeadImageProcessor,
    ChainHeadModel,
    train_tokenizer,
)


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """A small untrained model of every task."""
    torch.manual_seed(0)
    root = tmp_path_factory.mktemp("models")
    extractor = ChainHeadFeatureExtractor(feature_size=3)
    tokenizer = train_tokenizer(TEXTS)
    words = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id, "m": 4, "n": 4}
    image = ChainHeadConfig(image_size=8, num_channels=1, patch_size=2, n=4, num_labels=3)
    step = {"m": 1, "n": 4, "pooling": "flatten", "chain_length": 6, "prediction_length": 3}
    saved = {
        "sequence": (ChainHeadForSequenceClassification(ChainHeadConfig(m=3, num_labels=3)), extractor),
        "features": (ChainHeadModel(ChainHeadConfig(m=3, n=5)), extractor),
        "forecast": (
            ChainHeadForTimeSeriesPrediction(ChainHeadConfig(quantiles=[0.1, 0.5, 0.9], **step)),
            None,
        ),
        "two-forecasts": (ChainHeadForTimeSeriesPrediction(ChainHeadConfig(**step | {"m": 2})), None),
        "text": (ChainHeadForSequenceClassification(ChainHeadConfig(num_labels=2, **words)), tokenizer),
        "tokens": (ChainHeadForTokenClassification(ChainHeadConfig(num_labels=2, **words)), tokenizer),
        "image": (ChainHeadForImageClassification(image), ChainHeadImageProcessor.for_config(image)),
        "frames": (ChainHeadForTokenClassification(ChainHeadConfig(m=3, num_labels=2)), extractor),
        "hops": (
            ChainHeadForSequenceClassification(
                ChainHeadConfig(m=3, hidden_sizes=[4, 4], channel_hops=[0, 1, 2, 4])
            ),
            extractor,
        ),
    }
    for name, (model, processor) in saved.items():
        model.save_pretrained(root / name)
        if processor is not None:
            processor.save_pretrained(root / name)
    save_classifier_of_sounds(root / "sound")
    return root
