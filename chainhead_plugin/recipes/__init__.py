"""A recipe, one YAML file, becomes a measured, documented model.

May import: `chain`, `checks`, `config`, `explain`, `forecasts`, `head`, `hub`, `inputs`, `models`, `nodes`, `storage`,
`streams`, `tables`; the host `registry`.
"""

from typing import TYPE_CHECKING

from ..faces import names_of

if TYPE_CHECKING:
    from .errors import RecipeError as RecipeError
    from .recipe import Recipe as Recipe
    from .recipe_files import load_recipe as load_recipe, shipped_recipes as shipped_recipes
    from .training.measuring import measure as measure

__getattr__, __dir__, __all__ = names_of(
    __name__,
    {
        "Recipe": "recipe",
        "RecipeError": "errors",
        "load_recipe": "recipe_files",
        "measure": "training.measuring",
        "shipped_recipes": "recipe_files",
    },
)
