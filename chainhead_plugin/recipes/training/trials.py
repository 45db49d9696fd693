"""What is trained: a candidate on a fold of the data, with a rate and a seed; and the run that comes of it."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import nn

from ..candidates.inputs import Inputs
from ..candidates.peers import Candidate
from ..data.examples import Examples
from ..metrics import Metric
from ..recipe import Recipe
from .fingerprints import of_candidate
from .records import WEIGHTS


@dataclass(frozen=True)
class Fold:
    """Examples to train on, perhaps some that are held out, and the preprocessing fitted to the former.

    Attributes
    ----------
    name : str
        Tells folds of one recipe apart, together with the seed.
    training : Examples
    validation : Examples or None
    inputs : Inputs
    """

    name: str
    training: Examples
    validation: Examples | None
    inputs: Inputs


@dataclass(frozen=True)
class Trial:
    """A training that may still have to be done.

    Attributes
    ----------
    recipe : Recipe
        States how to train, and on how many threads.
    name : str
        The candidate's, as recipes name it.
    candidate : Candidate
    fold : Fold
    rate : float or None
        Learning rate; None where there is none, in closed form.
    seed : int
    """

    recipe: Recipe
    name: str
    candidate: Candidate
    fold: Fold
    rate: float | None
    seed: int

    @cached_property
    def key(self) -> str:
        """Name of the folder that its run is kept in; a candidate with other layers or weights has another."""
        return f"{self.name}-{self.rate}-{self.fold.name}-{self.seed}-{of_candidate(self.candidate)}"


@dataclass(frozen=True)
class Run:
    """A finished trial.

    Attributes
    ----------
    trial : Trial
    folder : Path
        Holds its weights.
    history : list of dict
        The Trainer's log.
    seconds : float
        Time that training took.
    fitted : dict
        As of `Fit`.
    """

    trial: Trial
    folder: Path
    history: list[dict[str, float]]
    seconds: float
    fitted: dict[str, Any] = field(default_factory=dict)

    def validation(self, metric: Metric, best: bool) -> tuple[float, float]:
        """Return metric and loss after the epoch whose weights were kept: the best, or the last."""
        name = f"eval_{metric.name}"
        epochs = [record for record in self.history if name in record]
        kept = epochs[0 if best else -1]
        for record in epochs:
            # As the Trainer chooses: the first of the best.
            if best and metric.better(record[name], kept[name]):
                kept = record
        return kept[name], kept["eval_loss"]

    def model(self) -> nn.Module:
        """Return the trained model, in evaluation mode."""
        model = self.trial.candidate.build(**self.fitted)
        model.load_state_dict(load_file(self.folder / WEIGHTS))
        return model.eval()
