"""The classifier and the regressor: labels of any type, weights of classes, files, pickles and threads."""

import json
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
import torch
from random_chains import two_kinds
from sklearn.exceptions import NotFittedError
from transformers import AutoModelForSequenceClassification, pipeline

from chainhead_plugin.estimators import ChainHeadClassifier, ChainHeadRegressor

SMALL = {"num_biases": 1, "num_groups": 4, "num_levels": 8, "random_state": 0}


@pytest.fixture(scope="module")
def data():
    return two_kinds()


@pytest.fixture(scope="module")
def fitted(data):
    return ChainHeadClassifier(**SMALL, class_weight={0: 1.0, 1: 3.0}).fit(*data)


@pytest.fixture(scope="module")
def regressor(data):
    series, _ = data
    return ChainHeadRegressor(**SMALL).fit(series, series.std(1))


@pytest.mark.parametrize(
    "names",
    [["noise", "walk"], [-3, 7], [1.0, 2.0], [False, True], np.array(["b", "a"], object)],
    ids=["texts", "ints", "floats", "booleans", "objects"],
)
def test_labels_of_any_type_come_back(data, names, tmp_path):
    series, numbers = data
    labels = np.asarray(names)[numbers]
    fitted = ChainHeadClassifier(**SMALL).fit(series, labels)
    assert fitted.classes_.dtype == labels.dtype
    assert (fitted.predict(series) == labels).all()
    fitted.save_pretrained(tmp_path)
    again = ChainHeadClassifier.from_pretrained(tmp_path)
    assert again.classes_.dtype == labels.dtype
    np.testing.assert_array_equal(again.classes_, fitted.classes_)
    np.testing.assert_array_equal(again.predict(series), fitted.predict(series))
    assert again.model_.config.id2label == {i: str(name) for i, name in enumerate(fitted.classes_.tolist())}


def test_scores_left_out_tell_unseen_ones(data, fitted):
    unseen, labels = two_kinds(seed=1)
    assert fitted.left_out_score_ >= 0.9
    assert fitted.score(unseen, labels) >= 0.9
    proba = fitted.predict_proba(unseen)
    np.testing.assert_allclose(proba.sum(1), 1)
    np.testing.assert_array_equal(proba.argmax(1), fitted.predict(unseen))


def test_class_weight_multiplies_probabilities(data, fitted):
    plain = ChainHeadClassifier(**SMALL).fit(*data).predict_proba(data[0])
    weighted = plain * [1, 3]
    np.testing.assert_allclose(
        fitted.predict_proba(data[0]), weighted / weighted.sum(1, keepdims=True), atol=1e-6
    )


def test_balanced_takes_classes_to_be_equally_frequent(data):
    series, labels = data
    rows = np.r_[np.flatnonzero(labels == 0), np.flatnonzero(labels == 1)[:5]]
    plain = ChainHeadClassifier(**SMALL).fit(series[rows], labels[rows]).predict_proba(series)
    balanced = ChainHeadClassifier(**SMALL, class_weight="balanced").fit(series[rows], labels[rows])
    np.testing.assert_allclose(
        balanced.predict_proba(series)[:, 1], plain[:, 1] * 4 / (plain[:, 0] + plain[:, 1] * 4), atol=1e-6
    )


@pytest.mark.parametrize("weight", [0, -1, float("nan"), float("inf")])
def test_class_weight_must_be_positive(data, weight):
    with pytest.raises(ValueError, match="class_weight must be positive"):
        ChainHeadClassifier(**SMALL, class_weight={0: weight, 1: 1.0}).fit(*data)


def test_one_class_is_refused(data):
    with pytest.raises(ValueError, match="y holds a single class, 1"):
        ChainHeadClassifier(**SMALL).fit(data[0], np.ones(40, int))


def test_transformers_and_pipelines_give_the_same(data, fitted, tmp_path):
    series, _ = data
    proba = fitted.predict_proba(series)
    model, extractor = fitted.to_transformers()
    batch = extractor(list(series), return_tensors="pt")
    with torch.no_grad():
        np.testing.assert_allclose(model(**batch).logits.softmax(-1).numpy(), proba, atol=1e-6)
    fitted.save_pretrained(tmp_path)
    loaded = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert torch.equal(loaded.classifier.bias, model.classifier.bias)
    answers = pipeline("time-series-classification", model=str(tmp_path), top_k=None)(
        list(series), batched=True
    )
    scores = [{a["label"]: a["score"] for a in answer} for answer in answers]
    np.testing.assert_allclose([[s["0"], s["1"]] for s in scores], proba, atol=1e-6)


def test_saved_and_loaded(data, fitted, regressor, tmp_path):
    for name, one in (("classifier", fitted), ("regressor", regressor)):
        one.save_pretrained(tmp_path / name)
        again = type(one).from_pretrained(tmp_path / name)
        assert again.get_params() == one.get_params()
        assert again.left_out_score_ == one.left_out_score_
        assert again.n_features_in_ == 60
        np.testing.assert_array_equal(again.predict(data[0]), one.predict(data[0]))
        assert {file.name for file in (tmp_path / name).iterdir()} == {
            "config.json",
            "estimator.json",
            "model.safetensors",
            "preprocessor_config.json",
        }


def test_models_of_others_hands_load(data, fitted, tmp_path):
    fitted.save_pretrained(tmp_path)
    (tmp_path / "estimator.json").unlink()
    again = ChainHeadClassifier.from_pretrained(tmp_path)
    assert list(again.classes_) == ["0", "1"]
    np.testing.assert_array_equal(again.predict_proba(data[0]), fitted.predict_proba(data[0]))


def test_wrong_files_are_refused(fitted, regressor, tmp_path):
    regressor.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="is of ChainHeadRegressor: load it with that class"):
        ChainHeadClassifier.from_pretrained(tmp_path)
    (tmp_path / "estimator.json").unlink()
    with pytest.raises(
        ValueError, match="the model is for regression, which is no task of ChainHeadClassifier"
    ):
        ChainHeadClassifier.from_pretrained(tmp_path)
    (tmp_path / "estimator.json").write_text("{")
    with pytest.raises(ValueError, match="is damaged"):
        ChainHeadRegressor.from_pretrained(tmp_path)
    state = {"estimator": "ChainHeadRegressor", "params": {"kernels": 3}}
    (tmp_path / "estimator.json").write_text(json.dumps(state))
    with pytest.raises(ValueError, match=r"parameters .* are not those of ChainHeadRegressor"):
        ChainHeadRegressor.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("left_out_score_", "high"),
        ("choices_", []),
        ("n_channels_in_", -1),
        ("channel_names_in_", [1]),
        ("classes_", {"dtype": "<U99999999", "values": ["a", "b"]}),
        ("classes_", {"dtype": "int8", "values": [1, 3000]}),
        ("classes_", {"dtype": "i4,", "values": [1, 3]}),
        ("classes_", {"dtype": "(3,", "values": [1, 3]}),
    ],
)
def test_a_state_that_holds_anything_is_told(fitted, tmp_path, name, value):
    fitted.save_pretrained(tmp_path)
    file = tmp_path / "estimator.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {name: value}))
    with pytest.raises(ValueError, match=rf"estimator\.json is damaged: its {name.rstrip('_')}"):
        ChainHeadClassifier.from_pretrained(tmp_path)


def test_a_state_beside_other_weights_is_refused(data, fitted, tmp_path):
    series, labels = data
    fitted.save_pretrained(tmp_path)
    other = ChainHeadClassifier(**{**SMALL, "random_state": 1}).fit(series, labels)
    other.to_transformers()[0].save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"saved with other weights than model\.safetensors there: save the"):
        ChainHeadClassifier.from_pretrained(tmp_path)
    (tmp_path / "estimator.json").unlink()
    assert [*ChainHeadClassifier.from_pretrained(tmp_path).classes_] == ["0", "1"]


def test_nothing_is_written_that_cannot_be(data, tmp_path):
    fitted = ChainHeadClassifier(**SMALL | {"random_state": np.random.RandomState(0)}).fit(*data)
    with pytest.raises(TypeError, match=r"random_state=.* cannot be saved"):
        fitted.save_pretrained(tmp_path / "new")
    assert not (tmp_path / "new").exists()
    with pytest.raises(NotFittedError):
        ChainHeadClassifier().save_pretrained(tmp_path / "new")


def test_joblib_and_pickle(data, fitted, tmp_path):
    joblib.dump(fitted, tmp_path / "fitted.joblib")
    for again in (joblib.load(tmp_path / "fitted.joblib"), pickle.loads(pickle.dumps(fitted))):
        np.testing.assert_array_equal(again.predict_proba(data[0]), fitted.predict_proba(data[0]))


def test_values_as_many_as_were_given(data, regressor):
    series, _ = data
    assert regressor.predict(series).shape == (40,)
    assert regressor.score(series, series.std(1)) > 0.9
    two = ChainHeadRegressor(**SMALL).fit(series, np.stack([series.std(1), series.max(1)], 1))
    assert two.predict(series).shape == (40, 2)
    np.testing.assert_allclose(two.predict(series)[:, 0], regressor.predict(series), atol=0.2)


@pytest.mark.parametrize("n_jobs", [0, 1.5, True])
def test_wrong_n_jobs_is_refused(data, n_jobs):
    with pytest.raises(ValueError, match="n_jobs must be a whole number other than 0"):
        ChainHeadClassifier(**SMALL, n_jobs=n_jobs).fit(*data)


def test_n_jobs_leaves_torch_as_it_was(data):
    before = torch.get_num_threads()
    ChainHeadClassifier(**SMALL, n_jobs=1).fit(*data).predict(data[0])
    assert torch.get_num_threads() == before


def test_without_scikit_learn_the_extra_is_named():
    code = (
        "import sys; sys.modules['sklearn'] = None; import chainhead_plugin.estimators as room\n"
        "try: room.ChainHeadClassifier\n"
        "except ModuleNotFoundError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "needs scikit-learn: pip install scikit-learn" in done.stdout


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "llava", "quantization_config": 1.5}, "holds a model of the type 'llava'"),
        ({"model_type": None}, "holds a model of the type None"),
        ({"model_type": ["chainhead"]}, "holds a model of the type"),
    ],
)
@pytest.mark.parametrize("make", [ChainHeadClassifier, ChainHeadRegressor])
def test_a_configuration_of_another_family_is_refused_before_transformers_acts_on_it(
    data, fitted, regressor, tmp_path, make, changes, message
):
    (fitted if make is ChainHeadClassifier else regressor).save_pretrained(tmp_path)
    file = tmp_path / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    with pytest.raises(ValueError, match=message):
        make.from_pretrained(tmp_path)
