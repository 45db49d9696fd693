"""Run classical forecasters on the windows of a recipe's model, and keep their measurements."""

from pathlib import Path
from typing import Any

import numpy as np

from ..candidates.classical_peers import CLASSICAL_PEERS, FittedClassicalPeer, why_not_classical
from ..data.in_time.windows import Windows, windows_of
from ..data.splits import split
from .fingerprints import of_examples
from .records import read_record, write_record
from .report import Measurement, ModelReport
from .runs import Runs
from .stopwatch import Stopwatch


def run_classical_peer(name: str, runs: Runs, folder: Path) -> ModelReport | str:
    """Fit a peer to the values before the validation part, and then to those before the test part.

    It is fitted to whole series and not to windows. Before the test it is fitted to the validation part too, as it
    chooses nothing by validation. It is not random, so that its measurement counts for all seeds.

    Parameters
    ----------
    name : str
        A key of `CLASSICAL_PEERS`.
    runs : Runs
        The runs of the recipe.
    folder : Path
        The folder in which measurements are kept.

    Returns
    -------
    ModelReport or str
        The reason, if the peer cannot be run.
    """
    recipe, test = runs.recipe, windows_of(runs.data.test)
    assert recipe.validation_share is not None
    held_out = windows_of(split(runs.data.train, recipe.validation_share, recipe.seeds[0])[1])
    for part in (held_out, test):
        if reason := why_not_classical(name, part):
            return reason
    try:
        validation, tested = (
            _measured(name, runs, folder / f"{name}-{part}", windows)
            for part, windows in (("validation", held_out), ("test", test))
        )
    except Exception as error:  # errors of a foreign model only leave out this peer
        return f"{type(error).__name__}: {error}".partition("\n")[0][:200]
    notes = ["fitted once to all that lies before the test part, each forecast from the whole past"]
    if any(np.isnan(series.values[:, : len(test.names)]).any() for series in test.whole.series):
        notes.append("missing values interpolated")
    return ModelReport.of_tests(
        CLASSICAL_PEERS[name],
        validation.values[recipe.task.metric.name],
        [tested] * len(recipe.seeds),
        notes=tuple(notes),
    )


def _measured(name: str, runs: Runs, folder: Path, windows: Windows) -> Measurement:
    """Return the kept measurement of a peer, or else fit it, measure it on windows and keep the measurement."""
    file, task = folder / "measured.json", runs.recipe.task
    levels: list[float] = list(runs.recipe.model.get("quantiles") or [])
    part = f"{of_examples(windows)} {levels} {windows.whole.seasons}"
    kept: dict[str, Any] | None = read_record(file, {"measured": dict, "part": str})
    if kept is not None and kept["part"] == part:
        values = dict(kept["measured"])
        return Measurement(values, values.pop("training_seconds"), values.pop("seconds"))
    watch = Stopwatch(runs.recipe.threads)
    fitted = FittedClassicalPeer(name, windows, int(windows.times.min()))
    trained = watch.seconds
    forecasts = fitted.predict(windows, levels)
    seconds = watch.seconds - trained
    values = task.measure_on(forecasts, windows)
    folder.mkdir(parents=True, exist_ok=True)
    kept = {**values, "training_seconds": trained, "seconds": seconds}
    write_record(file, {"measured": kept, "part": part})
    return Measurement(values, trained, seconds)
