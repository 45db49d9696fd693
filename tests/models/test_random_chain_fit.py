"""Training random chain heads in closed form."""

import numpy as np
import pytest
import torch

from chainhead_plugin import fit_random_chain
from tests.support.random_chains import two_kinds

SMALL = {"dilations": [1, 2, 4], "num_biases": 2, "num_groups": 4, "group_size": 4, "num_levels": 8}


def accuracy(name):
    """Of the defaults, on a data set that aeon ships."""
    aeon = pytest.importorskip("aeon.datasets")
    train, train_labels = getattr(aeon, f"load_{name}")(split="train")
    test, test_labels = getattr(aeon, f"load_{name}")(split="test")
    names, numbers = np.unique(train_labels, return_inverse=True)
    fit = fit_random_chain(
        [one.T for one in train], numbers, id2label={i: str(name) for i, name in enumerate(names)}
    )
    logits = fit.model(torch.from_numpy(np.asarray(test).swapaxes(1, 2)).float()).logits
    return (names[logits.argmax(-1).numpy()] == test_labels).mean()


@pytest.mark.parametrize(("name", "least"), [("gunpoint", 0.98), ("italy_power_demand", 0.95)])
def test_defaults_are_accurate(name, least):
    assert accuracy(name) >= least


def test_left_out_scores_tell_how_new_series_fare():
    series, labels = two_kinds(60, seed=1)
    fit = fit_random_chain(series, labels, **SMALL)
    new, new_labels = two_kinds(200, seed=2)
    logits = fit.model(torch.from_numpy(new)[:, :, None]).logits
    accuracy = (logits.argmax(-1).numpy() == new_labels).mean()
    assert fit.score == pytest.approx(accuracy, abs=0.1)
    assert fit.left_out.shape == (60, 2)
    assert torch.equal(fit.rows, torch.arange(60))
    assert fit.choices["temperature"] > 1


def test_a_seed_gives_the_same_model_and_another_a_different_one():
    series, labels = two_kinds()
    one, same, other = (fit_random_chain(series, labels, seed=seed, **SMALL) for seed in (3, 3, 4))
    assert torch.equal(one.model.classifier.weight, same.model.classifier.weight)
    assert not torch.equal(one.model.random_chain.group_taps, other.model.random_chain.group_taps)


def test_batches_change_nothing():
    series, labels = two_kinds()
    series = [one[: 30 + number % 20] for number, one in enumerate(series)]
    logits = [
        fit_random_chain(series, labels, batch_size=size, **SMALL)
        .model(torch.from_numpy(two_kinds(seed=9)[0])[:, :, None])
        .logits
        for size in (7, 256)
    ]
    torch.testing.assert_close(*logits, atol=1e-4, rtol=1e-4)


def noisy_levels(lengths, m=1, seed=0):
    """Series that two labels lift by a little, under noise: from node to node nothing but noise changes."""
    rng = np.random.default_rng(seed)
    labels = np.arange(len(lengths)) % 2
    series = [
        (rng.standard_normal((length, m)) + 0.3 * label).astype(np.float32)
        for length, label in zip(lengths, labels, strict=True)
    ]
    return series, labels


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("groups", [{}, {"num_groups": 0, "group_size": 0}], ids=["groups", "no groups"])
@pytest.mark.parametrize(
    ("m", "lengths"), [(1, [50] * 80), (3, [*range(30, 110)])], ids=["alike", "of any length"]
)
def test_differences_that_only_add_noise_are_left_out(m, lengths, groups, causal, monkeypatch):
    series, labels = noisy_levels(lengths, m)
    options = SMALL | groups | {"causal": causal}
    fit = fit_random_chain(series, labels, **options)
    assert fit.choices["difference_share"] == 0
    assert not fit.model.config.with_differences
    monkeypatch.setattr(
        "chainhead_plugin.models.random_chain_fit._without_needless_differences", lambda model: model
    )
    whole = fit_random_chain(series, labels, **options)
    assert whole.model.config.with_differences
    assert fit.model.config.hidden_size < whole.model.config.hidden_size
    assert torch.equal(fit.left_out, whole.left_out)
    for new in noisy_levels([20, 45], m, seed=1)[0]:
        found, expected = (each.model(torch.from_numpy(new)[None]).logits for each in (fit, whole))
        torch.testing.assert_close(found, expected)


def test_differences_that_tell_labels_apart_are_kept():
    series = np.repeat(np.random.default_rng(0).standard_normal((40, 30)), 2, 1)
    labels = np.arange(40) % 2
    series[labels == 1] *= np.tile([1, 1.02], 30)
    fit = fit_random_chain(series.astype(np.float32), labels, **SMALL)
    assert fit.choices["difference_share"] > 0
    assert fit.model.config.with_differences
    assert not fit_random_chain(series, labels, with_differences=False, **SMALL).model.config.with_differences


def test_a_label_that_no_series_has_is_never_predicted():
    series, labels = two_kinds()
    fit = fit_random_chain(series, labels * 2, id2label={0: "a", 1: "never", 2: "b"}, **SMALL)
    logits = fit.model(torch.from_numpy(series)[:, :, None]).logits
    assert set(logits.argmax(-1).tolist()) == {0, 2}
    assert logits.softmax(-1)[:, 1].max() < 0.1


def test_values_are_fitted_in_their_own_units():
    rng = np.random.default_rng(0)
    level = rng.uniform(0.5, 3, size=120)
    series = (rng.standard_normal((120, 60)) * level[:, None]).astype(np.float32)
    values = np.stack([1000 + 50 * level, -level], 1)
    fit = fit_random_chain(series[:80], values[:80], problem_type="regression", **SMALL)
    found = fit.model(torch.from_numpy(series[80:])[:, :, None]).logits.detach().numpy()
    explained = 1 - np.square(found - values[80:]).sum(0) / np.square(values[80:] - values[80:].mean(0)).sum(
        0
    )
    assert explained.min() > 0.8
    assert fit.score > 0.8
    assert fit.model.config.problem_type == "regression"


def test_labels_that_exclude_nothing():
    series, labels = two_kinds(80)
    loud = np.arange(80) // 2 % 2
    series = series * (1 + 4 * loud)[:, None]
    both = np.stack([labels, loud], 1)
    fit = fit_random_chain(series, both, problem_type="multi_label_classification", **SMALL)
    assert fit.score > 0.9
    assert fit.model.config.num_labels == 2


def test_the_lengths_of_series_may_tell_labels_apart():
    rng = np.random.default_rng(0)
    lengths = rng.permutation(np.arange(20, 80))
    series = [rng.standard_normal(length).astype(np.float32) for length in lengths]
    fit = fit_random_chain(series, (lengths > 50).astype(int), **SMALL)
    assert fit.choices["counts"]
    assert fit.model.config.reference_length is not None
    assert fit.score > 0.9


def test_a_channel_that_is_constant_in_training_changes_nothing_later():
    series, labels = two_kinds()
    nodes = np.stack([series, np.full_like(series, 7.3)], 2)
    fit = fit_random_chain(nodes, labels, **SMALL)
    x = torch.from_numpy(nodes)
    moved = x.clone()
    moved[:, :, 1] = 1e4 * torch.randn(moved.shape[:2])
    assert torch.equal(fit.model(x).logits, fit.model(moved).logits)


@pytest.mark.parametrize("length", [1, 2, 5])
def test_series_may_be_shorter_than_a_kernel(length):
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 2
    series = rng.standard_normal((40, length)).astype(np.float32) + 3 * labels[:, None]
    assert fit_random_chain(series, labels).score > 0.85


def test_constant_series_are_told_apart_by_their_level():
    labels = np.arange(20) % 2
    series = np.repeat(labels[:, None] + 0.01 * np.arange(20)[:, None], 30, 1).astype(np.float32)
    assert fit_random_chain(series, labels, **SMALL).score == 1


def test_series_that_are_all_the_same_give_no_reason():
    fit = fit_random_chain(np.ones((10, 20), np.float32), np.arange(10) % 2, **SMALL)
    logits = fit.model(torch.ones(1, 20, 1)).logits
    torch.testing.assert_close(logits.softmax(-1), torch.full((1, 2), 0.5))


@pytest.mark.parametrize(
    ("series", "labels", "options", "message"),
    [
        ([], [], {}, "at least 2 series"),
        (np.zeros((3, 5)), [0, 1], {}, "2 labels for 3 series"),
        (np.zeros((2, 5)), [0, 0], {}, "nothing to learn"),
        (np.zeros((2, 5)), [0, -1], {}, "expected 0 to"),
        (np.zeros((2, 5)), [0, 2], {"id2label": {0: "a", 1: "b"}}, "expected 0 to 1"),
        (np.zeros((2, 5)), ["a", "b"], {}, "map names"),
        (np.zeros((2, 5)), [0.5, 1.0], {}, "numbers of labels"),
        ([np.zeros((5, 1)), np.zeros((5, 2))], [0, 1], {}, "the same number in all"),
        ([np.zeros((5, 1)), np.zeros((0, 1))], [0, 1], {}, "series 1 has shape"),
        ([[0.0, 1.0], [0.0, float("nan")]], [0, 1], {}, "series 1 holds a value that is not finite"),
        ([[0.0, 1.0], [0.0, 1e300]], [0, 1], {}, "series 1 holds a value that is not finite"),
        ([["a"], ["b"]], [0, 1], {}, "series 0 holds"),
        (np.zeros((2, 5)), [0, 1], {"problem_type": "ranking"}, "problem_type"),
        (np.zeros((2, 5)), [0, 2], {"problem_type": "multi_label_classification"}, "0 or 1"),
        (np.zeros((2, 5)), [0, float("inf")], {"problem_type": "regression"}, "finite"),
    ],
)
def test_what_cannot_be_fitted_is_refused(series, labels, options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        fit_random_chain(series, labels, **options)
