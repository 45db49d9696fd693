"""Image encoders that are no backbones: their patches are nodes at the places where they lie in the image."""

import pytest
import torch
from transformers import MODEL_MAPPING, LevitConfig, LevitModel, ViTMAEConfig, ViTMAEModel
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from chainhead_plugin import ChainHeadForImageClassification

_PATCHES = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "image_size": [16, 24],
    "patch_size": 4,
}
_SQUARE = _PATCHES | {"image_size": 16}
# By model type: the fields of a small encoder, the nodes before its patches, and the rows and columns of these.
FAMILIES = {
    "vit": (_PATCHES, 1, (4, 6)),
    "clip_vision_model": (_SQUARE, 1, (4, 4)),
    "siglip_vision_model": (_SQUARE, 0, (4, 4)),
    "deit": (_SQUARE, 2, (4, 4)),
    "regnet": ({"embedding_size": 4, "hidden_sizes": [4, 8], "depths": [1, 1], "groups_width": 4}, 0, None),
    "mobilevit": (
        {
            "image_size": 64,
            "hidden_sizes": [8, 8, 8],
            "neck_hidden_sizes": [8] * 7,
            "num_attention_heads": 2,
        },
        0,
        None,
    ),
}


def encoder_of(family):
    torch.manual_seed(0)
    config = CONFIG_MAPPING[family](**FAMILIES[family][0])
    found = MODEL_MAPPING[type(config)]
    return (found[0] if isinstance(found, tuple) else found)(config).eval()


@pytest.mark.parametrize("family", FAMILIES)
def test_patches_are_nodes_at_their_places(family, tmp_path):
    encoder, (_, before, places) = encoder_of(family), FAMILIES[family]
    model = ChainHeadForImageClassification.from_backbone(
        encoder, hidden_sizes=[8], bi_directional=True, num_labels=3, scan="row-major"
    )
    height, width = (64, 64) if places is None else (4 * places[0], 4 * places[1])
    images = torch.randn(2, 3, height, width)
    with torch.no_grad():
        nodes = encoder(images).last_hidden_state
        if places is not None:
            nodes = nodes[:, before:].unflatten(1, places).permute(0, 3, 1, 2)
        expected = model.classifier(model.chainhead(nodes.flatten(2).mT).last_hidden_state.mean(1))
        logits = model(images).logits
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-6)
    model.save_pretrained(tmp_path)
    loaded = ChainHeadForImageClassification.from_pretrained(tmp_path)
    assert torch.equal(loaded(images).logits, logits)


def test_encoders_whose_nodes_have_no_place_are_told():
    small = {
        "hidden_sizes": [8, 8, 8],
        "num_attention_heads": [1, 1, 1],
        "key_dim": [4, 4, 4],
        "depths": [1, 1, 1],
    }
    with pytest.raises(
        ValueError, match="LevitModel gives 16 nodes of 14×14 patches, expected one for every patch"
    ):
        ChainHeadForImageClassification.from_backbone(LevitModel(LevitConfig(**small)), n=8)
    decoder = {"decoder_hidden_size": 16, "decoder_num_attention_heads": 2, "decoder_num_hidden_layers": 1}
    shuffles = ViTMAEModel(ViTMAEConfig(**_SQUARE, **decoder, mask_ratio=0.0))
    with pytest.raises(ValueError, match="ViTMAEModel is no image backbone, and no encoder that keeps"):
        ChainHeadForImageClassification.from_backbone(shuffles, n=8)
