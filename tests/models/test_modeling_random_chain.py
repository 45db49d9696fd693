"""Random chain heads as a transformers model: configuration, files, pipelines and export."""

import json

import numpy as np
import pytest
import torch
from huggingface_hub.errors import StrictDataclassError
from transformers import (
    AutoConfig,
    AutoFeatureExtractor,
    AutoModelForSequenceClassification,
    pipeline,
)
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_TIME_SERIES_CLASSIFICATION_MAPPING,
    MODEL_FOR_TIME_SERIES_REGRESSION_MAPPING,
)

from chainhead_plugin import (
    ChainHeadFeatureExtractor,
    RandomChainConfig,
    RandomChainForSequenceClassification,
    fit_random_chain,
)
from tests.support.random_chains import two_kinds

SMALL = {"dilations": [1, 2], "num_biases": 2, "num_groups": 3, "group_size": 4, "num_levels": 5}


@pytest.fixture(scope="module")
def fitted():
    series, labels = two_kinds()
    return fit_random_chain(series, labels, id2label={0: "noise", 1: "walk"}, **SMALL).model


def nodes(count=3, length=50, m=1):
    return torch.randn(count, length, m)


def test_a_checkpoint_gives_the_same_bits(fitted, tmp_path):
    fitted.save_pretrained(tmp_path)
    loaded = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert type(loaded) is RandomChainForSequenceClassification
    assert loaded.config.id2label == {0: "noise", 1: "walk"}
    for (name, one), (_, other) in zip(fitted.state_dict().items(), loaded.state_dict().items(), strict=True):
        assert one.dtype == other.dtype, name
        assert torch.equal(one, other), name
    x = nodes()
    assert torch.equal(fitted(x).logits, loaded(x).logits)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_another_dtype_is_the_classifiers_alone(fitted, tmp_path, dtype):
    fitted.save_pretrained(tmp_path)
    loaded = AutoModelForSequenceClassification.from_pretrained(tmp_path, dtype=dtype)
    x = nodes()
    for model in (loaded, AutoModelForSequenceClassification.from_pretrained(tmp_path).to(dtype)):
        assert model.classifier.weight.dtype == dtype
        assert model.random_chain.feature_mean.dtype == torch.float32
        assert model(x).logits.dtype == dtype
        torch.testing.assert_close(model(x).logits.float(), fitted(x).logits, atol=0.05, rtol=0.02)


def test_an_untrained_model_is_drawn_from_its_seed():
    one, same, other = (
        RandomChainForSequenceClassification(RandomChainConfig(m=3, seed=seed, **SMALL)).random_chain
        for seed in (5, 5, 6)
    )
    assert torch.equal(one.group_taps, same.group_taps)
    assert not torch.equal(one.group_taps, other.group_taps)
    assert (one.feature_scale == 1).all()
    assert set(one.kernel_channels.unique().tolist()) == {0, 1}


def test_weights_that_a_checkpoint_lacks_are_drawn(fitted, tmp_path):
    """Built on no device first, as transformers does, every buffer is filled."""
    fitted.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["dilations"] = [1, 2, 4]
    (tmp_path / "config.json").write_text(json.dumps(config))
    loaded = RandomChainForSequenceClassification.from_pretrained(tmp_path, ignore_mismatched_sizes=True)
    expected = RandomChainForSequenceClassification(loaded.config)
    assert torch.equal(loaded.random_chain.group_taps, expected.random_chain.group_taps)
    assert loaded(nodes()).logits.isfinite().all()


def test_transformers_finds_everything(fitted, tmp_path):
    assert isinstance(AutoConfig.for_model("chainhead-random"), RandomChainConfig)
    for mapping in (MODEL_FOR_TIME_SERIES_CLASSIFICATION_MAPPING, MODEL_FOR_TIME_SERIES_REGRESSION_MAPPING):
        assert mapping[RandomChainConfig] is RandomChainForSequenceClassification
    fitted.save_pretrained(tmp_path)
    ChainHeadFeatureExtractor(feature_size=1).save_pretrained(tmp_path)
    assert isinstance(AutoFeatureExtractor.from_pretrained(tmp_path), ChainHeadFeatureExtractor)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["model_type"] == "chainhead-random"
    assert config["architectures"] == ["RandomChainForSequenceClassification"]


def test_the_pipeline_takes_series_of_any_lengths(fitted, tmp_path):
    fitted.save_pretrained(tmp_path)
    ChainHeadFeatureExtractor(feature_size=1).save_pretrained(tmp_path)
    classify = pipeline("time-series-classification", model=str(tmp_path), device="cpu")
    series, labels = two_kinds(20, seed=3)
    series = [one[: 60 - number] for number, one in enumerate(series)]
    found = classify(series, batch_size=8)
    assert [result[0]["label"] for result in found] == [["noise", "walk"][label] for label in labels]
    for one, result in zip(series, found, strict=True):
        probability = fitted(torch.from_numpy(one)[None, :, None]).logits.softmax(-1).max()
        assert result[0]["score"] == pytest.approx(probability.item(), abs=1e-5)


@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_changes_nothing(fitted, side):
    chains = [nodes(1, length) for length in (1, 9, 30)]
    batch, mask = torch.full((3, 30, 1), torch.nan), torch.zeros(3, 30, dtype=torch.int64)
    for row, chain in enumerate(chains):
        place = slice(30 - chain.size(1), 30) if side == "left" else slice(0, chain.size(1))
        batch[row, place], mask[row, place] = chain[0], 1
    expected = torch.cat([fitted(chain).logits for chain in chains])
    torch.testing.assert_close(fitted(batch, mask).logits, expected, atol=1e-6, rtol=1e-5)


def test_losses_follow_the_problem(fitted):
    labels = torch.tensor([0, 1, 1])
    outputs = fitted(nodes(), labels=labels)
    expected = torch.nn.functional.cross_entropy(outputs.logits, labels)
    torch.testing.assert_close(outputs.loss, expected)
    outputs.loss.backward()
    assert fitted.classifier.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("length", [12, 50, 90])
def test_it_is_exported_for_any_length_and_batch(fitted, length):
    dynamic = {0: torch.export.Dim.AUTO, 1: torch.export.Dim.AUTO}
    exported = torch.export.export(
        fitted,
        (),
        {"input_features": nodes(3, 40), "attention_mask": torch.ones(3, 40, dtype=torch.int64)},
        dynamic_shapes={"input_features": dynamic, "attention_mask": dynamic},
        strict=False,
    ).module()
    x, mask = nodes(5, length), torch.ones(5, length, dtype=torch.int64)
    mask[0, length // 2 :] = 0
    found = exported(input_features=x, attention_mask=mask).logits
    torch.testing.assert_close(found, fitted(x, mask).logits, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"m": 0}, "m must be a whole number between 1 and"),
        ({"dilations": []}, "the number of dilations must be a whole number between 1 and 64"),
        ({"dilations": [2, 1]}, "ascending"),
        ({"dilations": [1, 1]}, "different"),
        ({"dilations": [0]}, "each of dilations must be a whole number between 1 and"),
        ({"num_biases": 0}, "num_biases must be a whole number between 1 and"),
        ({"num_groups": 4, "group_size": 1}, "at least 2"),
        ({"num_groups": 0, "group_size": 3}, "num_groups=0"),
        ({"reference_length": 0}, "reference_length"),
        ({"m": 60_000, "num_levels": 60_000}, "more than"),
        ({"problem_type": "ranking"}, "problem_type"),
    ],
)
def test_fields_are_checked(fields, message):
    with pytest.raises((StrictDataclassError, ValueError), match=message):
        RandomChainConfig(**fields)


def test_a_misspelt_field_is_named():
    with pytest.raises(TypeError, match="did you mean 'dilations'"):
        RandomChainConfig(dilation=[1])


def test_wrong_inputs_are_named(fitted):
    with pytest.raises(ValueError, match=r"expected \[batch, length, 1\]"):
        fitted(torch.zeros(2, 5, 3))
    with pytest.raises(ValueError, match="attention_mask has shape"):
        fitted(nodes(), torch.ones(3, 4))
    with pytest.raises(TypeError, match="takes no argument 'input_ids'"):
        fitted(nodes(), input_ids=torch.zeros(3, 50))


def test_sizes_are_those_of_the_configuration(fitted):
    assert fitted.config.hidden_size == fitted.random_chain.plan.num_features == fitted.classifier.in_features
    assert np.prod(fitted.classifier.weight.shape) == 2 * fitted.config.hidden_size


def test_its_card_says_what_it_is(fitted, tmp_path):
    fitted.save_pretrained(tmp_path)
    ChainHeadFeatureExtractor(feature_size=1).save_pretrained(tmp_path)
    files = RandomChainForSequenceClassification.card_files(tmp_path, "owner/name")
    assert list(files) == ["README.md"]
    card = files["README.md"].decode()
    assert 'pipeline("time-series-classification", model="owner/name")' in card
    assert "| dilations | 1, 2 |" in card
    assert "| labels | noise, walk |" in card
    assert "chain-matrix" not in card
