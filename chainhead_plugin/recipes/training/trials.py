"""A trial is a candidate to train on a fold of the data, with a rate and a seed. A run is a finished trial."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import nn

from ..candidates.inputs.inputs import Inputs
from ..candidates.peers import Candidate
from ..data.examples import Examples
from ..metrics.metric import Metric
from ..recipe import Recipe
from .fingerprints import of_candidate
from .ranking import Validation, best_epochs, validations
from .records import WEIGHTS


@dataclass(frozen=True)
class Fold:
    """Examples to train on, examples that are held out, if any, and the preprocessing fitted to the training examples.

    Attributes
    ----------
    name : str
        The fold's name, which together with the seed is unique within a recipe.
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
        The candidate's name in recipes.
    candidate : Candidate
    fold : Fold
    rate : float or None
        The learning rate; None for a candidate in closed form.
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
        """The name of the folder in which its run is kept, which depends on the candidate's layers and weights."""
        return f"{self.name}-{self.rate}-{self.fold.name}-{self.seed}-{of_candidate(self.candidate)}"


@dataclass(frozen=True)
class Run:
    """A finished trial.

    Attributes
    ----------
    trial : Trial
    folder : Path
        The folder with its weights.
    history : list of dict
        The Trainer's log.
    seconds : float
        The time that training took.
    fitted : dict
        Fields of the configuration that training chose, as in `Fit`.
    """

    trial: Trial
    folder: Path
    history: list[dict[str, float]]
    seconds: float
    fitted: dict[str, Any] = field(default_factory=dict)

    def validation(self, metric: Metric, best: bool) -> Validation:
        """Return the validation after the epoch whose weights were kept: the best, or the last."""
        return best_epochs(metric, self.history)[-1][1] if best else validations(metric, self.history)[-1]

    def model(self) -> nn.Module:
        """Return the trained model, in evaluation mode."""
        model = self.trial.candidate.build(**self.fitted)
        model.load_state_dict(load_file(self.folder / WEIGHTS))
        return model.eval()
