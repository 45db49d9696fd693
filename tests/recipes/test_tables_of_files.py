"""`chainhead train` and `predict` on tables that name sounds; messages on tables of other files and of texts."""

import json

import numpy as np
import pandas as pd
import pytest
from command_line import invoke
from sounds import write_sound

TONES = [{"file": f"wav/{number}.wav", "tone": ("low", "high")[number % 2]} for number in range(12)]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "wav").mkdir()
    for number, row in enumerate(TONES):
        write_sound(
            tmp_path / row["file"], 8_000 * np.sin(np.arange(800) * (0.3, 1.5)[number % 2] + number), 8_000
        )
    return tmp_path


def table(folder, **columns):
    pd.DataFrame(TONES).assign(**columns).to_csv(folder / "tones.csv", index=False)
    return folder / "tones.csv"


def test_a_table_of_sounds_is_trained_on_and_predicted(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setattr("chainhead_plugin.recipes.sound_folders._OPTIONS", SHORT)
    file = table(folder, person=[f"p{number // 3}" for number in range(12)], seconds=0.1)
    said = invoke("train", file, "--label", "tone", "--group", "person", "--seed", 1, "-o", "model")
    assert "tones.csv with paths in file; label tone (high 6, low 6)" in said
    assert "of 4 groups" in said
    answers = [json.loads(line) for line in invoke("predict", "model", file, "--json").splitlines()]
    assert [answer["file"] for answer in answers] == [str(folder / row["file"]) for row in TONES]
    assert {answer["person"] for answer in answers} == {"p0", "p1", "p2", "p3"}
    accuracy = sum(answer["predictions"][0]["label"] == answer["tone"] for answer in answers) / 12
    evaluated = json.loads(invoke("evaluate", "model", "--data", file, "--json"))
    assert evaluated["metrics"]["accuracy"] == pytest.approx(accuracy)


SHORT = {
    "spectrum": {"feature_size": 12},
    "model": {"n": 4, "channel_hops": [0, 1]},
    "training": {"num_train_epochs": 2, "per_device_train_batch_size": 8},
    "learning_rates": [0.05],
    "validation_folds": 2,
}


@pytest.mark.parametrize(
    ("columns", "options", "code", "message"),
    [
        ({}, [], 1, "column file names WAV files: name the column of their labels with --label, of tone"),
        ({"two": "wav/0.wav"}, ["--label", "tone"], 1, "the columns file, two name files: leave one of them"),
        ({}, ["--label", "tone", "--horizon", "3"], 2, "has no effect on"),
        ({}, ["--label", "tone", "--series", "file"], 2, "which names sounds"),
        ({"file": "wav/none.wav"}, ["--label", "tone"], 1, "there is no file wav/none.wav"),
        ({"file": "a.mp3"}, ["--label", "tone"], 1, "sounds that are no WAV files: convert them"),
        ({"file": "a.PNG"}, ["--label", "tone"], 1, "names images: put them into a folder for each label"),
        ({"file": "a.mp4"}, ["--label", "tone"], 1, "a recipe with task: video-classification, path: file"),
        (
            {"file": "a good thing"},
            ["--label", "tone"],
            1,
            "task: text-classification, text: file and label: tone",
        ),
        # A series with a remark beside its numbers is none of these.
        ({"x": 1.5, "file": "as seen"}, ["--label", "tone"], 1, "no column tells series apart"),
        ({"file": "s1"}, ["--label", "tone"], 1, "no column tells series apart"),
    ],
)
def test_what_else_a_table_names_is_told(folder, columns, options, code, message):
    file = table(folder, **columns)
    said = invoke("train", file, *options, "-o", folder / "model", code=code)
    assert message in " ".join(said.replace("│", " ").split())
    assert not (folder / "model").exists()
