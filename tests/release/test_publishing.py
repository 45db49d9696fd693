"""Publishing: only one process at a time trains in a folder, and the catalogue holds numbers alone."""

import pytest

from chainhead_plugin.recipes.metrics.metric import Outcome
from chainhead_plugin.recipes.recipe import RecipeError
from chainhead_plugin.recipes.recipe_files import load_recipe
from chainhead_plugin.recipes.training.records import in_use
from chainhead_plugin.recipes.training.report import ModelReport
from release.publish import catalogued_metrics, main


def test_a_folder_of_runs_that_is_in_use_is_left_alone(tmp_path):
    name, runs = "chainhead-japanese-vowels", tmp_path / ".runs" / "chainhead-japanese-vowels"
    with in_use(runs), pytest.raises(RecipeError, match="another process is training"):
        main([name, "--output", str(tmp_path)])
    assert not any(tmp_path.iterdir())


def test_a_single_seed_has_no_deviation_in_the_catalogue():
    recipe = load_recipe("chainhead-gunpoint")
    outcomes = {metric.name: Outcome((0.5,)) for metric in recipe.task.metrics}
    metrics = catalogued_metrics(recipe, ModelReport("chain head", 0.5, outcomes, 1.0, 0.1))
    assert metrics["test_accuracy"] == metrics["test_accuracy_mean"] == 0.5
    assert set(map(type, metrics.values())) == {float}
