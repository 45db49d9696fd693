"""The choice between random chain heads and a trained stack, by training series alone."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..models.random_chain_fit import RandomChainFit
from ..recipes.stacks import FittedStack, fit_stack

# Below this a stack has not the time for the steps of a single fold.
_LEAST_SECONDS = 1.0


@dataclass(frozen=True)
class Choice:
    """What was chosen.

    Attributes
    ----------
    stack : FittedStack, optional
        The trained stack; None for random chain heads.
    score : float
        The accuracy of what was chosen, on training series that it was not fitted to.
    reason : str
        A sentence for the user.
    """

    stack: FittedStack | None
    score: float
    reason: str


def choose(
    heads: RandomChainFit,
    series: Sequence[NDArray[np.floating]],
    labels: NDArray[np.integer],
    names: Sequence[str],
    *,
    causal: bool,
    seed: int,
    seconds: float,
) -> Choice:
    """Train a stack within `seconds`, and take it if it names more labels of series that it was not fitted to.

    Random chain heads answer for each series by a fit to all other series, the stack by a fit to half or two thirds of
    them, in half the steps. The stack is taken if its lead, over the same series, is larger than its standard error;
    otherwise the heads, which predict faster.

    Parameters
    ----------
    heads : RandomChainFit
        Of the same series.
    series : sequence of arrays [length, m]
    labels : int array [series]
        Places in `names`.
    names : sequence of str
    causal : bool
    seed : int
    seconds : float

    Returns
    -------
    Choice
    """
    start = time.perf_counter()
    if seconds < _LEAST_SECONDS:
        return Choice(None, heads.score, "there was no time left to train a stack")
    stack = fit_stack(series, labels, names, causal=causal, seed=seed, seconds=seconds)
    spent = time.perf_counter() - start
    if not stack.validations:
        reason = "there were too few series, or too little time, to try a stack on series that it was not fitted to"
        return Choice(None, heads.score, reason)

    rows = heads.rows.numpy()
    by_heads = heads.left_out.argmax(1).numpy() == labels[rows]
    by_stack = stack.validations[0].answers[rows] == labels[rows]
    lead = int(by_stack.sum()) - int(by_heads.sum())
    # If neither were better, it would be a coin that decides which of them is right where only one is.
    error = float((by_stack != by_heads).sum() ** 0.5)
    told = (
        f"a trained stack named {by_stack.mean():.1%} of the labels of training series that it was not fitted to, "
        f"random chain heads {by_heads.mean():.1%} (standard error of the lead {error / len(rows):.1%}; {spent:.0f} s "
        f"for the stack, {stack.steps} steps)"
    )
    if lead > error:
        return Choice(stack, stack.validations[0].accuracy, f"a trained stack was chosen: {told}")
    return Choice(None, heads.score, f"random chain heads were kept: {told}")


__all__ = ["Choice", "choose"]
