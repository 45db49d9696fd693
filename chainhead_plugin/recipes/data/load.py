"""Load the data that a recipe names: data sets in packages, and your own files."""

from ..recipe import Recipe
from .examples import Data


def load_data(recipe: Recipe) -> Data:
    """Load a recipe's data, without network.

    The recipe's `data` is the name of a data set in a package, or a mapping. A mapping names files, relative to the
    recipe: `train`, and either `test`, or `test_share` with `test_seed`. Each is a file of any format that
    `chainhead_plugin.tables` reads, a folder, a pattern, or a list of them. Further options of the mapping, which are
    fields of `Dialect`, `Reading` and `TableSpec`, tell how files are written and what columns mean. Without them, this
    is told from the files if there is only one possibility. Columns of the test part are matched by name.

    - Series with labels: `label` names the column of labels. If `series`, a column or several, tells series apart, each
      row is a node; otherwise each row is a whole series, and the other columns are its nodes. Arrays are [examples, L]
      or [examples, L, m], with an array `y` of labels. Labels of nodes are a text in every row, or an array
      [examples, L]; empty cells and -100 do not count.
    - Texts: tables with the columns `text` and `label`, JSON, or .npz with `x` and `y`.
    - Images: a folder for each label, or .npz with `x`, uint8 [examples, height, width] or [examples, height, width,
      channels], and `y`. `size` resizes them.
    - Sounds: a folder for each label with WAV files, or a table whose column `path` names them, from its own folder on.
      Without `sampling_rate`, to which they are resampled, all have one rate.
    - Series to forecast: see `load_series`.

    `group` names a column, or an array [examples], of groups, which are never split between two parts.

    Raises
    ------
    RecipeError
        If the data cannot be read as the recipe says, or a package is missing; the message names it.
    """
    return recipe.task.load(recipe)
