"""What is wrong with a recipe."""


class RecipeError(ValueError):
    """A recipe that cannot be trained as it stands; the message says where and what to write instead."""
