"""The choice between random chain heads and a trained stack of chain heads, made on training series alone."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..models.random_chain_fit import RandomChainFit
from ..recipes.stacks.fitting import FittedStack, fit_stack

# In less time than this a stack cannot be trained even on a single fold.
_LEAST_SECONDS = 1.0


@dataclass(frozen=True)
class Choice:
    """The chosen model.

    Attributes
    ----------
    stack : FittedStack, optional
        The trained stack; None if random chain heads were kept.
    score : float
        The accuracy of the chosen model on training series that it was not fitted to, between 0 and 1.
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
    """Train a stack within `seconds`, and choose it if it is clearly more accurate than random chain heads.

    Both are compared on training series that they were not fitted to. Random chain heads predict each series by a fit
    to all other series. The stack is fitted to half or two thirds of the series, with half the steps, and predicts the
    rest. The stack is chosen if the difference in right answers is larger than its standard error. Otherwise random
    chain heads are kept, which predict faster.

    Parameters
    ----------
    heads : RandomChainFit
        Random chain heads fitted to the same series.
    series : sequence of float arrays [length, m]
    labels : int array [series]
        Indices into `names`.
    names : sequence of str
        Names of the labels.
    causal : bool
        Whether the stack's nodes may only depend on earlier nodes.
    seed : int
        The seed of the stack's training.
    seconds : float
        Time for everything.

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
    # Only series on which exactly one of the two is right count. If neither were better, each of them would be a toss
    # of a fair coin, so the standard error of the lead is the square root of their number.
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
