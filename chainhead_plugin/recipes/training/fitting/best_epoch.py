"""Tell the Trainer which epoch is the best, whose weights are kept and from which early stopping counts."""

from typing import Any

from transformers import TrainerCallback, TrainerState

from ...metrics.metric import Metric
from ..ranking import best_epochs, validations

# The Trainer compares a single number. Each epoch that is better than all before gets a larger one.
RANK = "rank"


class RankEpochs(TrainerCallback):
    """Adds the rank of an epoch to its metrics. Early stopping has to be called after it.

    Parameters
    ----------
    metric : Metric
        The first metric of the task.
    """

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def on_evaluate(
        self, _: Any, state: TrainerState, __: Any, metrics: dict[str, float], **___: Any
    ) -> None:
        """Rank the epoch that was evaluated last; the log, which a resumed training has too, holds all of them."""
        best = best_epochs(self._metric, state.log_history)
        is_last = best[-1][0] == len(validations(self._metric, state.log_history)) - 1
        metrics[f"eval_{RANK}"] = float(len(best) if is_last else 0)
