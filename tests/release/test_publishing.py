"""Publishing: only one process at a time trains in a folder."""

import pytest

from chainhead_plugin.recipes.recipe import RecipeError
from chainhead_plugin.recipes.training.records import in_use
from release.publish import main


def test_a_folder_of_runs_that_is_in_use_is_left_alone(tmp_path):
    name, runs = "chainhead-japanese-vowels", tmp_path / ".runs" / "chainhead-japanese-vowels"
    with in_use(runs), pytest.raises(RecipeError, match="another process is training"):
        main([name, "--output", str(tmp_path)])
    assert not any(tmp_path.iterdir())
