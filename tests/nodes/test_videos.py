"""Encoders of videos in chain head models: their nodes are the encoder's own, one video or several at once."""

import pytest
import torch
from transformers import MODEL_FOR_VIDEO_CLASSIFICATION_MAPPING, MODEL_MAPPING, ViTConfig, ViTModel
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from chainhead_plugin import ChainHeadForSequenceClassification, ChainHeadForTokenClassification
from chainhead_plugin.hub.uses import sizes_of, task_of

_SMALL = {"patch_size": 4, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
_FRAMES = _SMALL | {"image_size": 8, "num_frames": 4, "intermediate_size": 16}
_PREDICTOR = {"pred_hidden_size": 16, "pred_num_attention_heads": 2, "pred_num_hidden_layers": 1}
# By model type, the fields of a small encoder.
FAMILIES = {
    "timesformer": _FRAMES,
    "videomae": _FRAMES,
    "videoprism_vision_model": _FRAMES
    | {"tubelet_size": [1, 4, 4], "num_spatial_layers": 1, "num_temporal_layers": 1},
    "vivit": _FRAMES | {"tubelet_size": [2, 4, 4]},
    "vjepa2": _SMALL | _PREDICTOR | {"crop_size": 8, "frames_per_clip": 4, "mlp_ratio": 2},
}


def encoder_of(family):
    torch.manual_seed(0)
    config = CONFIG_MAPPING[family](**FAMILIES[family])
    return MODEL_MAPPING[type(config)](config).eval()


@pytest.mark.families
def test_every_family_is_tried():
    assert {config.model_type for config in MODEL_FOR_VIDEO_CLASSIFICATION_MAPPING} <= set(FAMILIES)


@pytest.mark.parametrize("family", [family for family in FAMILIES if family in CONFIG_MAPPING])
def test_videos_become_the_nodes_that_the_encoder_makes(family, tmp_path):
    encoder = encoder_of(family)
    model = ChainHeadForSequenceClassification.from_backbone(
        encoder, hidden_sizes=[8], bi_directional=True, num_labels=3, freeze_backbone=True
    )
    shape = sizes_of(model.config)["recording"]
    assert task_of(type(model), model.config) is None
    videos = torch.randn(2, *shape[1:])
    with torch.no_grad():
        options = {"skip_predictor": True} if family == "vjepa2" else {}
        nodes = encoder(videos, **options).last_hidden_state
        expected = model.classifier(model.chainhead.layers[0](nodes).mean(1))
        logits = model(videos).logits
        torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(model(videos[1:]).logits, logits[1:], rtol=1e-4, atol=1e-6)
    model.save_pretrained(tmp_path)
    loaded = ChainHeadForSequenceClassification.from_pretrained(tmp_path)
    assert torch.equal(loaded(videos).logits, logits)


def test_an_encoder_of_videos_is_trained():
    model = ChainHeadForTokenClassification.from_backbone(encoder_of("videomae"), n=8, num_labels=3).train()
    videos = torch.randn(2, 4, 3, 8, 8)
    count = model(videos).logits.size(1)
    model(videos, labels=torch.randint(3, (2, count))).loss.backward()
    assert all(weight.grad is not None for weight in model.chainhead.backbone.encoder.parameters())


def test_what_does_not_fit_is_told():
    model = ChainHeadForSequenceClassification.from_backbone(encoder_of("videomae"), n=8, num_labels=3)
    with pytest.raises(
        ValueError, match=r"VideoMAEModel is given values of shape \(2, 3, 8, 8\), expected videos"
    ):
        model(torch.randn(2, 3, 8, 8))
    with pytest.raises(ValueError, match="it was made for videos of 4 frames, but these have 2"):
        model(torch.randn(1, 2, 3, 8, 8))
    with pytest.raises(ValueError, match="VideoMAEModel takes videos of one length"):
        model(torch.randn(1, 4, 3, 8, 8), torch.tensor([[1, 1, 1, 0]]))
    images = ViTModel(ViTConfig(**_SMALL, image_size=8, intermediate_size=16))
    with pytest.raises(
        ValueError, match=r"ViTModel takes pixel_values, expected one of .*past_values, or videos"
    ):
        ChainHeadForSequenceClassification.from_backbone(images, n=8)
