"""torch.export and ONNX of models of tokens, images and series, for batch sizes and lengths not seen at export."""

import onnxruntime
import pytest
import torch
from transformers import BertConfig, ResNetConfig, TimmBackboneConfig

from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadForImageClassification,
    ChainHeadForSequenceClassification,
    ChainHeadForTimeSeriesPrediction,
    ChainHeadForTokenClassification,
)

ANY = torch.export.Dim.DYNAMIC
EXPONENTIAL = {"with_exponential_approx": True, "bi_directional": True}
BERT = BertConfig(
    vocab_size=11, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=12
)
RESNET = ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1])


def tokens(batch, length):
    mask = torch.ones(batch, length, dtype=torch.int64)
    mask[0, length - length // 3 :] = 0
    return {"input_ids": torch.randint(11, (batch, length)), "attention_mask": mask}


def pictures(unit, width):
    """Images of `length` units in height."""
    return lambda batch, length: {"pixel_values": torch.randn(batch, 3, unit * length, width)}


def series(channels, covariates=0, masked=False):
    """Series that start late and have gaps."""

    def make(batch, length):
        past = 3 * torch.randn(batch, length, channels) + 5
        past[0, : length // 3] = float("nan")
        past[-1, length // 2] = float("nan")
        inputs = {"past_values": past}
        if masked:
            inputs["past_observed_mask"] = torch.rand(batch, length, channels) > 0.1
        if covariates:
            inputs["past_time_features"] = torch.randn(batch, length, covariates)
            inputs["future_time_features"] = torch.randn(batch, 4, covariates)
        return inputs

    return make


# The class, its configuration, what makes its inputs, and the axis of the length beside that of the batch.
CASES = {
    "tokens": (
        ChainHeadForSequenceClassification,
        {"vocab_size": 11, "m": 4, "pad_token_id": 0, "hidden_sizes": [6, 5], **EXPONENTIAL},
        tokens,
        {1: ANY},
    ),
    "encoder": (ChainHeadForTokenClassification, {"backbone_config": BERT}, tokens, {1: ANY}),
    "rows": (ChainHeadForImageClassification, {"image_size": [12, 16]}, pictures(1, 16), {2: ANY}),
    "patches": (
        ChainHeadForImageClassification,
        {"patch_size": 4, **EXPONENTIAL},
        pictures(4, 24),
        {2: 4 * torch.export.Dim("rows", min=2)},
    ),
    "backbone": (
        ChainHeadForImageClassification,
        {"backbone_config": RESNET, "bi_directional": True},
        pictures(8, 48),
        {2: ANY},
    ),
    "timm": (
        ChainHeadForImageClassification,
        {"backbone_config": TimmBackboneConfig(backbone="test_resnet"), "m": 96, "scan": "row-major"},
        pictures(32, 64),
        {2: ANY},
    ),
    "quantiles": (
        ChainHeadForTimeSeriesPrediction,
        {"m": 1, "pooling": "flatten", "quantiles": [0.1, 0.5, 0.9]},
        series(1),
        {1: torch.export.Dim("length", max=12)},
    ),
    "targets": (
        ChainHeadForTimeSeriesPrediction,
        {"m": 6, "pooling": "last", "with_observed_indicator": True, "prediction_channel_indices": [0, 2]},
        series(3, masked=True),
        {1: ANY},
    ),
    "covariates": (
        ChainHeadForTimeSeriesPrediction,
        {"m": 3, "num_time_features": 2, "scaling": "mean"},
        series(1, covariates=2),
        {1: ANY},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("model_class", "fields", "make", "free"), CASES.values(), ids=CASES)
def test_all_outputs_at_any_batch_and_length(model_class, fields, make, free, tmp_path):
    options = {"chain_length": 12}
    if model_class is ChainHeadForTimeSeriesPrediction:
        options |= {"prediction_length": 4}
    if "hidden_sizes" not in fields:
        options |= {"n": 6}
    model = model_class(ChainHeadConfig(**(options | fields), num_labels=3)).eval()
    inputs = make(2, 10)
    shapes = {name: {0: ANY} | ({} if name == "future_time_features" else free) for name in inputs}
    program = torch.export.export(model, (), inputs, dynamic_shapes=shapes, strict=False)
    exported = program.module()
    path = tmp_path / "model.onnx"
    torch.onnx.export(program, dynamo=True).save(path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert [one.name for one in session.get_inputs()] == list(inputs)
    for size, length in ((2, 10), (3, 12), (5, 2), (2, 40)):
        if length > 12 and model.config.pooling == "flatten":
            continue
        inputs = make(size, length)
        expected = model(**inputs)
        assert all(value.isfinite().all() for value in expected.values())
        torch.testing.assert_close(dict(exported(**inputs)), dict(expected), rtol=1e-4, atol=1e-4)
        found = session.run(None, {name: value.numpy() for name, value in inputs.items()})
        assert len(found) == len(expected)
        for one, wanted in zip(found, expected.values(), strict=True):
            torch.testing.assert_close(torch.from_numpy(one), wanted, rtol=1e-4, atol=1e-4)
