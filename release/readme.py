"""The tables of README and docs/zoo.md, each between two markers, from results: ``python -m release.readme``."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.accuracy.report import Results, accuracy, mean_accuracy, median_ratio
from chainhead_plugin.recipes.candidates.peers import CHAIN, NO_HOPS
from chainhead_plugin.recipes.metrics.metric import Metric
from chainhead_plugin.recipes.recipe_files import load_recipe, shipped_recipes
from chainhead_plugin.recipes.results.verdict import ABLATIONS
from chainhead_plugin.recipes.training.report import ModelReport, Report, best_of

ROOT = Path(__file__).parents[1]
_CARDS = ROOT / "model_cards"
ZOO_PAGE = ROOT / "docs" / "zoo.md"
_VOWELS = "chainhead-japanese-vowels"
RESULTS_MARKERS = ("<!-- results: written by release/readme.py -->", "<!-- end of results -->")
ZOO_MARKERS = ("<!-- zoo: written by release/readme.py -->", "<!-- end of zoo -->")
ACCURACY_MARKERS = ("<!-- accuracy: written by release/readme.py -->", "<!-- end of accuracy -->")
_RIVALS = ("lstm", "gru", "conv1d")


def results_table(report: Report) -> str:
    """Return a model and its closest peers, with their sizes and test accuracies, as a Markdown table."""
    models = [report.models[name] for name in (CHAIN, NO_HOPS, *_RIVALS)]
    rows = [f"| {model.title} | {model.parameters:,} | {_spread(model, report.metric)} |" for model in models]
    head = [f"| | weights | test accuracy in %, {len(report.seeds)} seeds |", "|---|---:|---:|"]
    return "\n".join([*head, *rows])


def zoo_table() -> str:
    """Return all models of the zoo, each beside its peers, as a Markdown table for every metric."""
    names: dict[str, list[str]] = {}
    for name in shipped_recipes():
        names.setdefault(_metric(name).in_unit(None), []).append(name)
    tables = []
    for heading, rows in names.items():
        head = [
            f"| test {heading}, mean ± sd over seeds | weights | the model | without hops | plain chain "
            "| best other peer |",
            "|---|---:|---:|---:|---:|---:|",
        ]
        tables.append("\n".join([*head, *(_zoo_row(name) for name in rows)]))
    return "\n\n".join(tables)


def accuracy_table(results: Results) -> str:
    """Return the default classifier and its peers, with accuracy and time, as a Markdown table.

    Models that did not run on every set are left out. How far behind a model is, is told on the set where the best
    other model of that set is furthest ahead.
    """
    head = [
        f"| {len(results['sets'])} sets, {results['seeds']} seeds | mean test accuracy in % | furthest behind the best "
        "| time, fit and predict |",
        "|---|---:|---:|---:|",
    ]
    rows = []
    for model in results["models"]:
        average = mean_accuracy(results, model)
        if average is None:
            continue
        behind = {
            name: max(accuracy(results, name, other) or 0.0 for other in results["models"])
            - (accuracy(results, name, model) or 0.0)
            for name in results["sets"]
        }
        worst = max(behind, key=lambda name: behind[name])
        rows.append(
            f"| {model} | {average:.1f} | {behind[worst]:.1f} ({worst}) "
            f"| {median_ratio(results, model):.1f} × MiniRocket |"
        )
    return "\n".join([*head, *rows])


def read_accuracy() -> Results:
    """Read the results of `python -m benchmarks.accuracy`."""
    results: Results = json.loads((ROOT / "docs" / "accuracy.json").read_text("utf-8"))
    return results


def update_tables(page: Path, tables: Mapping[tuple[str, str], str]) -> None:
    """Replace the tables between their markers.

    Raises
    ------
    ValueError
        If the page lacks a pair of markers.
    """
    text = page.read_text(encoding="utf-8")
    for (begin, end), table in tables.items():
        block = f"{begin}\n{table}\n{end}"
        text, found = re.subn(f"{begin}.*?{end}", lambda _, block=block: block, text, flags=re.DOTALL)
        if not found:
            raise ValueError(f"{page} has no {begin} … {end}")
    page.write_text(text, encoding="utf-8")


def read_results(name: str) -> dict[str, Any]:
    """Read the results of a model of the zoo."""
    results: dict[str, Any] = json.loads((_CARDS / f"{name}.json").read_text("utf-8"))
    return results


def read_report(name: str) -> Report:
    """Read the results of a model of the zoo as values."""
    return Report.from_json(read_results(name), load_recipe(name).task.metrics)


def _zoo_row(name: str) -> str:
    report = read_report(name)
    models, metric = report.models, report.metric
    rival = best_of([model for peer, model in models.items() if peer not in (CHAIN, *ABLATIONS)], metric)
    cells = [_spread(models[peer], metric) if peer in models else "–" for peer in (CHAIN, NO_HOPS, "plain")]
    return (
        f"| [{name}](../model_cards/{name}.md) | {models[CHAIN].parameters:,} | {' | '.join(cells)} "
        f"| {_spread(rival, metric)} ({rival.title}) |"
    )


def _spread(model: ModelReport, metric: Metric) -> str:
    return metric.spread(model.outcomes[metric.name])


def _metric(name: str) -> Metric:
    return load_recipe(name).task.metric


if __name__ == "__main__":
    update_tables(ROOT / "README.md", {ACCURACY_MARKERS: accuracy_table(read_accuracy())})
    update_tables(ZOO_PAGE, {RESULTS_MARKERS: results_table(read_report(_VOWELS)), ZOO_MARKERS: zoo_table()})
