"""The choice between random chain heads and a trained stack: made on unseen series, within the given time."""

import pickle
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from random_chains import two_kinds
from sklearn.base import clone
from transformers import pipeline

from chainhead_plugin.estimators import ChainHeadClassifier, choice
from chainhead_plugin.models import ChainHeadForSequenceClassification
from chainhead_plugin.recipes.stacks import fitting

SMALL = {"num_biases": 1, "num_groups": 4, "num_levels": 8, "random_state": 0}


def chosen(monkeypatch, heads, stack, tried=True):
    """What is chosen where these series are right by heads and by a stack."""
    labels = np.zeros(len(heads), dtype=int)
    logits = torch.tensor([[1.0, 0.0] if right else [0.0, 1.0] for right in heads])
    fit = SimpleNamespace(left_out=logits, rows=torch.arange(len(heads)), score=float(np.mean(heads)))
    trial = SimpleNamespace(answers=np.where(stack, 0, 1), accuracy=float(np.mean(stack)))
    found = SimpleNamespace(validations=[trial] if tried else [], steps=7)
    monkeypatch.setattr(choice, "fit_stack", lambda *series, **options: found)
    return choice.choose(fit, [], labels, ["a", "b"], causal=True, seed=0, seconds=9.0)


def test_a_lead_larger_than_its_error_decides(monkeypatch):
    worse, better = [True] * 10 + [False] * 10, [True] * 18 + [False] * 2
    taken = chosen(monkeypatch, worse, better)
    assert taken.stack is not None
    assert taken.score == 0.9
    assert "90.0%" in taken.reason
    assert "50.0%" in taken.reason
    assert chosen(monkeypatch, better, worse).stack is None


@pytest.mark.parametrize("stack", [[True] * 10 + [False] * 10, [True] * 11 + [False] * 9])
def test_heads_are_kept_where_the_lead_may_be_chance(monkeypatch, stack):
    kept = chosen(monkeypatch, [True] * 10 + [False] * 10, stack)
    assert kept.stack is None
    assert kept.score == 0.5
    assert "were kept" in kept.reason


def test_what_was_not_tried_is_not_taken(monkeypatch):
    kept = chosen(monkeypatch, [False] * 4, [True] * 4, tried=False)
    assert kept.stack is None
    assert "too few series" in kept.reason


def test_no_time_no_stack():
    series, labels = two_kinds()
    plain = ChainHeadClassifier(**SMALL).fit(series, labels)
    hasty = ChainHeadClassifier(**SMALL, seconds=1e-6).fit(series, labels)
    assert plain.chosen_ == hasty.chosen_ == "random chain heads"
    assert "no time" in hasty.reason_
    np.testing.assert_array_equal(plain.predict_proba(series), hasty.predict_proba(series))
    with pytest.raises(ValueError, match="seconds"):
        ChainHeadClassifier(**SMALL, seconds=0).fit(series, labels)


def test_a_stack_that_was_taken_predicts_saves_and_travels(monkeypatch, tmp_path):
    series, labels = two_kinds(24, 20)
    names = np.array(["noise", "walk"])[labels]

    monkeypatch.setattr(fitting, "_STEPS", 60)

    def take(heads, chains, numbers, of, *, causal, seed, seconds):
        # Without a limit of time, so that a busy machine trains as much as an idle machine.
        stack = choice.fit_stack(chains, numbers, of, causal=causal, seed=seed, hidden_sizes=[8, 8])
        return choice.Choice(stack, 0.9, "taken")

    monkeypatch.setattr(choice, "choose", take)
    fitted = ChainHeadClassifier(**SMALL, seconds=3, class_weight={"noise": 1, "walk": 2}).fit(series, names)
    assert (fitted.chosen_, fitted.reason_, fitted.left_out_score_) == ("a trained stack", "taken", 0.9)
    assert isinstance(fitted.model_, ChainHeadForSequenceClassification)
    expected = fitted.predict_proba(series)
    assert (fitted.predict(series) == names).mean() > 0.6
    fitted.save_pretrained(tmp_path)
    for again in (ChainHeadClassifier.from_pretrained(tmp_path), pickle.loads(pickle.dumps(fitted))):
        np.testing.assert_allclose(again.predict_proba(series), expected, atol=1e-6)
        assert (again.chosen_, again.reason_) == ("a trained stack", "taken")
    found = pipeline("time-series-classification", model=str(tmp_path), device="cpu")(list(series[:3]))
    assert [one[0]["score"] for one in found] == pytest.approx(expected[:3].max(1), abs=1e-5)
    assert clone(fitted).seconds == 3
