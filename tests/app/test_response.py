"""The page's answers are the pipelines' answers, with pictures or a sentence, and mistakes never raise."""

import csv

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from chainhead_plugin.app.arriving import arriving_answers
from chainhead_plugin.app.batch import answer_files
from chainhead_plugin.app.opened import OpenModels
from chainhead_plugin.app.response import EXAMPLE, FILE, TEXT, Given, guarded, respond, sources_of
from chainhead_plugin.app.samples import samples_of
from chainhead_plugin.estimators import ChainHeadForecaster

NAMES = ("arrow-head", "gunpoint", "japanese-vowels", "ridership", "sentiment", "speakers", "mnist")


@pytest.mark.parametrize("name", [f"chainhead-{name}" for name in NAMES])
def test_examples_of_every_task_are_answered(models, name):
    sample, record = next(iter(samples_of(name).items()))
    response = respond(models, name, "", Given(EXAMPLE, sample=sample))
    [panel] = response.panels
    assert panel.answer.rows
    assert ": " not in sample or panel.answer.sentence.startswith(f"**{sample.partition(': ')[2]}**")
    assert isinstance(panel.why, Figure) is (name != "chainhead-arrow-head")
    model = models.open(name)
    assert isinstance(panel.arriving, Figure) is (model.answers.task == "time-series-classification")
    if model.answers.reads == "sequence":
        assert isinstance(panel.answer.figure, Figure)
    if panel.answer.probabilities:
        options = model.answers.run_options(model.pipe) | {"top_k": 1}
        [expected] = model.pipe([record.data], **options)
        best, score = next(iter(panel.answer.probabilities.items()))
        assert (best, score) == (expected[0]["label"], pytest.approx(expected[0]["score"], rel=1e-4))


def test_two_models_are_compared(models):
    sample = next(iter(samples_of("chainhead-italy-power")))
    given = Given(EXAMPLE, sample=sample)
    response = respond(models, "chainhead-italy-power", "chainhead-gunpoint", given)
    assert len(response.panels) == 2
    assert response.note.startswith("The models differ: chainhead-italy-power says **")


def test_the_last_of_the_arriving_answers_is_the_answer(models):
    model, record = models.open("chainhead-gunpoint"), next(iter(samples_of("chainhead-gunpoint").values()))
    counts, probabilities = arriving_answers(model, record)
    assert counts[0] == 1
    assert counts[-1] == len(record.data.nodes) == 150
    assert sum(probabilities.values()) == pytest.approx(np.ones(len(counts)), abs=1e-5)
    [[best]] = model.pipe([record.data], batched=True, top_k=1)
    assert probabilities[best["label"]][-1] == pytest.approx(best["score"], rel=1e-4)


def test_files_are_answered_into_a_table(models, tmp_path):
    file = tmp_path / "two.csv"
    shown = list(samples_of("chainhead-gunpoint").values())
    rows = [(f"s{number}", value) for number, one in enumerate(shown) for value in one.data.nodes[:, 0]]
    file.write_text("id,value\n" + "".join(f"{name},{value}\n" for name, value in rows))
    answers, target = answer_files(models.open("chainhead-gunpoint"), [file], tmp_path)
    assert [row["label"] for row in answers] == ["gun", "point"]
    with target.open(newline="") as written:
        assert [(row["id"], row["label"]) for row in csv.DictReader(written)] == [
            ("s0", "gun"),
            ("s1", "point"),
        ]


@pytest.mark.parametrize(
    ("name", "other", "given", "sentence"),
    [
        ("", "", Given(TEXT, text="1"), "Choose a model first."),
        ("chainhead-gunpiont", "", Given(TEXT, text="1"), "chainhead-gunpoint"),
        ("chainhead-gunpoint", "", Given(EXAMPLE), "Choose an example of chainhead-gunpoint."),
        ("chainhead-gunpoint", "", Given(TEXT), "Write something first."),
        ("chainhead-gunpoint", "chainhead-gunpoint", Given(TEXT, text="1"), "Choose two different models"),
        ("chainhead-gunpoint", "chainhead-sentiment", Given(TEXT, text="1"), "takes other inputs than"),
    ],
)
def test_mistakes_get_a_sentence(models, name, other, given, sentence):
    response, told = guarded(lambda: respond(models, name, other, given))
    assert response is None
    assert sentence in told
    assert told.endswith(".")


def test_errors_of_the_page_itself_are_logged(caplog):
    assert guarded(lambda: {}["secret"]) == (
        None,
        "The page failed with KeyError, which is an error of its own: its log says more.",
    )
    assert "secret" in caplog.text


def test_pages_for_strangers_open_nothing_else(models):
    closed = OpenModels(["chainhead-gunpoint"], only_offered=True)
    with pytest.raises(ValueError, match="this page does not offer chainhead-sentiment"):
        closed.open("chainhead-sentiment")
    assert sources_of(models.open("chainhead-gunpoint")) == ["Example", "File", "Text", "Drawing"]
    assert sources_of(models.open("chainhead-mnist")) == ["Example", "File", "Drawing"]


def test_warnings_stand_beside_answers(tmp_path):
    """Each user is told, not only the first, and the log is told too."""
    y = pd.Series(np.arange(60) % 7.0, pd.date_range("2025-01-01", periods=60, name="day"), name="load")
    ChainHeadForecaster(seasons=[7]).fit(y, horizon=3).save_pretrained(tmp_path / "model")
    (1000 * y).to_csv(tmp_path / "watts.csv")
    opened = OpenModels([str(tmp_path / "model")])
    given = Given(FILE, file=tmp_path / "watts.csv")
    for work in (
        lambda: answer_files(opened.open(opened.offered[0]), [tmp_path / "watts.csv"], tmp_path),
        lambda: respond(opened, opened.offered[0], "", given),
        lambda: respond(opened, opened.offered[0], "", given),
    ):
        with pytest.warns(UserWarning, match="times as much as in the training"):
            found, told = guarded(work)
        assert found
        assert told.startswith("The values vary about 1,000 times")
        assert told.count("times as much") == 1
