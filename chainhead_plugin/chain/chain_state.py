"""What a step keeps for the next one: nodes, or sums of them, below each other, each of all chains."""

from typing import NoReturn

from torch import Tensor


def refuse_state(state: Tensor, expected: tuple[int, int], batch: int) -> NoReturn:
    """Raise a ValueError for a state of another shape than `batch` chains have."""
    raise ValueError(
        f"state has shape {tuple(state.shape)}, expected {expected} for {batch} chains: go on with the state of the "
        "same chains, or start with state=None"
    )
