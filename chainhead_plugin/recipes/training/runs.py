"""The runs of a recipe. A finished run is kept in a folder, so that no run is done twice."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from torch import nn

from ...chain.threads import num_threads
from ..candidates.inputs.inputs import Inputs
from ..candidates.inputs.preparing import prepare
from ..candidates.peers import CHAIN, Candidate, candidates
from ..data.examples import Data, Examples
from ..data.splits import folds, split
from ..errors import RecipeError
from ..recipe import Recipe
from .fingerprints import differences, of_examples, of_recipe
from .fitting.closed_form import fit_in_closed_form
from .fitting.predicting import predict
from .fitting.trainer import fit
from .ranking import Validation, is_better
from .records import TRAINER, keep_run, kept_run, read_record, set_aside, write_record
from .report import Measurement
from .stopwatch import Stopwatch
from .trials import Fold, Run, Trial

_REPEATS = 3


class Runs:
    """All runs of a recipe on its data, or with a frozen backbone or encoder on the nodes that this makes from them.

    Parameters
    ----------
    recipe : Recipe
    data : Data
    folder : Path
        The folder in which runs are kept.
    on_epoch : callable
        Called with a number of epochs whenever they are done, or not needed.

    Raises
    ------
    RecipeError
        If the folder holds the runs of another recipe or of other data.
    """

    def __init__(
        self, recipe: Recipe, data: Data, folder: Path, on_epoch: Callable[[int], None] = lambda _: None
    ) -> None:
        self.recipe, self.data, self.folder, self._on_epoch = recipe, data, folder, on_epoch
        recipe.task.check_data(recipe, data)
        self._check_folder()
        self._test_part = of_examples(data.test) + recipe.task.finishing(recipe)
        with num_threads(recipe.threads):
            self.backbone = recipe.task.freeze(recipe, data, folder / "backbone", on_epoch)
        if self.backbone is not None:
            self.data = self.backbone.data
        self.inputs = prepare(recipe, self.data.train)
        self._folds: dict[str, Fold] = {}

    def candidates(
        self, inputs: Inputs | None = None, peers: list[str] | None = None
    ) -> dict[str, Candidate]:
        """Return the model and the peers to train, for the given preprocessing."""
        names = self.data.train.names
        return candidates(
            self.recipe, inputs or self.inputs, names, self.recipe.peers if peers is None else peers
        )

    def choose(self, name: str) -> tuple[float | None, float, Run]:
        """Choose a candidate's learning rate by validation alone.

        Returns
        -------
        rate : float or None
            The rate with the best mean of the task's first metric; if means are equal, with the lowest mean loss. None
            for a candidate in closed form, which has no rate.
        value : float
            The mean of the metric.
        run : Run
            The first run with this rate.
        """
        metric = self.recipe.task.metric
        best: tuple[Validation, float | None, Run] | None = None
        for rate in self.rates(name):
            runs = [self.validate(name, rate, number) for number in range(self.validations)]
            results = [run.validation(metric, best=self.recipe.early_stopping is not None) for run in runs]
            mean = Validation(*(float(np.mean(column)) for column in zip(*results, strict=True)))
            if best is None or is_better(metric, mean, best[0]):
                best = (mean, rate, runs[0])
        assert best is not None
        return best[1], best[0].value, best[2]

    @property
    def validations(self) -> int:
        """The number of folds that a learning rate is tried on."""
        return len(self._validation_folds())

    def validate(self, name: str, rate: float | None, number: int) -> Run:
        """Train a candidate with a rate on the fold of a number, to be validated."""
        fold, seed = self._validation_folds()[number]
        return self._run(self._trial(name, fold, rate, seed))

    def rates(self, name: str) -> list[float | None]:
        """Return the learning rates that are tried for a candidate: None alone, if it is in closed form."""
        candidate = self.candidates(peers=[] if name == CHAIN else [name])[name]
        return [None] if candidate.is_in_closed_form else [*self.recipe.rates_of(name)]

    def final(self, name: str, rate: float | None, seed: int) -> Run:
        """Train a candidate for the test: on the whole training part, or without the validation share."""
        if self.recipe.validation_share is not None:
            fold = self._split(self.recipe.validation_share, seed)
        else:
            fold = Fold("all", self.data.train, None, self.inputs)
        return self._run(self._trial(name, fold, rate, seed))

    def model(self, run: Run) -> nn.Module:
        """Return a finished run's model, in evaluation mode, after the task's last step, such as calibration."""
        model, fold = run.model(), run.trial.fold
        self.recipe.task.finish(self.recipe, model, fold.inputs, fold.validation)
        return model

    def released(self, run: Run) -> tuple[nn.Module, Inputs]:
        """Return the model of a run, and its preprocessing, as they are published: with the frozen backbone, if any."""
        if self.backbone is None:
            return self.model(run), run.trial.fold.inputs
        return self.backbone.with_head(self.model(run)), self.backbone.inputs

    def test(self, run: Run) -> Measurement:
        """Return a run's measurement on the test part, which is made once and then kept."""
        file = run.folder / "test.json"
        kept = read_record(file, {"measured": dict, "part": str})
        wanted = {metric.name for metric in self.recipe.task.metrics}
        if kept is None or kept["part"] != self._test_part or not wanted <= kept["measured"].keys():
            model, test, seconds = self.model(run), self.data.test, []
            with num_threads(self.recipe.threads):
                for _ in range(_REPEATS):
                    watch = Stopwatch(self.recipe.threads)
                    found = predict(model, run.trial.fold.inputs, test.inputs, self.recipe.task)
                    seconds.append(watch.seconds)
            values = self.recipe.task.measure_on(found.numpy(), test)
            kept = {"measured": {**values, "seconds": min(seconds)}, "part": self._test_part}
            write_record(file, kept)
        values = dict(kept["measured"])
        return Measurement(values, run.seconds, values.pop("seconds"))

    def _validation_folds(self) -> list[tuple[Fold, int]]:
        """Return the folds that learning rates are chosen on, and the seed of each run."""
        seed, count = self.recipe.seeds[0], self.recipe.validation_folds
        if self.recipe.validation_share is not None:
            return [(self._split(self.recipe.validation_share, seed), seed)]
        assert count is not None
        names = [f"fold{number}" for number in range(count)]
        if names[0] not in self._folds:
            for name, (kept, held_out) in zip(names, folds(self.data.train, count), strict=True):
                self._folds[name] = self._fold(name, kept, held_out)
        return [(self._folds[name], seed) for name in names]

    def _split(self, share: float, seed: int) -> Fold:
        name = f"split-{seed}"
        if name not in self._folds:
            self._folds[name] = self._fold("split", *split(self.data.train, share, seed))
        return self._folds[name]

    def _fold(self, name: str, kept: Examples, held_out: Examples) -> Fold:
        return Fold(name, kept, held_out, prepare(self.recipe, kept))

    def _trial(self, name: str, fold: Fold, rate: float | None, seed: int) -> Trial:
        candidate = self.candidates(fold.inputs, [] if name == CHAIN else [name])[name]
        return Trial(self.recipe, name, candidate, fold, rate, seed)

    def _run(self, trial: Trial) -> Run:
        folder = self.folder / trial.key
        in_epochs = not trial.candidate.is_in_closed_form
        planned = int(self.recipe.training.get("num_train_epochs", 3)) if in_epochs else 0
        done = 0

        def on_epoch() -> None:
            nonlocal done
            done += 1
            self._on_epoch(1)

        record = kept_run(folder)
        if record is None:
            result = fit(trial, folder / TRAINER, on_epoch) if in_epochs else fit_in_closed_form(trial)
            kept = {"history": result.history, "seconds": result.seconds, "fitted": result.fitted}
            record = keep_run(folder, result.model.state_dict(), kept)
        self._on_epoch(planned - done)
        # Older records hold no fields that a fit has chosen.
        return Run(trial, folder, record["history"], record["seconds"], record.get("fitted", {}))

    def _check_folder(self) -> None:
        file = self.folder / "recipe.json"
        now = of_recipe(self.recipe, self.data.train)
        before = read_record(file, {"task": str})
        if before is None and file.exists():
            set_aside(file, "it is damaged")
        changed = [] if before is None else differences(before, now)
        # A recipe that had failed before its first run may be mended.
        if changed and any(entry.is_dir() for entry in self.folder.iterdir()):
            raise RecipeError(
                f"{self.folder} holds runs of another version of this recipe or of other data ({', '.join(changed)} "
                "changed): choose another output folder, or delete this folder"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        write_record(file, now)
