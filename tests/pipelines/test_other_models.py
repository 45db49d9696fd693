"""Models of transformers in the pipelines here give the numbers of the model called directly."""

import numpy as np
import pytest
import torch
from transformers import (
    AutoformerConfig,
    AutoformerForPrediction,
    InformerConfig,
    InformerForPrediction,
    PatchTSMixerConfig,
    PatchTSMixerForPrediction,
    PatchTSMixerForRegression,
    PatchTSMixerForTimeSeriesClassification,
    PatchTSTConfig,
    PatchTSTForClassification,
    PatchTSTForPrediction,
    PatchTSTForRegression,
    TimeSeriesTransformerConfig,
    TimeSeriesTransformerForPrediction,
    TimesFm2_5Config,
    TimesFm2_5ModelForPrediction,
    TimesFmConfig,
    TimesFmModelForPrediction,
    pipeline,
)

import chainhead_plugin  # noqa: F401  (makes the pipelines known)

PATCHES = {"num_input_channels": 2, "context_length": 24, "patch_length": 8, "patch_stride": 8, "d_model": 8}
PATCHTST = PATCHES | {"num_hidden_layers": 1, "num_attention_heads": 2, "ffn_dim": 8}
FORECASTERS = {
    "patchtst": (PatchTSTForPrediction, PatchTSTConfig(**PATCHTST, prediction_length=4, loss="mse")),
    "patchtst, samples": (
        PatchTSTForPrediction,
        PatchTSTConfig(**PATCHTST, prediction_length=4, loss="nll", num_parallel_samples=7),
    ),
    "patchtsmixer": (
        PatchTSMixerForPrediction,
        PatchTSMixerConfig(**PATCHES, num_layers=1, prediction_length=4, scaling="std"),
    ),
}
DECODER = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "patch_length": 8,
    "head_dim": 8,
    "context_length": 32,
    "horizon_length": 8,
}
TIMESFM = {
    "timesfm": (TimesFmModelForPrediction, TimesFmConfig(**DECODER)),
    "timesfm2_5": (
        TimesFm2_5ModelForPrediction,
        TimesFm2_5Config(
            **DECODER, num_key_value_heads=2, output_quantile_len=8, decode_index=5, infer_is_positive=False
        ),
    ),
}
LAGGED = {
    "prediction_length": 4,
    "context_length": 12,
    "lags_sequence": [1, 2],
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 8,
    "decoder_ffn_dim": 8,
    "d_model": 16,
    "num_parallel_samples": 5,
}
LAGS = {
    "time_series_transformer": (TimeSeriesTransformerForPrediction, TimeSeriesTransformerConfig),
    "informer": (InformerForPrediction, InformerConfig),
    "autoformer": (AutoformerForPrediction, AutoformerConfig),
}


def series(channels, *lengths):
    rng = np.random.default_rng(0)
    return [50 + 5 * rng.normal(size=(length, channels)).cumsum(0) for length in lengths]


def build(model_class, config):
    torch.manual_seed(0)
    return model_class(config).eval()


@pytest.mark.parametrize("name", FORECASTERS)
def test_forecasts_of_patches(name):
    model = build(*FORECASTERS[name])
    forecaster = pipeline("time-series-forecasting", model=model)
    given = series(2, 30, 24, 15)
    torch.manual_seed(1)
    found = forecaster(given, batch_size=3)
    last = [values[-24:] for values in given]
    # A shorter series is told to be shorter, behind padding of its own mean.
    past = np.stack([np.vstack([np.tile(v.mean(0), (24 - len(v), 1)), v]) for v in last])
    observed = np.stack([np.arange(24)[:, None] >= 24 - len(v) for v in last]).repeat(2, 2)
    mask = "observed_mask" if "mixer" in name else "past_observed_mask"
    inputs = {"past_values": torch.tensor(past).float(), mask: torch.tensor(observed).float()}
    torch.manual_seed(1)
    with torch.no_grad():
        if "samples" in name:
            samples = model.generate(**inputs).sequences
            expected = samples.median(1).values
            low = torch.quantile(samples, 0.1, 1)
            np.testing.assert_allclose([r["quantiles"][0.1] for r in found], low, rtol=1e-4)
        else:
            expected = model(**inputs).prediction_outputs
            assert set(found[0]) == {"forecast"}
    np.testing.assert_allclose([result["forecast"] for result in found], expected, rtol=1e-4)
    assert np.shape(forecaster(given[0], prediction_length=6)["forecast"]) == (6, 2)
    with pytest.raises(ValueError, match="context_length"):
        forecaster(given[0], context_length=25)


@pytest.mark.parametrize("name", TIMESFM)
def test_forecasts_of_one_channel_with_quantiles(name):
    model = build(*TIMESFM[name])
    forecaster = pipeline("time-series-forecasting", model=model)
    given = [values[:, 0] for values in series(1, 40, 20)]
    found = forecaster(given, batch_size=2, batched=True)
    with torch.no_grad():
        outputs = model(past_values=[torch.tensor(values).float() for values in given])
    np.testing.assert_allclose([r["forecast"] for r in found], outputs.mean_predictions, rtol=1e-4)
    levels = list(found[0]["quantiles"])
    assert levels == list(model.config.quantiles)
    told = np.stack([[r["quantiles"][level] for level in levels] for r in found])
    np.testing.assert_allclose(told, outputs.full_predictions[..., 1:].transpose(1, 2), rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "covariates"), [("time_series_transformer", 1), ("informer", 0), ("autoformer", 1)]
)
def test_forecasts_by_samples(name, covariates):
    model_class, config_class = LAGS[name]
    model = build(model_class, config_class(**LAGGED, num_time_features=covariates))
    forecaster = pipeline("time-series-forecasting", model=model)
    [values] = series(1, 14)
    past_features = np.linspace(0, 1, 14)[:, None][:, :covariates]
    future_features = np.linspace(1, 2, 4)[:, None][:, :covariates]
    given = np.hstack([values, past_features])
    if covariates:
        given = np.vstack([given, np.hstack([np.full((4, 1), np.nan), future_features])])
    torch.manual_seed(1)
    found = forecaster(given, quantiles=[0.1, 0.9], batched=False)
    torch.manual_seed(1)
    with torch.no_grad():
        samples = model.generate(
            past_values=torch.tensor(values[:, 0]).float()[None],
            past_time_features=torch.tensor(past_features).float()[None],
            future_time_features=torch.tensor(future_features).float()[None],
            past_observed_mask=torch.ones(1, 14),
        ).sequences
    np.testing.assert_allclose(found["forecast"], samples[0].median(0).values, rtol=1e-4)
    np.testing.assert_allclose(found["quantiles"][0.9], torch.quantile(samples[0], 0.9, 0), rtol=1e-4)


def test_what_other_forecasters_want_is_told():
    config = InformerConfig(**LAGGED, num_static_real_features=1)
    with pytest.raises(ValueError, match="num_static_real_features=1, which a series does not have"):
        pipeline("time-series-forecasting", model=build(InformerForPrediction, config))


CLASSIFIERS = {
    "patchtst": (PatchTSTForClassification, PatchTSTConfig(**PATCHTST, num_targets=3), "prediction_logits"),
    "patchtst, names": (
        PatchTSTForClassification,
        PatchTSTConfig(**PATCHTST, num_targets=2, id2label={0: "gun", 1: "point"}),
        "prediction_logits",
    ),
    "patchtst, values": (
        PatchTSTForRegression,
        PatchTSTConfig(**PATCHTST, num_targets=2, loss="mse"),
        "regression_outputs",
    ),
    "patchtsmixer": (
        PatchTSMixerForTimeSeriesClassification,
        PatchTSMixerConfig(**PATCHES, num_layers=1, num_targets=3, scaling="std"),
        "prediction_outputs",
    ),
    "patchtsmixer, values": (
        PatchTSMixerForRegression,
        PatchTSMixerConfig(**PATCHES, num_layers=1, num_targets=2, loss="mse"),
        "regression_outputs",
    ),
}


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_labels_and_values_of_series(name, tmp_path):
    model_class, config, output = CLASSIFIERS[name]
    model = build(model_class, config)
    model.save_pretrained(tmp_path)
    classifier = pipeline("time-series-classification", model=str(tmp_path))
    assert type(classifier.model) is model_class
    given = series(2, 24, 15)
    found = classifier(given, batch_size=2, top_k=None)
    past = np.stack([given[0], np.vstack([np.tile(given[1].mean(0), (9, 1)), given[1]])])
    inputs = {"past_values": torch.tensor(past).float()}
    if "mixer" not in name:
        inputs["past_observed_mask"] = torch.ones(2, 24, 2)
        inputs["past_observed_mask"][1, :9] = 0
    with torch.no_grad():
        expected = model(**inputs)[output]
    if output != "regression_outputs":
        expected = expected.softmax(-1)
    labels = ["gun", "point"] if "names" in name else [f"LABEL_{i}" for i in range(expected.size(1))]
    for answers, row in zip(found, expected.tolist(), strict=True):
        scores = {answer["label"]: answer["score"] for answer in answers}
        assert scores == pytest.approx(dict(zip(labels, row, strict=True)), rel=1e-4, abs=1e-6)
    with pytest.raises(ValueError, match="at most its context_length=24"):
        classifier(series(2, 25)[0])
