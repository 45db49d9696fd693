"""The data that a recipe names: sets that packages bring, and files of one's own."""

from ..recipe import Recipe
from .examples import Data


def load_data(recipe: Recipe) -> Data:
    """Load a recipe's data, without network.

    A mapping names files, relative to the recipe: `train`, and `test` or else `test_share` with `test_seed`.

    - .npz: arrays `x` and `y`. Chains are [examples, L] or [examples, L, m], images [examples, height, width] or
      [examples, height, width, channels] of uint8. Labels are [examples], or of nodes [examples, L], -100 for those
      that do not count.
    - .csv and .parquet: a column of labels, `label`. Texts stand in the column `text`. Of chains, a row is one
      series, its other columns the steps; or, where `series` names a column of identifiers, a row is one node, nodes in
      order, its other columns the features. Labels of nodes need `series`.
    - Series to forecast: see `load_series`.

    `group` names a column, or an array [examples], of what belongs together and is never split between two parts.

    Raises
    ------
    RecipeError
        If the data cannot be read as the recipe says, or a package is missing; the message names it.
    """
    return recipe.task.load(recipe)
