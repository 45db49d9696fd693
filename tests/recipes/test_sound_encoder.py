"""Recipes of sounds with a pretrained encoder of audio: frozen or trained, waveforms or spectra."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from command_line import invoke
from encoder_recipes import check_whole_model
from recipe_writing import write_recipe
from sounds import write_sound
from transformers import (
    ASTConfig,
    ASTFeatureExtractor,
    ASTModel,
    AutoFeatureExtractor,
    ClapFeatureExtractor,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2Model,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperModel,
    pipeline,
)

from chainhead_plugin.inputs.sounds.sound_files import read_sound
from chainhead_plugin.recipes.data.load import load_data
from chainhead_plugin.recipes.pretrained.encoder import load_encoder
from chainhead_plugin.recipes.recipe import RecipeError
from chainhead_plugin.recipes.recipe_files import load_recipe
from chainhead_plugin.recipes.training.measuring import measure
from chainhead_plugin.recipes.training.runs import Runs

RATE = 8_000
CONTENT = {
    "name": "tones",
    "task": "audio-classification",
    "data": {"train": "tones", "test_share": 0.25},
    "encoder": {"folder": "waves"},
    "model": {"n": 8, "channel_hops": [0, 1]},
    "training": {"num_train_epochs": 1, "per_device_train_batch_size": 8},
    "learning_rates": [0.02],
    "validation_share": 0.25,
    "seeds": [0],
    "threads": 1,
}
WAVES = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
WAVES |= {"conv_dim": (16, 16), "conv_kernel": (10, 3), "conv_stride": (5, 2), "initializer_range": 0.5}
WAVES |= {"num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4}
WHISPER = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "vocab_size": 8, "num_mel_bins": 16}
WHISPER |= {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "max_source_positions": 50}
WHISPER |= {f"{name}_token_id": 0 for name in ("pad", "bos", "eos", "decoder_start")}
AST = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
AST |= {"num_mel_bins": 16, "max_length": 100}
# Each with its usual extractor, as it comes: only the last of them needs recordings of its own rate.
ENCODERS = {
    "waves": (
        Wav2Vec2Model,
        Wav2Vec2Config(**WAVES, feat_extract_norm="layer"),
        Wav2Vec2FeatureExtractor(sampling_rate=RATE),
    ),
    "grouped": (
        Wav2Vec2Model,
        Wav2Vec2Config(**WAVES, feat_extract_norm="group"),
        Wav2Vec2FeatureExtractor(sampling_rate=RATE),
    ),
    "whisper": (
        WhisperModel,
        WhisperConfig(**WHISPER, encoder_ffn_dim=16, decoder_ffn_dim=16),
        WhisperFeatureExtractor(feature_size=16, chunk_length=1),
    ),
    "ast": (ASTModel, ASTConfig(**AST), ASTFeatureExtractor(num_mel_bins=16, max_length=100)),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Tiny encoders with random weights, and twelve tones, low and high, that they can tell apart."""
    folder = tmp_path_factory.mktemp("sound-encoder")
    torch.manual_seed(0)
    for name, (model_class, config, extractor) in ENCODERS.items():
        model_class(config).save_pretrained(folder / name)
        extractor.save_pretrained(folder / name)
    rng, rows = np.random.default_rng(0), []
    for number in range(12):
        label = ("low", "high")[number % 2]
        file = folder / "tones" / label / f"{number}.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        times = np.arange(1_600 + 50 * number) / RATE
        tone = np.sin(2 * np.pi * (400, 1_500)[number % 2] * times) + 0.1 * rng.normal(size=times.size)
        write_sound(file, 8_000 * tone, RATE)
        rows.append({"path": f"tones/{label}/{number}.wav", "label": label})
    pd.DataFrame(rows).to_csv(folder / "tones.csv", index=False)
    return folder


def recipe_of(folder, **changes):
    return load_recipe(write_recipe(folder, {**CONTENT, "peers": []}, changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"spectrum": {"feature_size": 8}}, "spectrum has no effect with an encoder"),
        ({"data": {**CONTENT["data"], "sampling_rate": RATE}}, "sampling_rate follows from the encoder"),
        ({"encoder": {"folder": "waves", "max_length": 8}}, "encoder has no 'max_length'"),
        ({"model": {"backbone_config": {}}}, "backbone_config follows from the encoder"),
        (
            {"encoder": None, "model": {"backbone_config": {"model_type": "wav2vec2"}}},
            "name a pretrained enc",
        ),
    ],
)
def test_options_are_checked(folder, changes, message):
    with pytest.raises(RecipeError, match=message):
        recipe_of(folder, **changes)


def test_models_that_are_no_encoders_of_audio(folder):
    for name, model_type, extractor, message in (
        ("text", "bert", None, "takes no recordings"),
        ("bare", "wav2vec2", None, "preprocessor_config.json|feature extractor"),
        (
            "clap",
            "audio-spectrogram-transformer",
            ClapFeatureExtractor(),
            "ClapFeatureExtractor returns is_longer",
        ),
    ):
        other = folder / name
        other.mkdir()
        (other / "config.json").write_text(json.dumps({"model_type": model_type}))
        if extractor is not None:
            extractor.save_pretrained(other)
        with pytest.raises(
            RecipeError, match=rf"is no encoder of audio with its feature extractor: .*({message})"
        ):
            load_encoder(recipe_of(folder, encoder={"folder": name}))


def test_sounds_that_do_not_fit_the_encoder(folder):
    for label, seconds in (("low", 1.2), ("high", 0.02)):
        file = folder / "unfit" / label / "a.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        write_sound(file, 8_000 * np.sin(np.arange(int(seconds * RATE))), RATE)
    with pytest.raises(RecipeError) as error:
        load_data(
            recipe_of(folder, data={"train": "unfit", "test_share": 0.5}, encoder={"folder": "whisper"})
        )
    assert "low/a.wav lasts 1 s, expected at most 1 s, all that the encoder takes" in str(error.value)
    assert "high/a.wav lasts 0.0200 s, less than the 0.025 s of a frame" in str(error.value)


@pytest.mark.parametrize("name", ENCODERS)
def test_nodes_are_those_of_each_sound_alone(folder, name):
    recipe = recipe_of(folder, encoder={"folder": name})
    data = load_data(recipe)
    model_class, _, extractor = ENCODERS[name]
    rate = extractor.sampling_rate
    resampled = "resampled" in data.said[0]
    assert resampled == (rate != RATE)
    runs = Runs(recipe, data, folder / f"runs-nodes-{name}")
    encoder = model_class.from_pretrained(folder / name).eval()
    for sound, chain in zip(data.train.inputs, runs.data.train.inputs, strict=True):
        inputs = extractor(sound, sampling_rate=rate, return_tensors="pt")
        with torch.no_grad():
            run = encoder.get_encoder() if name == "whisper" else encoder
            alone = run(inputs[extractor.model_input_names[0]]).last_hidden_state[0].numpy()
        if name == "whisper":  # Of its 50 frames, the chain has those with a part of the sound in them.
            assert len(chain) == -(-len(sound) // 320)
            alone = alone[: len(chain)]
        np.testing.assert_allclose(chain, alone, atol=1e-4)
    assert runs.inputs.fields["m"] == runs.backbone.config.m == 16


@pytest.mark.parametrize(("name", "frozen"), [("grouped", False), ("ast", False), ("ast", True)])
def test_frozen_and_trained_weights(folder, name, frozen):
    recipe = recipe_of(folder, encoder={"folder": name, "frozen": frozen}, peers=["gru"])
    measured = measure(recipe, folder / f"runs-{name}-{frozen}", recipe.peers)
    model = measured.model
    assert model.config.freeze_backbone is frozen
    assert measured.results["models"]["chain"]["parameters"] == model.num_parameters()
    pretrained = ENCODERS[name][0].from_pretrained(folder / name).state_dict()
    same = {
        name: torch.equal(value, pretrained[name])
        for name, value in model.chainhead.backbone.state_dict().items()
        if value.is_floating_point() and name != "masked_spec_embed"
    }
    assert all(same.values()) if frozen else not any(same.values()), same


def test_the_whole_model_scores_as_the_head_on_nodes(folder):
    check_whole_model(recipe_of(folder), folder / "runs-whole")


def test_commands(folder):
    recipe_of(folder, data={"train": "tones.csv", "test_share": 0.25})
    out = folder / "out"
    invoke("train", folder / "recipe.yaml", "--output", out)
    extractor = AutoFeatureExtractor.from_pretrained(out)
    assert extractor.return_attention_mask is True
    assert str(folder) not in (out / "config.json").read_text("utf-8") + (out / "README.md").read_text(
        "utf-8"
    )

    files = pd.read_csv(folder / "tones.csv")
    sounds = [read_sound((folder / path).read_bytes(), path).samples for path in files["path"]]
    classify = pipeline("audio-classification", model=str(out), device="cpu")
    labels = [answer[0]["label"] for answer in classify(sounds, top_k=1)]
    # Padding of a batch changes nothing.
    together = [answer[0]["label"] for answer in classify(sounds, top_k=1, batch_size=4)]
    assert together == labels
    predicted = invoke("predict", out, folder / files["path"][0], "--json")
    assert json.loads(predicted.splitlines()[0])["predictions"][0]["label"] == labels[0]

    stated = json.loads((out / "results.json").read_text("utf-8"))["models"]["chain"]["test_accuracy_mean"]
    assert json.loads(invoke("evaluate", out, "--json"))["metrics"]["accuracy"] == pytest.approx(stated)
    for data in ("tones", "tones.csv"):
        evaluated = json.loads(invoke("evaluate", out, "--data", folder / data, "--json"))
        assert evaluated["metrics"]["accuracy"] == np.mean([*map(str.__eq__, files["label"], labels)])
