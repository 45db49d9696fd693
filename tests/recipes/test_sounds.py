"""Recipes of sounds, in a folder for each label or named by a table."""

import re

import numpy as np
import pandas as pd
import pytest
from command_line import invoke
from recipe_writing import write_recipe
from sounds import write_sound

from chainhead_plugin.inputs.sounds.feature_extraction_chainhead_audio import ChainHeadAudioFeatureExtractor
from chainhead_plugin.inputs.sounds.sound_files import read_sound
from chainhead_plugin.recipes.candidates.inputs.preparing import prepare
from chainhead_plugin.recipes.data.load import load_data
from chainhead_plugin.recipes.recipe import RecipeError
from chainhead_plugin.recipes.recipe_files import load_recipe
from chainhead_plugin.recipes.results.new_data import evaluate_on
from chainhead_plugin.recipes.sound_folders import holds_sounds, recipe_of_sounds
from chainhead_plugin.recipes.training.measuring import measure

RATE = 8_000
CONTENT = {
    "name": "tones",
    "task": "audio-classification",
    "data": {"train": "tones", "test_share": 0.25},
    "spectrum": {"feature_size": 12},
    "model": {"n": 4, "channel_hops": [0, 1]},
    "training": {"num_train_epochs": 2, "per_device_train_batch_size": 8},
    "learning_rates": [0.05],
    "validation_folds": 2,
    "seeds": [0],
}


def tone(hertz, seconds, rate=RATE):
    times = np.arange(int(seconds * rate)) / rate
    return 8_000 * np.sin(2 * np.pi * hertz * times)


@pytest.fixture
def folder(tmp_path):
    """Eight tones, low and high, in a folder for each label and in a table beside it."""
    rows = []
    for number in range(8):
        label = ("low", "high")[number % 2]
        file = tmp_path / "tones" / label / f"{number}.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        write_sound(file, tone((400, 2_000)[number % 2], 0.1 + number / 100), RATE)
        rows.append({"path": f"tones/{label}/{number}.wav", "label": label, "day": number // 2})
    pd.DataFrame(rows).to_csv(tmp_path / "tones.csv", index=False)
    return tmp_path


def recipe_of(folder, changes=None, **data):
    return load_recipe(write_recipe(folder, CONTENT, {"data": CONTENT["data"] | data} | (changes or {})))


def data_of(folder, **data):
    return load_data(recipe_of(folder, **data))


@pytest.mark.parametrize("locations", ["tones", "tones/*/*.wav", ["tones/high", "tones/low"]])
def test_folders_hold_what_a_table_names(folder, locations):
    found, expected = data_of(folder, train=locations), data_of(folder, train="tones.csv")
    assert found.said[0] == (
        "8 sounds of 0.1–0.2 s, 8,000 samples a second, 12 mel bands every 10 ms; label by folder (high 4, low 4)"
    )
    assert expected.said[0].endswith("; tones.csv with paths in path; label label (high 4, low 4)")
    extractor = ChainHeadAudioFeatureExtractor(12, RATE)
    for data in (found, expected):
        lengths = sorted(len(frames) for part in (data.train, data.test) for frames in part.inputs)
        assert lengths == list(range(11, 19))
        assert data.train.names == ("high", "low")
        assert len(data.test.labels) == 2
    samples = read_sound((folder / "tones" / "high" / "7.wav").read_bytes(), "7").samples
    longest = max((*found.train.inputs, *found.test.inputs), key=len)
    np.testing.assert_array_equal(longest, extractor.frames(samples))


def test_groups_of_a_table_stay_together(folder):
    found = data_of(folder, train="tones.csv", group="day")
    assert sorted(found.test.labels.tolist()) == [0, 1]
    assert not {*found.train.groups.tolist()} & {*found.test.groups.tolist()}


def test_tables_with_other_names_and_other_places(folder):
    (folder / "lists").mkdir()
    table = pd.read_csv(folder / "tones.csv").rename(columns={"path": "file", "label": "pitch"})
    table["file"] = "../" + table["file"]
    table.to_csv(folder / "lists" / "a.csv", index=False)
    found = data_of(folder, train="lists/a.csv", path="file", label="pitch", drop=["day"])
    assert len(found.train.labels) == 6
    assert found.train.schema.text == "file"


def test_other_rates_are_resampled_if_one_is_stated(folder):
    file = folder / "tones" / "low" / "9.wav"
    write_sound(file, tone(400, 0.3, 44_100), 44_100)
    with pytest.raises(
        RecipeError,
        match=r"low/9.wav has 44,100 samples a second, but high/1.wav has 8,000: .* sampling_rate: 8000",
    ):
        data_of(folder)
    found = data_of(folder, sampling_rate=RATE)
    assert found.said[0].endswith("; resampled 1 sound (low/9.wav)")
    resampled = max((*found.train.inputs, *found.test.inputs), key=len)
    made = ChainHeadAudioFeatureExtractor(12, RATE).frames(tone(400, 0.3) / 2**15)
    assert len(resampled) == len(made) == 31
    # The tone has the same power in its bands; far from it there is what rounding leaves.
    near = made > 0
    np.testing.assert_allclose(resampled[2:-2][near[2:-2]], made[2:-2][near[2:-2]], atol=0.1)


def test_several_channels_are_said(folder):
    import wave

    with wave.open(str(folder / "tones" / "low" / "9.wav"), "wb") as sound:
        sound.setparams((2, 2, RATE, 0, "NONE", ""))
        sound.writeframes(np.repeat(tone(400, 0.1), 2).astype("<i2").tobytes())
    assert data_of(folder).said[0].endswith("; the mean of the channels of 1 sound (low/9.wav)")


def test_all_files_that_cannot_be_used_are_named(folder):
    low = folder / "tones" / "low"
    # The rate of all is that of the first that can be read.
    first = folder / "tones" / "high" / "0.wav"
    for content, told in ((b"", "is empty"), (b"no sound", "does not begin with RIFF")):
        first.write_bytes(content)
        (low / "a.wav").write_bytes(b"")
        write_sound(low / "b.wav", tone(400, 0.3, 44_100), 44_100)
        with pytest.raises(RecipeError) as error:
            data_of(folder)
        faults = str(error.value).split("; ")
        assert told in faults[0]
        assert any(fault.startswith("low/a.wav is empty, expected a WAV file") for fault in faults)
        assert any("low/b.wav has 44,100 samples a second, but high/1.wav has 8,000" in one for one in faults)
    for file in (first, low / "a.wav", low / "b.wav"):
        file.unlink()
    (low / "notes.txt").write_text("two of them are old", "utf-8")
    assert data_of(folder).said[0].endswith("; left out low/notes.txt; label by folder (high 4, low 4)")
    write_sound(low / "a.wav", [], RATE)
    (low / "b.wav").write_bytes(b"no sound")
    write_sound(low / "c.wav", np.zeros(RATE), RATE)
    write_sound(low / "d.wav", tone(400, 0.02), RATE)
    with pytest.raises(RecipeError) as error:
        data_of(folder)
    told = str(error.value)
    for part in (
        "low/a.wav has no samples",
        "low/b.wav is no WAV file",
        "low/c.wav is silent",
        "low/d.wav lasts 0.0200 s, less than a frame of 0.025 s",
    ):
        assert part in told
    for name in "abcd":
        (low / f"{name}.wav").unlink()
    write_sound(low / "e.wav", tone(400, 31), RATE)
    with pytest.raises(
        RecipeError, match=r"low/e.wav lasts 31 s, expected at most 30 s, which are 30,000 frames"
    ):
        load_data(recipe_of(folder, {"spectrum": {"hop_seconds": 0.001}}))


@pytest.mark.parametrize(
    ("changes", "data", "message"),
    [
        (
            {},
            {"train": "trees/*"},
            "no WAV file in trees/\\*: expected a folder with a folder of WAV files for each label",
        ),
        ({}, {"train": "trees"}, "there is no file or folder trees in /.*, from which paths start"),
        ({}, {"train": ["tones", "trees"]}, "there is no file or folder trees"),
        ({}, {"train": "tones/low"}, "have the label 'low', expected at least two labels"),
        ({}, {"label": "pitch"}, "pitch names a column, but a folder of WAV files has none"),
        ({}, {"train": "tones.csv", "path": "file"}, "tones.csv has no column file"),
        ({}, {"train": "tones.csv", "path": 3}, "path must be the name of a column"),
        ({}, {"train": "tones.csv", "path": "day"}, "row 2, column day: there is no file 0 in"),
        ({}, {"sampling_rate": 10}, "sampling_rate must be"),
        ({}, {"size": [4, 4]}, "data has no 'size' for audio-classification"),
        ({"spectrum": {"sampling_rate": RATE}}, {}, "spectrum: sampling_rate is an option of data"),
        ({"spectrum": {"bins": 3}}, {}, "spectrum: unknown parameters .*: bins"),
        ({"spectrum": {"hop_seconds": 1}}, {}, "spectrum: hop_seconds must be"),
        (
            {"model": {"backbone_config": {"model_type": "wav2vec2"}}},
            {},
            "backbone_config has no effect for sounds",
        ),
        ({"task": "image-classification"}, {}, "spectrum has no effect for image-classification"),
        ({"data": "digits"}, {}, "no data set 'digits' for audio-classification"),
    ],
)
def test_mistakes(folder, changes, data, message):
    with pytest.raises(RecipeError, match=message):
        load_data(
            recipe_of(folder, changes if "data" in changes else {"data": CONTENT["data"] | data} | changes)
        )


def test_scaling_is_that_of_the_training_sounds(folder):
    recipe = recipe_of(folder, train="tones.csv")
    found = load_data(recipe)
    inputs = prepare(recipe, found.train)
    np.testing.assert_allclose(
        inputs.preprocessor.mean, np.concatenate(found.train.inputs).mean(0), rtol=1e-5
    )
    batch = inputs.batch(found.train.inputs)
    assert batch["input_features"].shape == (6, inputs.fields["chain_length"], inputs.fields["m"])
    assert inputs.preprocessor.schema["text"] == "path"


def test_a_trained_model_is_evaluated_on_folders_and_tables(folder, tmp_path):
    measured = measure(recipe_of(folder, train="tones.csv"), tmp_path / "runs", ["no_hops", "conv1d"])
    assert [model.outcomes["accuracy"].values for model in measured.report.models.values()]
    out = tmp_path / "model"
    measured.model.save_pretrained(out)
    measured.inputs.preprocessor.save_pretrained(out)
    results = [
        evaluate_on(str(folder / place), measured.model, out, "audio-classification")
        for place in ("tones", "tones.csv")
    ]
    assert results[0].values == results[1].values
    assert results[0].examples == 8
    write_sound(folder / "tones" / "low" / "0.wav", tone(400, 0.1, 2 * RATE), 2 * RATE)
    told = evaluate_on(str(folder / "tones"), measured.model, out, "audio-classification")
    assert told.said.endswith("; resampled 1 sound (low/0.wav)")
    assert told.confusion == results[0].confusion


def test_a_folder_has_a_usual_recipe(folder):
    assert holds_sounds(str(folder / "tones"))
    recipe = recipe_of_sounds(folder / "tones", None, None, 3)
    assert (recipe.name, recipe.seeds, recipe.data["test_share"], recipe.data["test_seed"]) == (
        "tones",
        [3],
        0.2,
        3,
    )
    assert "test_share" not in recipe_of_sounds(folder / "tones", folder / "more", None, None).data
    with pytest.raises(RecipeError, match="one of test and test_share"):
        load_data(recipe_of_sounds(folder / "tones", folder / "more", 0.5, None))
    # A folder with a table is a folder of tables, and a folder of recordings alone has no labels.
    assert not holds_sounds(str(folder))
    assert not holds_sounds(str(folder / "tones" / "low"))
    assert not holds_sounds(str(folder / "tones.csv"))


def test_options_of_tables_have_no_effect_on_a_folder(folder):
    output = invoke("train", str(folder / "tones"), "--label", "x", code=2)
    assert "has no effect on" in " ".join(output.split())


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a.wav", "b.wav"], "holds WAV files without their labels: put them into a folder for each label"),
        (["a/1.mp3", "b/1.flac"], r"sounds that are no WAV files, such as a/1.mp3: convert them, .* ffmpeg"),
        (["a/1.PNG", "b/2.jpg"], "holds images, on which a recipe with task: image-classification"),
        (["a/1.mp3", "list.csv"], "there is nothing in it"),
        (["a/1.bin"], "holds no table, and neither do the folders in it"),
    ],
)
def test_folders_that_are_not_trained_on_are_told_as_what_they_are(tmp_path, names, message):
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    output = invoke("train", str(tmp_path), "--output", str(tmp_path / "model"), code=1)
    assert re.search(message, " ".join(output.split()))
    assert not (tmp_path / "model").exists()
