"""What holds for recipes on a pretrained encoder, whatever it reads."""

import torch

from chainhead_plugin.recipes.data.load import load_data
from chainhead_plugin.recipes.training.fitting.predicting import scores
from chainhead_plugin.recipes.training.runs import Runs


def check_whole_model(recipe, folder):
    """Check that the whole model gives examples the scores that its head gives to the nodes of the frozen encoder."""
    data = load_data(recipe)
    runs = Runs(recipe, data, folder)
    run = runs.final("chain", recipe.learning_rates[0], 0)
    whole, inputs = runs.released(run)
    torch.testing.assert_close(
        scores(whole, inputs, data.test.inputs),
        scores(run.model(), run.trial.fold.inputs, runs.data.test.inputs),
        atol=1e-5,
        rtol=0,
    )
