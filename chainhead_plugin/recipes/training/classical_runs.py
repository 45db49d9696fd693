"""Classical forecasters beside a recipe's model, on the same windows; what was measured is kept."""

from pathlib import Path
from typing import Any

import numpy as np

from ..candidates.classical_peers import CLASSICAL_PEERS, FittedClassicalPeer, why_not_classical
from ..data.in_time.windows import Windows, windows_of
from ..data.splits import split
from ..stopwatch import Stopwatch
from .fingerprints import of_examples
from .records import read_record, write_record
from .report import Measurement, ModelReport
from .runs import Runs


def run_classical_peer(name: str, runs: Runs, folder: Path) -> ModelReport | str:
    """Fit a peer to what lies before the validation and before the test part, or say why it cannot be run.

    It has the series whole, not in windows, and learns from the validation part too before it is tested: it chooses
    nothing by it. Nothing in it is random, so that all seeds give the same.

    Parameters
    ----------
    name : str
        A key of `CLASSICAL_PEERS`.
    runs : Runs
        Of the recipe.
    folder : Path
        Where runs are kept.
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
    except Exception as error:  # whatever a foreign model raises costs that peer alone
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
    """Fit the peer and measure it on windows, or find the kept measurement."""
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
