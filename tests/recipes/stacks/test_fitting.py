"""The default stack: it learns from order, reports the validation of its options, and refuses unsuitable data."""

import numpy as np
import pytest
import torch

from chainhead_plugin.recipes.stacks import SHAPES, default_stack, fit_stack, fitting, training

SMALL = {"hidden_sizes": [8, 8]}


def series_of(count):
    """Series with one bump: rising steeply and falling slowly, or the reverse."""
    rng, bump = np.random.default_rng(0), np.concatenate((np.linspace(0, 3, 9), np.zeros(3)))
    labels = np.arange(count) % 2
    chains = []
    for label in labels:
        chain = rng.normal(0, 0.1, (int(rng.integers(30, 40)), 1))
        chain[8:20, 0] += bump if label else bump[::-1]
        chains.append(chain)
    return chains, labels


def test_it_learns_and_says_what_was_tried(monkeypatch):
    monkeypatch.setattr(fitting, "_STEPS", 200)
    chains, labels = series_of(24)
    done = []
    fitted = fit_stack(
        chains,
        labels,
        ["falls", "rises"],
        threads=1,
        seconds=20,
        on_progress=lambda *n: done.append(n),
        **SMALL,
    )
    with torch.no_grad():
        logits = fitted.model(**fitted.extractor(chains, batched=True, return_tensors="pt")).logits
    assert (logits.argmax(1).numpy() == labels).mean() > 0.9
    assert fitted.model.config.id2label == {0: "falls", 1: "rises"}
    assert {(trial.shape, trial.standardize_each) for trial in fitted.validations} <= {
        ("deep", False),
        ("deep", True),
    }
    assert fitted.validations == sorted(fitted.validations, key=lambda trial: (-trial.accuracy, trial.loss))
    assert [number for number, _ in done] == list(range(1, len(done) + 1))
    assert {planned for _, planned in done} == {len(done)}


def test_the_better_stack_is_chosen(monkeypatch):
    small = {
        shape: fields | {"hidden_sizes": [8] * size} for size, (shape, fields) in enumerate(SHAPES.items(), 2)
    }
    for shape, fields in small.items():
        monkeypatch.setitem(SHAPES, shape, fields)
    monkeypatch.setattr(fitting, "_STEPS", 40)
    spread = []
    monkeypatch.setattr(training, "spread_start", lambda model: spread.append(model.config.hidden_sizes))
    chains, labels = series_of(12)
    fitted = fit_stack(chains, labels, ["falls", "rises"], threads=1)

    common = [trial for trial in fitted.validations if not trial.standardize_each]
    assert {trial.shape for trial in common} == small.keys()
    (own,) = [trial for trial in fitted.validations if trial.standardize_each]
    assert own.shape == common[0].shape  # the better one comes first
    chosen = fitted.validations[0]
    assert fitted.model.config.hidden_sizes == small[chosen.shape]["hidden_sizes"]
    assert fitted.extractor.standardize_each == chosen.standardize_each
    plain = sum(trial.shape == "plain" for trial in fitted.validations) * 3 + (chosen.shape == "plain")
    assert spread == [small["plain"]["hidden_sizes"]] * plain  # of three folds each, and the final run


@pytest.mark.parametrize(("full", "ends"), [(8, "full"), (9, "plain")])
def test_the_final_run_varies_series_if_it_has_all_steps(full, ends, monkeypatch):
    monkeypatch.setattr(fitting, "_STEPS", full)
    monkeypatch.setattr(fitting, "_planned", lambda affordable, runs: (8, 0))
    varied, averaged = [], []
    usual, chains = training.vary, series_of(12)
    monkeypatch.setattr(training, "vary", lambda *given: varied.append(given[3]) or usual(*given))
    monkeypatch.setattr(training, "restate_norms", lambda *given: averaged.append(len(given[2])))
    first, again = (fit_stack(*chains, ["falls", "rises"], threads=1, **SMALL) for _ in range(2))
    assert (varied, averaged) == (([0.5] * 16, [12] * 2) if ends == "full" else ([], []))
    for one, other in zip(first.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    ("affordable", "runs", "steps"),
    [
        (float("inf"), 9, (1200, 200)),
        (3000, 9, (1200, 200)),
        (2500, 9, (700, 200)),
        (1100, 9, (200, 100)),
        (219, 9, (219, 0)),  # 19 steps a run would tell nothing
        (5000, 0, (1200, 0)),
        (0.2, 9, (1, 0)),
    ],
)
def test_steps_fit_the_time(affordable, runs, steps):
    assert fitting._planned(affordable, runs) == steps


def test_causal_stacks_look_back_alone():
    config = default_stack(2, ["a", "b"], 100, causal=True)
    assert not config.bi_directional
    assert all(hop >= 0 for hops in config.channel_hops for hop in hops)


@pytest.mark.parametrize(
    ("series", "labels", "message"),
    [
        ([np.ones((3, 1))], [0], "at least two series"),
        ([np.ones((3, 1))] * 2, [0], "a label for each"),
        ([np.ones((3, 1))] * 2, [0, 2], "between 0 and 1"),
        ([np.ones(3)] * 2, [0, 1], r"arrays \[length, m\]"),
    ],
)
def test_what_cannot_be_learned_from_is_named(series, labels, message):
    with pytest.raises(ValueError, match=message):
        fit_stack(series, np.array(labels), ["a", "b"])
