"""The runs of a recipe, each kept in a folder when it is finished, so that none is ever done twice."""

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load_file, save_file
from torch import nn

from ..candidates.encoder import encoder_hashes
from ..candidates.inputs import Inputs
from ..candidates.peers import CHAIN, Candidate, candidates
from ..candidates.preparing import prepare
from ..data.examples import Data, Examples
from ..data.splits import folds, split
from ..errors import RecipeError
from ..metrics import Metric
from ..recipe import Recipe
from .fitting import fit, quality, threads_set

_REPEATS = 3


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes
    ----------
    folder : Path
        Holds its weights.
    history : list of dict
        The Trainer's log.
    seconds : float
        Time that training took.
    """

    folder: Path
    history: list[dict[str, float]]
    seconds: float

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


class Runs:
    """All runs of one recipe on its data; with a frozen backbone or encoder, on the nodes that it makes of them.

    Parameters
    ----------
    recipe : Recipe
    data : Data
    folder : Path
        Where runs are kept.
    on_epoch : callable
        Called for every epoch that is done, or need not be.

    Raises
    ------
    RecipeError
        If the folder holds the runs of another recipe or of other data.
    """

    def __init__(
        self, recipe: Recipe, data: Data, folder: Path, on_epoch: Callable[[int], None] = lambda _: None
    ) -> None:
        self.recipe, self.data, self._folder, self._on_epoch = recipe, data, folder, on_epoch
        recipe.task.check_data(recipe, data)
        self._check_folder()
        with threads_set(recipe.threads):
            self.backbone = recipe.task.freeze(recipe, data, folder / "backbone", on_epoch)
        if self.backbone is not None:
            self.data = self.backbone.data
        self.inputs = prepare(recipe, self.data.train)

    def candidates(
        self, inputs: Inputs | None = None, peers: list[str] | None = None
    ) -> dict[str, Candidate]:
        """Return the model and the peers to train, for the given preprocessing."""
        names = self.data.train.names
        return candidates(
            self.recipe, inputs or self.inputs, names, self.recipe.peers if peers is None else peers
        )

    def choose(self, name: str) -> tuple[float, float, Run]:
        """Choose a candidate's learning rate by validation alone.

        Returns
        -------
        rate, value : float
            The rate of the best mean of the task's metric, or where equal of the lowest mean loss, and that mean.
        run : Run
            The first run with that rate.
        """
        metric = self.recipe.task.metric
        best: tuple[tuple[float, float], float, Run] | None = None
        for rate in self.recipe.rates_of(name):
            runs = self._validation_runs(name, rate)
            results = [run.validation(metric, best=self.recipe.early_stopping is not None) for run in runs]
            value, loss = (float(np.mean(column)) for column in zip(*results, strict=True))
            if (
                best is None
                or metric.better(value, best[0][0])
                or (value == best[0][0] and loss < best[0][1])
            ):
                best = ((value, loss), rate, runs[0])
        assert best is not None
        return best[1], best[0][0], best[2]

    def final(self, name: str, rate: float, seed: int) -> Run:
        """Train a candidate for the test: on all of the training part, or without what validation takes."""
        if self.recipe.validation_share is not None:
            return self._on_split(name, rate, seed)
        return self._run(f"{name}-{rate}-all-{seed}", name, self.inputs, self.data.train, None, rate, seed)

    def model(self, name: str, run: Run) -> tuple[nn.Module, Inputs]:
        """Return a finished run's model, in evaluation mode, and its preprocessing."""
        inputs = self.inputs
        if self.recipe.validation_share is not None:
            seed = int(run.folder.name.rpartition("-")[2])
            inputs = prepare(self.recipe, split(self.data.train, self.recipe.validation_share, seed)[0])
        model = self.candidates(inputs, [] if name == CHAIN else [name])[name].build()
        model.load_state_dict(load_file(run.folder / "weights.safetensors"))
        return model.eval(), inputs

    def released(self, run: Run) -> tuple[nn.Module, Inputs]:
        """Return a finished run of the recipe's own model as it is published: with its backbone, where frozen."""
        model, inputs = self.model(CHAIN, run)
        if self.backbone is None:
            return model, inputs
        return self.backbone.with_head(model), self.backbone.inputs

    def test(self, name: str, run: Run) -> dict[str, float]:
        """Return the metrics on the test part, NaN where not defined, and the seconds it takes to predict.

        They are measured once, and then kept.
        """
        file = run.folder / "test.json"
        kept: dict[str, float] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
        if not {metric.name for metric in self.recipe.task.metrics} <= kept.keys():
            model, inputs = self.model(name, run)
            seconds = []
            with threads_set(self.recipe.threads):
                for _ in range(_REPEATS):
                    start = time.perf_counter()
                    found = quality(model, inputs, self.data.test, self.recipe.task)
                    seconds.append(time.perf_counter() - start)
            kept = {**found, "seconds": min(seconds)}
            file.write_text(json.dumps(kept), "utf-8")
        return kept

    def _validation_runs(self, name: str, rate: float) -> list[Run]:
        seed = self.recipe.seeds[0]
        if self.recipe.validation_folds is None:
            return [self._on_split(name, rate, seed)]
        runs = []
        for number, (kept, held_out) in enumerate(folds(self.data.train, self.recipe.validation_folds)):
            key = f"{name}-{rate}-fold{number}-{seed}"
            runs.append(self._run(key, name, prepare(self.recipe, kept), kept, held_out, rate, seed))
        return runs

    def _on_split(self, name: str, rate: float, seed: int) -> Run:
        assert self.recipe.validation_share is not None
        kept, held_out = split(self.data.train, self.recipe.validation_share, seed)
        key = f"{name}-{rate}-split-{seed}"
        return self._run(key, name, prepare(self.recipe, kept), kept, held_out, rate, seed)

    def _run(
        self,
        key: str,
        name: str,
        inputs: Inputs,
        training: Examples,
        validation: Examples | None,
        rate: float,
        seed: int,
    ) -> Run:
        folder = self._folder / key
        record = folder / "run.json"
        planned = int(self.recipe.training.get("num_train_epochs", 3))
        done = 0

        def on_epoch() -> None:
            nonlocal done
            done += 1
            self._on_epoch(1)

        if not record.is_file():
            candidate = self.candidates(inputs, [] if name == CHAIN else [name])[name]
            result = fit(
                self.recipe,
                candidate,
                inputs,
                training,
                validation,
                learning_rate=rate,
                seed=seed,
                folder=folder / "trainer",
                on_epoch=on_epoch,
            )
            shutil.rmtree(folder / "trainer", ignore_errors=True)
            folder.mkdir(parents=True, exist_ok=True)
            state = {key: value.contiguous() for key, value in result.model.state_dict().items()}
            save_file(state, folder / "weights.safetensors", metadata={"format": "pt"})
            record.write_text(json.dumps({"history": result.history, "seconds": result.seconds}), "utf-8")
        self._on_epoch(planned - done)
        return Run(folder, **json.loads(record.read_text("utf-8")))

    def _check_folder(self) -> None:
        file = self._folder / "recipe.json"
        text = json.dumps(self._fingerprint(), indent=2, sort_keys=True)
        if file.is_file() and file.read_text("utf-8") != text:
            raise RecipeError(
                f"{self._folder} holds runs of another version of this recipe or of other data: choose another "
                "output folder, or delete that one"
            )
        self._folder.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")

    def _fingerprint(self) -> dict[str, Any]:
        """What every run depends on. Seeds, peers and rates are part of the runs' names."""
        fixed = asdict(replace(self.recipe, card={}, peers=[], folder=Path()))
        for name in ("card", "peers", "seeds", "learning_rates", "overrides", "folder", "data"):
            del fixed[name]
        fixed["task"] = self.recipe.task.name
        # Runs of before there were these are found again.
        for name in ("metric", "class_weight"):
            if fixed[name] is None:
                del fixed[name]
        # Not where it is, but what it is.
        if self.recipe.encoder:
            fixed["encoder"] = {**self.recipe.encoder, "folder": None, "sha256": encoder_hashes(self.recipe)}
        else:
            del fixed["encoder"]
        digest = hashlib.sha256()
        for part in (self.data.train, self.data.test):
            digest.update(repr(part.names).encode() + part.labels.tobytes())
            if part.groups is not None:
                digest.update(repr(part.groups.tolist()).encode())
            for one in part.inputs:
                digest.update(one.encode() if isinstance(one, str) else np.ascontiguousarray(one).tobytes())
        return {**fixed, "data": digest.hexdigest()}
