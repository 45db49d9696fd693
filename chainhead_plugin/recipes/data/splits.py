"""Hold out some of a recipe's examples, for tests or validation."""

import numpy as np

from ..errors import RecipeError
from ..recipe import Recipe
from .examples import Examples, require
from .windows import Windows, hold_out_last


def split(examples: Examples, share: float, seed: int) -> tuple[Examples, Examples]:
    """Hold out a share of the examples, or of their groups; returns kept and held out.

    Without groups and labels of nodes it is as much of every label as can be; of windows of series the last ones.
    """
    if isinstance(examples, Windows):
        return hold_out_last(examples, share)
    selection = require("sklearn.model_selection", "scikit-learn")
    indices = np.arange(len(examples.labels))
    try:
        if examples.groups is None:
            stratify = None if examples.of_nodes else examples.labels
            kept, held_out = selection.train_test_split(
                indices, test_size=share, random_state=seed, stratify=stratify
            )
        else:
            splitter = selection.GroupShuffleSplit(1, test_size=share, random_state=seed)
            kept, held_out = next(splitter.split(indices, groups=examples.groups))
    except ValueError as error:
        raise RecipeError(f"cannot hold out {share:.0%} of {len(indices)} examples: {error}") from error
    return examples.take(np.sort(kept)), examples.take(np.sort(held_out))


def held_out(recipe: Recipe, training: Examples) -> list[tuple[str, Examples]]:
    """Return the parts that a recipe validates on, and what to call each."""
    if recipe.validation_folds is not None:
        parts = folds(training, recipe.validation_folds)
        return [(f"validation fold {number}", part) for number, (_, part) in enumerate(parts, start=1)]
    assert recipe.validation_share is not None
    shares = [(seed, split(training, recipe.validation_share, seed)[1]) for seed in recipe.seeds]
    return [(f"the validation part of seed {seed}", part) for seed, part in shares]


def folds(examples: Examples, count: int) -> list[tuple[Examples, Examples]]:
    """Split examples into kept and held-out ones, `count` times, with groups kept together.

    Unless nodes have labels, there are as many of every label in each, as far as groups allow.
    """
    selection = require("sklearn.model_selection", "scikit-learn")
    labels, groups, of_nodes = examples.labels, examples.groups, examples.of_nodes
    fewest, what = len(labels), "there are only {} examples"
    if groups is not None:
        fewest, what = len(np.unique(groups)), "there are only {} groups"
    elif not of_nodes:
        fewest, what = int(np.bincount(labels).min()), "one label has only {} examples"
    if fewest < count:
        raise RecipeError(f"validation_folds={count}, but {what.format(fewest)}: use fewer")
    kind = f"{'' if of_nodes else 'Stratified'}{'' if groups is None else 'Group'}KFold"
    splitter = getattr(selection, kind)(count, shuffle=True, random_state=0)
    parts = splitter.split(np.zeros(len(labels)), None if of_nodes else labels, groups)
    return [(examples.take(kept), examples.take(held_out)) for kept, held_out in parts]
