"""Early stopping keeps the best epoch: by the metric, and of equally good ones by the loss."""

import numpy as np
import pytest
import torch
from recipe_writing import LABELLED, write_arrays, write_recipe
from torch.nn.functional import nll_loss

from chainhead_plugin.recipes.data.load import load_data
from chainhead_plugin.recipes.metrics.metric import Metric
from chainhead_plugin.recipes.recipe_files import load_recipe
from chainhead_plugin.recipes.training.fitting.predicting import scores
from chainhead_plugin.recipes.training.ranking import Validation, best_epochs, is_better
from chainhead_plugin.recipes.training.runs import Runs

ACCURACY = Metric("accuracy", "accuracy", True, lambda *_: 0.0)
EPOCHS, PATIENCE = 15, 3
ERROR = Metric("rmse", "RMSE", False, lambda *_: 0.0)


@pytest.mark.parametrize(
    ("metric", "found", "other", "expected"),
    [
        (ACCURACY, (0.9, 2.0), (0.8, 1.0), True),
        (ACCURACY, (0.9, 0.4), (0.9, 0.5), True),
        (ACCURACY, (0.9, 0.5), (0.9, 0.5), False),
        (ACCURACY, (0.8, 0.1), (0.9, 0.5), False),
        (ERROR, (1.0, 2.0), (1.5, 1.0), True),
        (ERROR, (1.5, 0.5), (1.5, 1.0), True),
        (ERROR, (1.5, 0.5), (1.0, 1.0), False),
    ],
)
def test_the_loss_decides_between_equal_values(metric, found, other, expected):
    assert is_better(metric, Validation(*found), Validation(*other)) is expected


def test_epochs_that_were_the_best_so_far():
    values = [(0.5, 0.7), (1.0, 0.6), (0.5, 0.1), (1.0, 0.6), (1.0, 0.3)]
    log = [{"loss": 1.0}, *({"eval_accuracy": value, "eval_loss": loss} for value, loss in values)]
    assert [place for place, _ in best_epochs(ACCURACY, log)] == [0, 1, 4]


@pytest.fixture
def runs(tmp_path):
    """Sixteen series, four of them for validation: the accuracy has five values."""
    labels = np.arange(16) % 2
    rng = np.random.default_rng(0)
    nodes = rng.normal(0, 0.3, (16, 8)) + labels[:, None]
    write_arrays(tmp_path / "train.npz", (nodes, np.array(["low", "high"])[labels]))
    changes = {
        "data": {"train": "train.npz", "test_share": 0.25},
        "training": {"num_train_epochs": EPOCHS, "per_device_train_batch_size": 4},
        "validation_share": 0.34,
        "early_stopping": PATIENCE,
        "learning_rates": [0.05],
    }
    recipe = load_recipe(write_recipe(tmp_path, LABELLED, changes))
    return Runs(recipe, load_data(recipe), tmp_path / "runs")


def test_training_goes_on_while_the_loss_falls(runs):
    run = runs.final("chain", 0.05, 0)
    epochs = [
        (-record["eval_accuracy"], record["eval_loss"]) for record in run.history if "eval_loss" in record
    ]
    best = epochs.index(min(epochs))
    # By the metric alone, training would have ended a few epochs after the first that tells all of them right.
    first = [accuracy for accuracy, _ in epochs].index(-1.0)
    assert first + PATIENCE < best
    assert len(epochs) == min(EPOCHS, best + 1 + PATIENCE)
    assert run.validation(ACCURACY, best=True) == (-epochs[best][0], epochs[best][1])
    # The weights are those of this epoch.
    validation = run.trial.fold.validation
    assert validation is not None
    logits = scores(run.model(), run.trial.fold.inputs, validation.inputs).log()
    loss = nll_loss(logits, torch.from_numpy(validation.labels)).item()
    assert loss == pytest.approx(epochs[best][1], rel=1e-4)
