"""Uploads, pasted numbers and drawings become the records that a model takes, and bad input gets a sentence."""

import sys

import numpy as np
import pytest
from PIL import Image
from sounds import save_classifier_of_sounds, write_sound

from chainhead_plugin.app import given
from chainhead_plugin.app.given import from_drawing, from_files, from_text
from chainhead_plugin.app.opened import OpenModels
from chainhead_plugin.app.response import explained, sources_of

GUNPOINT, VOWELS, DIGITS, SENTIMENT = (
    f"chainhead-{name}" for name in ("gunpoint", "japanese-vowels", "digits", "sentiment")
)


@pytest.fixture
def stroke():
    """A rising line from the lower left to the upper right, as the canvas gives it."""
    drawing = np.full((100, 200, 4), 255, np.uint8)
    for column in range(20, 180):
        drawing[round(100 - column / 2), column] = (0, 114, 178, 255)
    return drawing


@pytest.mark.parametrize("text", ["1 2 3", "1,2,3", "1\n2\n3\n", " 1; 2; 3 "])
def test_numbers_are_successive_nodes(models, text):
    [record] = from_text(models.open(GUNPOINT), text)
    assert record.data.nodes.tolist() == [[1], [2], [3]]


def test_rows_are_nodes_where_a_node_has_several_features(models):
    [record] = from_text(models.open(VOWELS), "\n".join([",".join(map(str, range(12)))] * 2))
    assert record.data.nodes.shape == (2, 12)


def test_texts_stay_whole(models):
    [record] = from_text(models.open(SENTIMENT), " Good.\nAnd cheap. ")
    assert record.data == "Good.\nAnd cheap."


def test_a_drawn_line_has_the_length_of_the_model(models, stroke):
    [record] = from_drawing(models.open(GUNPOINT), stroke)
    nodes = record.data.nodes[:, 0]
    assert len(nodes) == 150
    assert (np.diff(nodes) >= 0).all()
    # From row 90 of 99 to row 10 (and a half, rounded), where the top is 2 and the bottom −2.
    assert nodes[[0, -1]] == pytest.approx([2 - 4 * 90 / 99, 2 - 4 * 10 / 99], abs=0.05)


def test_a_drawn_figure_is_centred_and_light_on_dark(models, stroke):
    [record] = from_drawing(models.open(DIGITS), stroke)
    image = np.asarray(record.data.convert("L"))
    assert image.shape[0] == image.shape[1]
    rows, columns = np.nonzero(image)
    for places in (rows, columns):
        assert places.min() + places.max() == pytest.approx(len(image) - 1, abs=2)
    assert (image == 0).mean() > 0.9


def test_sounds_are_series_of_samples(models, tmp_path):
    file = tmp_path / "tone.wav"
    write_sound(file, [0, 2**14, -(2**15)], 8000)
    [record] = from_files(models.open(GUNPOINT), [file])
    assert record.data.nodes[:, 0].tolist() == [0, 0.5, -1]
    with pytest.raises(ValueError, match=r"tone\.wav is a sound, .* which chainhead-sentiment does not take"):
        from_files(models.open(SENTIMENT), [file])


def test_models_on_encoders_of_audio_take_sounds(tmp_path, monkeypatch):
    folder = tmp_path / "sounds"
    save_classifier_of_sounds(folder)
    models = OpenModels([str(folder)])
    opened = models.open(str(folder))
    assert sources_of(opened) == ["File"]
    assert "16,000 samples a second" in models.describe(opened.name)

    samples = 2**14 * np.sin(np.arange(400) / 5)
    write_sound(tmp_path / "tone.wav", samples, 16_000)
    [record] = from_files(opened, [tmp_path / "tone.wav"])
    found = explained(opened, record)
    [expected] = opened.pipe([record.data], top_k=2)
    assert found.answer.probabilities == {row["label"]: row["score"] for row in expected}
    assert found.answer.figure is not None
    assert not isinstance(found.why, str)
    assert "labels of series" in found.arriving

    write_sound(tmp_path / "slow.wav", samples, 8000)
    with pytest.warns(UserWarning, match=r"8,000 samples a second hold no tones above 4,000 Hz"):
        [record] = from_files(opened, [tmp_path / "slow.wav"])
    assert len(record.data) == 800
    write_sound(tmp_path / "fast.wav", samples, 48_000)
    [record] = from_files(opened, [tmp_path / "fast.wav"])
    assert len(record.data) == 134
    monkeypatch.setitem(sys.modules, "scipy.signal", None)
    with pytest.raises(
        ValueError,
        match=r"^fast\.wav has 48,000 samples a second, expected the model's 16,000: .* scipy.*ffmpeg",
    ):
        from_files(opened, [tmp_path / "fast.wav"])
    with pytest.raises(ValueError, match="takes sounds: upload a WAV file"):
        from_text(opened, "1 2 3")


def test_files_keep_their_names(models, tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text("value\n1\n2\n")
    found = from_files(models.open(GUNPOINT), [tmp_path / "a.csv", tmp_path / "b.csv"])
    assert [record.fields["file"] for record in found] == ["a.csv", "b.csv"]


def test_mistakes_are_told_without_temporary_folders(models, tmp_path, monkeypatch):
    file = tmp_path / "bad.csv"
    file.write_text("value\n1\nx\n")
    with pytest.raises(ValueError, match=r"bad\.csv") as caught:
        from_files(models.open(GUNPOINT), [file])
    assert str(tmp_path) not in str(caught.value)
    monkeypatch.setattr(given, "MOST_BYTES", 4)
    with pytest.raises(ValueError, match=r"bad\.csv is larger than"):
        from_files(models.open(GUNPOINT), [file])


def test_an_uploaded_table_cannot_name_files_of_this_machine(models, tmp_path):
    own, uploads = tmp_path / "own", tmp_path / "uploads"
    own.mkdir()
    uploads.mkdir()
    Image.new("L", (8, 8)).save(own / "secret.png")
    for cell in (own / "secret.png", "../own/secret.png", own / "no.png"):
        table = uploads / "table.csv"
        table.write_text(f"file\n{cell}\n", "utf-8")
        with pytest.raises(ValueError, match=r"table\.csv") as told:
            from_files(models.open(DIGITS), [table])
        assert "secret" not in str(told.value)
        assert str(own) not in str(told.value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (GUNPOINT, " ", "write something first"),
        (GUNPOINT, "1 2 x", "the text"),
        (VOWELS, "1,2\n3,4", "12 features"),
        (DIGITS, "1", "takes images"),
    ],
)
def test_bad_texts(models, name, text, message):
    with pytest.raises(ValueError, match=message):
        from_text(models.open(name), text)


def test_bad_drawings(models, stroke):
    for empty in (0, 255):
        with pytest.raises(ValueError, match="draw something first"):
            from_drawing(models.open(GUNPOINT), np.full((9, 9, 4), empty, np.uint8))
    with pytest.raises(ValueError, match="draw something first"):
        from_drawing(models.open(GUNPOINT), None)
    with pytest.raises(ValueError, match="takes 12 numbers a row"):
        from_drawing(models.open(VOWELS), stroke)
