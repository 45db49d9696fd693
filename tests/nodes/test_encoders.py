"""Encoders of audio and series in chain head models: with and without padding, frozen, trained, copied, refused."""

import pytest
import torch
from encoder_families import FAMILIES, MORE_FAMILIES, UNFIT, alone, batch, build
from huggingface_hub.errors import StrictDataclassError
from transformers import (
    MODEL_MAPPING,
    BartConfig,
    EncodecConfig,
    InformerConfig,
    Wav2Vec2Config,
    Wav2Vec2ForCTC,
    WhisperConfig,
    WhisperForConditionalGeneration,
)

from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadForAudioClassification,
    ChainHeadForSequenceClassification,
    ChainHeadForTokenClassification,
    ChainHeadModel,
)

WAVES = FAMILIES["wav2vec2"]


def check_padded_and_alone(family):
    model = build(family)
    values, mask = batch(family)
    with torch.no_grad():
        together = model(values, mask).logits
        for row in range(2):
            single, own_mask = alone(family, values, mask, row)
            torch.testing.assert_close(
                together[row : row + 1], model(single, own_mask).logits, rtol=1e-4, atol=1e-6
            )
        if not family.one_length:
            shift = family.shape[family.axis] - family.length
            turned = torch.stack([values[0], values[1].roll(shift, family.axis - 1)])
            turned_mask = torch.stack([mask[0], mask[1].roll(shift)])
            torch.testing.assert_close(model(turned, turned_mask).logits, together, rtol=1e-4, atol=1e-6)
    assert not torch.allclose(together[0], together[1])


@pytest.mark.parametrize("name", FAMILIES)
def test_a_padded_recording_or_series_gives_what_it_gives_alone(name):
    check_padded_and_alone(FAMILIES[name])


# WavLM's attention gives torch masks of two dtypes.
@pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask:UserWarning")
@pytest.mark.slow
@pytest.mark.families
@pytest.mark.parametrize("name", MORE_FAMILIES)
def test_a_padded_recording_or_series_gives_what_it_gives_alone_in_every_family(name):
    check_padded_and_alone(MORE_FAMILIES[name])


@pytest.mark.slow
@pytest.mark.families
def test_every_family_of_audio_and_series_is_tried_or_has_a_reason():
    found = set()
    for config_class in MODEL_MAPPING:
        try:
            model_class = MODEL_MAPPING[config_class]
            taken = (model_class[0] if isinstance(model_class, tuple) else model_class).main_input_name
        except (ImportError, ValueError):
            continue  # it needs a package that is not installed, or is not there in this version
        if taken not in ("input_ids", "pixel_values", "pixel_values_videos"):
            found.add(config_class.model_type)
    tried = {family.model_type for family in (FAMILIES | MORE_FAMILIES).values()}
    assert not tried & set(UNFIT)
    assert found - tried - set(UNFIT) == set()


def test_nodes_are_counted_as_the_encoder_counts_them():
    model = build(WAVES, ChainHeadModel)
    values, mask = batch(WAVES)
    outputs = model(values, mask)
    encoder = model.backbone
    expected = encoder._get_feature_vector_attention_mask(outputs.last_hidden_state.size(1), mask)
    assert torch.equal(outputs.node_mask, expected)
    assert not outputs.last_hidden_state[~expected].any()
    assert model(values).node_mask is None
    frames = build(WAVES, ChainHeadForTokenClassification)(values, mask)
    assert frames.logits.shape == (*expected.shape, 3)
    assert torch.equal(frames.node_mask, expected)


@pytest.mark.parametrize("frozen", [False, True])
def test_an_encoder_is_trained_or_frozen_and_stays_so(frozen, tmp_path):
    model = build(WAVES, freeze_backbone=frozen)
    model.save_pretrained(tmp_path)
    loaded = ChainHeadForSequenceClassification.from_pretrained(tmp_path)
    values, mask = batch(WAVES)
    assert torch.equal(loaded(values, mask).logits, model(values, mask).logits)
    loaded.train()
    assert loaded.chainhead.backbone.training is not frozen
    # Of the encoder's own: what replaces frames while it is pretrained.
    loaded.chainhead.backbone.config.apply_spec_augment = False
    loaded(values, mask, labels=torch.tensor([0, 2])).loss.backward()
    for name, weight in loaded.named_parameters():
        in_encoder = "backbone" in name
        assert weight.requires_grad == (not (frozen and in_encoder)), name
        if "masked_spec_embed" not in name:
            assert (weight.grad is not None) == weight.requires_grad, name


def test_weights_are_copied_from_whatever_holds_the_encoder():
    values, mask = batch(WAVES)
    source = Wav2Vec2ForCTC(Wav2Vec2Config(**WAVES.fields)).eval()
    model = ChainHeadForAudioClassification.from_backbone(source, hidden_sizes=[8], freeze_backbone=True)
    expected = source.wav2vec2(values, attention_mask=mask).last_hidden_state
    assert torch.equal(model.chainhead.backbone(values, attention_mask=mask).last_hidden_state, expected)
    speech = FAMILIES["whisper"]
    source = WhisperForConditionalGeneration(WhisperConfig(**speech.fields)).eval()
    model = ChainHeadForAudioClassification.from_backbone(source, hidden_sizes=[8])
    values, mask = batch(speech)
    expected = source.model.encoder(values).last_hidden_state
    assert torch.equal(model.chainhead.backbone(values).last_hidden_state, expected)
    assert "decoder" not in str([name for name, _ in model.named_parameters()])
    assert torch.equal(model(input_features=values, attention_mask=mask).logits, model(values, mask).logits)


def test_series_may_have_gaps_and_any_number_of_channels():
    family = FAMILIES["patchtst"]
    model = build(family)
    values, mask = batch(family)
    values[0, 5] = torch.nan
    assert model(values, mask).logits.isfinite().all()
    with pytest.raises(ValueError, match="at most its context_length=40"):
        model(torch.randn(1, 41, 2))
    # Each channel through the encoder alone: those of one alone come first among the features.
    both, one = build(FAMILIES["timesfm"], ChainHeadModel), build(FAMILIES["timesfm"], ChainHeadModel, m=16)
    one.backbone.load_state_dict(both.backbone.state_dict())
    seen = {}
    for model, given in ((both, values.nan_to_num()), (one, values.nan_to_num()[..., :1])):
        model.layers.register_forward_pre_hook(lambda *_: None)
        model.layers[0].register_forward_pre_hook(lambda _, args, m=model: seen.update({m.config.m: args[0]}))
        model(given, mask)
    assert torch.allclose(seen[32][..., :16], seen[16], atol=1e-6)


def test_what_cannot_be_an_encoder_is_told_by_name():
    small = {"hidden_sizes": [8]}
    with pytest.raises(
        ValueError, match="InformerModel cannot be an encoder: beside past_values it needs past_time"
    ):
        ChainHeadModel(
            ChainHeadConfig(backbone_config=InformerConfig(prediction_length=3, d_model=16), **small)
        )
    with pytest.raises(ValueError, match="describes no audio"):
        ChainHeadForAudioClassification(ChainHeadConfig(backbone_config=BartConfig(d_model=16), **small))
    with pytest.raises(ValueError, match="describes no audio"):
        ChainHeadForAudioClassification(ChainHeadConfig(vocab_size=5, m=4, **small))
    with pytest.raises(StrictDataclassError, match="differs from the 16 features"):
        build(WAVES, m=24)
    model = build(WAVES, ChainHeadForAudioClassification)
    with pytest.raises(ValueError, match="exactly one of input_values and input_features"):
        model(attention_mask=torch.ones(1, 200))
    with pytest.raises(ValueError, match="takes no input_values of shape"):
        model(torch.randn(1, 3))
    with pytest.raises(ValueError, match="expected a mask with a value for every step"):
        model(torch.randn(1, 200), torch.ones(1, 7))
    codec = ChainHeadModel(
        ChainHeadConfig(backbone_config=EncodecConfig(num_filters=4, hidden_size=16), m=16)
    )
    with pytest.raises(TypeError, match="EncodecModel gives no last_hidden_state"):
        codec(torch.randn(1, 1, 3200))


def test_padded_recordings_are_exported_or_told():
    model = build(WAVES, ChainHeadForAudioClassification)
    waves, mask = torch.randn(2, 300), torch.ones(2, 300, dtype=torch.long)
    other = mask.clone()
    mask[1, 200:], other[0, 150:] = 0, 0
    exported = torch.export.export(model, (waves, mask), strict=False).module()
    for given in (mask, other):
        found, expected = exported(waves, given)["logits"], model(waves, given).logits
        assert torch.allclose(found, expected, atol=1e-6)
    apart = build(FAMILIES["wav2vec2, group norm"], ChainHeadForAudioClassification)
    with pytest.raises(ValueError, match="export without attention_mask"):
        torch.export.export(apart, (waves, mask), strict=False)
