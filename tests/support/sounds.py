"""Files of sound, and a small model that takes them."""

import wave
from pathlib import Path
from typing import Any

import numpy as np
from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model

from chainhead_plugin import ChainHeadForAudioClassification


def write_sound(file: Path, samples: Any, rate: int) -> None:
    """Write samples from -32,768 to 32,767 as a WAV file of one channel."""
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(np.array(samples, "<i2").tobytes())


def save_classifier_of_sounds(folder: Path) -> None:
    """Save a chain head with the labels low and high on a small encoder of audio, with its feature extractor."""
    encoder = Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=(16,),
        conv_kernel=(10,),
        conv_stride=(5,),
        feat_extract_norm="layer",
        num_conv_pos_embedding_groups=4,
    )
    head = ChainHeadForAudioClassification.from_backbone(
        Wav2Vec2Model(encoder), hidden_sizes=[8], id2label={0: "low", 1: "high"}
    )
    head.save_pretrained(folder)
    Wav2Vec2FeatureExtractor(return_attention_mask=True).save_pretrained(folder)
