"""Encoders with their own head, with a chain head, and with the same head without hops."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    PatchTSTConfig,
    PatchTSTForClassification,
    Wav2Vec2Config,
    Wav2Vec2ForSequenceClassification,
)

from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadForAudioClassification,
    ChainHeadForSequenceClassification,
)

HEADS = ("own head", "chain head", "chain head without hops")
_WIDTH = 32


class Logits(nn.Module):
    """A model as a function of series [batch, length, channels]."""

    def __init__(self, model: nn.Module, read: Callable[[nn.Module, Tensor], Tensor]) -> None:
        super().__init__()
        self.model = model
        self._read = read

    def forward(self, series: Tensor) -> Tensor:
        """Return logits [batch, labels]."""
        return self._read(self.model, series)


def patchtst(head: str, channels: int, length: int, labels: int) -> Logits:
    """A PatchTST of some 20,000 weights, for series of one length."""
    patch = max(2, length // 12)
    config = PatchTSTConfig(
        num_input_channels=channels,
        context_length=length,
        patch_length=patch,
        patch_stride=patch,
        d_model=_WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        ffn_dim=64,
        num_targets=labels,
        do_mask_input=False,
    )
    if head == "own head":
        return Logits(PatchTSTForClassification(config), lambda m, x: m(past_values=x).prediction_logits)
    model = ChainHeadForSequenceClassification(_with_head(config, head, labels))
    return Logits(model, lambda m, x: m(x).logits)


def wav2vec2(head: str, channels: int, length: int, labels: int) -> Logits:
    """A Wav2Vec2 of some 40,000 weights, for waveforms."""
    config = Wav2Vec2Config(
        hidden_size=_WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        conv_dim=(_WIDTH, _WIDTH, _WIDTH),
        conv_kernel=(10, 3, 3),
        conv_stride=(5, 2, 2),
        feat_extract_norm="layer",
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=4,
        classifier_proj_size=_WIDTH,
        apply_spec_augment=False,
        layerdrop=0.0,
        num_labels=labels,
    )
    if head == "own head":
        return Logits(Wav2Vec2ForSequenceClassification(config), lambda m, x: m(x.squeeze(2)).logits)
    model = ChainHeadForAudioClassification(_with_head(config, head, labels))
    return Logits(model, lambda m, x: m(x.squeeze(2)).logits)


def _with_head(encoder: Any, head: str, labels: int) -> ChainHeadConfig:
    hops = (
        {"channel_hops": [0]} if "without" in head else {"channel_hops": [-1, 0, 1], "bi_directional": True}
    )
    return ChainHeadConfig(backbone_config=encoder, hidden_sizes=[_WIDTH], num_labels=labels, **hops)


ENCODERS = {"PatchTST": patchtst, "Wav2Vec2": wav2vec2}


def count(model: nn.Module) -> int:
    """Return the number of weights."""
    return sum(weight.numel() for weight in model.parameters())


def accuracy(model: nn.Module, series: Tensor, labels: Tensor) -> float:
    """Return the share of series whose label a model finds."""
    model.eval()
    with torch.no_grad():
        found = torch.cat([model(part).argmax(1) for part in series.split(64)])
    return float((found == labels).double().mean())
