"""Ridge regression on any number of rows in bounded memory, by conjugate gradients with one pass over the rows a step.

A guide makes few passes enough: some of the rows, with the eigenvectors of their products. It estimates in which
directions all rows vary.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

# Features of this many bytes are kept between passes, in float16. Those of further rows are computed anew each time.
_MOST_KEPT = 3 * 2**28
# Passes end when the residual is this share of the first residual, in the norm of the guide's preconditioner.
_TOLERANCE = 1e-5
_MOST_PASSES = 100
# The share of the guide's directions that are used: those in which its rows vary most. In the remaining directions
# few rows seem to vary far less than all rows do.
_KNOWN_PART = 1 / 8

Rows = Callable[[Tensor | None], Iterable[tuple[Tensor, Tensor]]]


@dataclass(frozen=True)
class Guide:
    """Some of the rows, from which the preconditioner of the conjugate gradients is made.

    Parameters
    ----------
    features : float32 Tensor [some, features]
        Each feature has mean 0.
    factors : float64 Tensor [features]
        The factors with which features are multiplied before the fit.
    values, vectors : float64 Tensor [some], [some, some]
        Eigenvalues and eigenvectors of the products of these rows, multiplied with the factors.
    """

    features: Tensor
    factors: Tensor
    values: Tensor
    vectors: Tensor

    def preconditioner(self, count: int, strength: float) -> Callable[[Tensor], Tensor]:
        """Return an approximate inverse of (products of all features + strength·I), as a function.

        The guide estimates these products for all `count` rows. In directions that it does not know well, rows are
        assumed to vary as much as in the last direction that it uses.
        """
        known = max(1, int(len(self.values) * _KNOWN_PART))
        vectors, values = self.vectors[:, -known:].float(), self.values[-known:]
        if not bool(values.min() > 0):
            return lambda gradient: gradient / strength
        # The sums of squares over all rows are estimated as those of the guide's rows times this number.
        growth = count / len(self.features)
        rest = growth * float(values.min()) + strength
        shrunk = ((1 - rest / (growth * values + strength)) / values).float()[:, None]
        factors = self.factors[:, None]

        def apply(gradient: Tensor) -> Tensor:
            along = vectors.T @ (self.features @ (factors * gradient).float())
            back = self.features.T @ (vectors @ (shrunk * along))
            return (gradient - factors * back.double()) / rest

        return apply


def solve_in_passes(
    rows: Rows, count: int, targets: Tensor, strength: float, guide: Guide, weights: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return weight and intercept of the ridge regression on all rows. The intercept is not penalised.

    Parameters
    ----------
    rows : function
        Called with None or an int64 Tensor of row indices. It yields batches of all rows, or of these rows: pairs of
        row indices, int64 [some], and features, float32 [some, features].
    count : int
        The number of rows.
    targets : float64 Tensor [rows, targets]
    strength : float
        Positive.
    guide : Guide
    weights : float64 Tensor [rows], optional
        How much each row counts: positive, and 1 on average.

    Returns
    -------
    weight : float64 Tensor [features, targets]
        The weights of features that are multiplied with the guide's factors.
    intercept : float64 Tensor [targets]
    """
    width = len(guide.factors)
    kept = _KeptRows(rows, count, width)
    counts = targets.new_ones(count) if weights is None else weights
    factors, centre_of_targets = guide.factors[:, None], (counts[:, None] * targets).mean(0)
    total = factors.new_zeros(width)
    cross = factors.new_zeros(width, targets.size(1))
    for numbers, some in kept:
        own = counts[numbers][:, None]
        cross += (some.T @ (own * (targets[numbers] - centre_of_targets)).float()).double()
        total += (some if weights is None else some * own.float()).sum(0, dtype=torch.float64)
    centre = total / count

    def multiply(weight: Tensor) -> Tensor:
        """Return (products of centred features + strength·I) weight."""
        scaled = factors * weight
        thin, shift = scaled.float(), centre @ scaled
        product = torch.zeros_like(weight)
        for numbers, some in kept:
            # Predictions from centred features sum to 0, so that the other factor need not be centred.
            own = counts[numbers][:, None]
            product += (some.T @ (own * ((some @ thin).double() - shift)).float()).double()
        return factors * product + strength * weight

    weight = _conjugate_gradients(multiply, factors * cross, guide.preconditioner(count, strength))
    return weight, centre_of_targets - centre @ (factors * weight)


def _conjugate_gradients(
    multiply: Callable[[Tensor], Tensor], right: Tensor, precondition: Callable[[Tensor], Tensor]
) -> Tensor:
    """Return the solution of multiply(x) = right, for each column; after `_MOST_PASSES` the best found so far."""
    solution, residual = torch.zeros_like(right), right.clone()
    towards = precondition(residual)
    direction, size = towards.clone(), (residual * towards).sum(0)
    enough = size * _TOLERANCE**2

    for _ in range(_MOST_PASSES):
        if bool((size <= enough).all()):
            break
        product = multiply(direction)
        curvature = (direction * product).sum(0)
        step = (size / curvature).where(curvature > 0, 0)
        solution += step * direction
        residual -= step * product

        towards = precondition(residual)
        new_size = (residual * towards).sum(0)
        direction = towards + (new_size / size).where(size > 0, 0) * direction
        size = new_size
    return solution


class _KeptRows:
    """Rows to iterate over several times. As many as `_MOST_KEPT` allows are kept in memory, in float16."""

    def __init__(self, rows: Rows, count: int, width: int) -> None:
        self._rows = rows
        self._count = count
        # One large array each: many small arrays would leave gaps in memory that cannot be used again.
        most = min(count, _MOST_KEPT // (2 * width))
        self._features = torch.empty(most, width, dtype=torch.float16)
        self._numbers = torch.empty(most, dtype=torch.int64)
        self._ends = [0]
        self._others: Tensor | None = None

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        if self._others is None:
            yield from self._first_pass()
            return
        for start, end in pairwise(self._ends):
            yield self._numbers[start:end], self._features[start:end].float()
        if len(self._others):
            yield from self._rows(self._others)

    def _first_pass(self) -> Iterator[tuple[Tensor, Tensor]]:
        is_kept = torch.zeros(self._count, dtype=torch.bool)
        for numbers, some in self._rows(None):
            start, end = self._ends[-1], self._ends[-1] + len(numbers)
            if end > len(self._features):
                yield numbers, some
                continue
            self._numbers[start:end], self._features[start:end] = numbers, some
            self._ends.append(end)
            is_kept[numbers] = True
            # The first pass also yields the values rounded to float16, so that every pass sees the same numbers.
            yield numbers, self._features[start:end].float()
        self._others = (~is_kept).nonzero().flatten()
