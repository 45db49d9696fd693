"""The data that a recipe names: sets that packages bring, and your own files."""

from ..recipe import Recipe
from .examples import Data


def load_data(recipe: Recipe) -> Data:
    """Load a recipe's data, without network.

    A mapping names files, relative to the recipe: `train`, and `test` or else `test_share` with `test_seed`. Each
    is a file of any format that `chainhead_plugin.tables` reads, a folder, a pattern, or a list of them. How they are
    written and what their columns mean is said in the words of `Dialect`, `Reading` and `TableSpec`; what is not said
    is told from the files, where it can be nothing else. Columns of the test part are matched by name.

    - Series with labels: `label` names their column. A row is a node where `series`, one column or several, tells
      series apart, or a whole series whose nodes are the other columns. Arrays are [examples, L] or [examples, L, m],
      with an array `y` of labels. Labels of nodes are a text a row, or [examples, L]; empty cells and -100 do not
      count.
    - Texts: the columns `text` and `label`, JSON, or .npz with `x` and `y`.
    - Images: .npz with `x`, uint8 [examples, height, width] or [examples, height, width, channels], and `y`.
    - Series to forecast: see `load_series`.

    `group` names a column, or an array [examples], of what belongs together and is never split between two parts.

    Raises
    ------
    RecipeError
        If the data cannot be read as the recipe says, or a package is missing; the message names it.
    """
    return recipe.task.load(recipe)
