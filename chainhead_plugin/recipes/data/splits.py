"""Hold out some of a recipe's examples for test or validation, if possible with every label on both sides."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...tables.errors import listed
from ..errors import RecipeError, said_of
from ..recipe import Recipe
from .examples import Data, Examples, require
from .in_time.windows import Windows, hold_out_last
from .node_labels import IGNORED


def split(examples: Examples, share: float, seed: int) -> tuple[Examples, Examples]:
    """Hold out a share of the examples, or of their groups.

    The last windows of series are held out. Other examples are drawn at random: with the same share of every label, as
    far as possible, if there are neither groups nor labels of nodes. With groups or labels of nodes, every label is on
    both sides if possible, and the kept examples have all labels in any case.

    Parameters
    ----------
    examples : Examples
    share : float
        The share to hold out, between 0 and 1.
    seed : int

    Returns
    -------
    kept, held_out : Examples

    Raises
    ------
    RecipeError
        If there are too few examples, of a label or in all.
    """
    if isinstance(examples, Windows):
        return hold_out_last(examples, share)
    labels = label_sets(examples)
    names = dict(enumerate(examples.names))
    rows = held_out_rows(
        labels,
        examples.groups,
        share,
        seed,
        stratified=examples.has_classes and not examples.of_nodes,
        names=names,
    )
    is_held_out = np.isin(np.arange(len(labels)), rows)
    return examples.take(np.flatnonzero(~is_held_out)), examples.take(np.flatnonzero(is_held_out))


def split_told(examples: Examples, share: float, seed: int) -> tuple[Examples, Examples, str]:
    """Split examples as `split` does, with the same arguments and errors, and describe the held-out examples.

    Returns
    -------
    kept, held_out : Examples
    words : str
        The number of held-out examples and groups, their labels, and labels that they lack.
    """
    kept, held_out = split(examples, share, seed)
    words = f"{len(held_out.labels)} of {len(examples.labels)} examples"
    if examples.groups is not None:
        words += f", {len(set(held_out.groups.tolist()))} of {len(set(examples.groups.tolist()))} groups"  # type: ignore[union-attr]
    counts = Counter(number for labels in label_sets(held_out) for number in labels)
    if counts:
        words += (
            f" ({listed(f'{examples.names[number]} {count}' for number, count in sorted(counts.items()))})"
        )
    if missing := missing_labels(examples, held_out):
        words += (
            f"; none of them has the label {listed(missing)}, of which there are too few examples or groups"
        )
    return kept, held_out, words


def missing_labels(whole: Examples, part: Examples) -> list[str]:
    """Return the names of the labels that a part of examples lacks."""
    here, there = ({number for labels in label_sets(one) for number in labels} for one in (whole, part))
    return [whole.names[number] for number in sorted(here - there)]


def label_sets(examples: Examples) -> list[frozenset[int]]:
    """Return the set of labels of every example, or of its nodes; empty sets if there are no classes."""
    if not examples.has_classes:
        return [frozenset()] * len(examples.labels)
    if not examples.of_nodes:
        return [frozenset([label]) for label in examples.labels.tolist()]
    return [frozenset(labels) - {IGNORED} for labels in examples.labels.tolist()]


def held_out_rows(
    labels: Sequence[frozenset[Any]],
    groups: NDArray[Any] | None,
    share: float,
    seed: int,
    *,
    stratified: bool = True,
    names: Mapping[Any, str] | None = None,
) -> NDArray[np.intp]:
    """Return the rows to hold out.

    Parameters
    ----------
    labels : sequence of frozenset [rows]
        The labels of every row.
    groups : array [rows], optional
        The group of every row. A group is held out as a whole, or not at all.
    share : float
        The share of the rows, or of the groups.
    seed : int
    stratified : bool
        Whether every row has a single label, so that the same share of each label is held out; not with groups.
    names : mapping, optional
        Names of the labels for messages; by default the labels themselves.

    Returns
    -------
    int array
        Ascending, unless rows are stratified.

    Raises
    ------
    RecipeError
        If there are too few rows, of a label or in all.
    """
    selection = require("sklearn.model_selection", "scikit-learn")
    count = len(labels)
    if groups is None and stratified:
        _check_counts(_only(labels), share, names or {})
        rows = np.arange(count)
        found = selection.train_test_split(rows, test_size=share, random_state=seed, stratify=_only(labels))
        return np.asarray(found[1])

    units, unit_of = np.unique(np.arange(count) if groups is None else groups, return_inverse=True)
    wanted = int(np.ceil(share * len(units)))
    if len(units) < 2 or wanted >= len(units):
        what = "examples" if groups is None else "groups"
        raise RecipeError(
            f"cannot hold out {share:.0%} of {len(units)} {what}: expected more, or another share"
        )
    sets: list[set[Any]] = [set() for _ in units]
    for unit, one in zip(unit_of.tolist(), labels, strict=True):
        sets[unit] |= one
    if groups is None:
        held_out = selection.train_test_split(np.arange(count), test_size=share, random_state=seed)[1]
    else:
        splitter = selection.GroupShuffleSplit(1, test_size=share, random_state=seed)
        held_out = np.unique(unit_of[next(splitter.split(unit_of, groups=groups))[1]])
    if not _has_all(sets, held_out):
        held_out = _drawn_with_all(sets, wanted, seed)
    return np.flatnonzero(np.isin(unit_of, held_out))


def _only(labels: Sequence[frozenset[Any]]) -> list[Any]:
    return [next(iter(one)) for one in labels]


def _check_counts(labels: Sequence[Any], share: float, names: Mapping[Any, str]) -> None:
    counts = Counter(labels)
    wanted = int(np.ceil(share * len(labels)))
    few = [label for label, number in counts.items() if number < 2]
    if few or min(wanted, len(labels) - wanted) < len(counts):
        alone = f"the label {names.get(few[0], few[0])} has a single example" if few else ""
        reason = alone or f"they have {len(counts)} labels"
        raise RecipeError(
            f"cannot hold out {share:.0%} of {len(labels)} examples: {reason}, and every label is needed on both sides;"
            " choose another share, or give more examples"
        )


def _has_all(sets: Sequence[set[Any]], held_out: NDArray[np.intp]) -> bool:
    chosen = set(held_out.tolist())
    there: set[Any] = set().union(*(sets[unit] for unit in chosen))
    kept: set[Any] = set().union(*(sets[unit] for unit in range(len(sets)) if unit not in chosen))
    return there == kept


def _drawn_with_all(sets: Sequence[set[Any]], wanted: int, seed: int) -> NDArray[np.intp]:
    """Draw units until they have every label and are as many as wanted; the last unit with a label is never drawn."""
    order = np.random.default_rng(seed).permutation(len(sets)).tolist()
    left = Counter(label for one in sets for label in one)
    rarest = sorted(left, key=lambda label: (left[label], str(label)))
    chosen: list[int] = []
    for label in [*rarest, *([None] * wanted)]:
        if label is not None and any(label in sets[unit] for unit in chosen):
            continue
        if label is None and len(chosen) >= wanted:
            break
        for unit in order:
            fits = unit not in chosen and (label is None or label in sets[unit])
            if fits and len(chosen) < len(sets) - 1 and all(left[other] > 1 for other in sets[unit]):
                chosen.append(unit)
                left.subtract(sets[unit])
                break
    if not chosen:
        raise RecipeError(
            "cannot hold out anything: every group, or example, has a label that no other has: expected at least two "
            "of each label"
        )
    return np.array(sorted(chosen), dtype=np.intp)


def held_out(recipe: Recipe, training: Examples) -> list[tuple[str, Examples]]:
    """Return the parts that a recipe validates on, each with words for it."""
    if recipe.validation_folds is not None:
        parts = folds(training, recipe.validation_folds)
        return [(f"validation fold {number}", part) for number, (_, part) in enumerate(parts, start=1)]
    assert recipe.validation_share is not None
    shares = [(seed, split(training, recipe.validation_share, seed)[1]) for seed in recipe.seeds]
    return [(f"the validation part of seed {seed}", part) for seed, part in shares]


def unvalidated_labels(recipe: Recipe, data: Data) -> list[str]:
    """Return a line for every validation part that lacks a label; raise a RecipeError if parts cannot be drawn."""
    examples = data.train
    if recipe.pretraining:
        own = recipe.pretraining
        examples = split(examples, own["share"], own.get("seed", 0))[0]
    with said_of("validation"):
        parts = held_out(recipe, examples)
    return [
        f"{name} has no example of the label {listed(missing)}, of which there are too few examples or groups"
        for name, part in parts
        if not isinstance(part, Windows) and (missing := missing_labels(examples, part))
    ]


def folds(examples: Examples, count: int) -> list[tuple[Examples, Examples]]:
    """Split examples into kept and held-out examples, `count` times, so that each is held out once.

    Groups are kept together. Unless nodes have labels, folds have the same share of every label, if groups allow it.

    Returns
    -------
    list of tuple of Examples
        Kept and held-out examples of each fold.

    Raises
    ------
    RecipeError
        If there are too few examples, groups, or examples of a label.
    """
    selection = require("sklearn.model_selection", "scikit-learn")
    labels, groups = examples.labels, examples.groups
    stratified = examples.has_classes and not examples.of_nodes
    fewest, what = len(labels), "there are only {} examples"
    if groups is not None:
        fewest, what = len(np.unique(groups)), "there are only {} groups"
    elif stratified:
        counts = np.bincount(labels)
        rarest = examples.names[int(counts.argmin())]
        fewest, what = int(counts.min()), f"of the label {rarest} there are only {{}} examples to train on"
    if fewest < count:
        fewer = f", or use {fewest}" if fewest > 1 else ""
        raise RecipeError(f"validation_folds={count}, but {what.format(fewest)}: give more{fewer}")
    kind = f"{'Stratified' if stratified else ''}{'' if groups is None else 'Group'}KFold"
    splitter = getattr(selection, kind)(count, shuffle=True, random_state=0)
    parts = splitter.split(np.zeros(len(labels)), labels if stratified else None, groups)
    return [(examples.take(kept), examples.take(held_out)) for kept, held_out in parts]
