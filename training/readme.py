"""The README's tables, each between two markers, from the measured results: ``python -m training.readme``."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chainhead_plugin.recipe import shipped_recipes

ROOT = Path(__file__).parents[1]
_CARDS = ROOT / "model_cards"
_VOWELS = "chainhead-japanese-vowels"
RESULTS_MARKERS = ("<!-- results: written by training/readme.py -->", "<!-- end of results -->")
ZOO_MARKERS = ("<!-- zoo: written by training/readme.py -->", "<!-- end of zoo -->")
_RIVALS = ("lstm", "gru", "conv1d")


def results_table(results: Mapping[str, Any]) -> str:
    """Return one model and its closest peers, with their sizes and test accuracies, as a Markdown table."""
    models = [results["models"][name] for name in ("chain", "no_hops", *_RIVALS)]
    rows = [f"| {model['title']} | {model['parameters']:,} | {_accuracy(model)} |" for model in models]
    seeds = len(results["seeds"])
    head = [f"| | weights | test accuracy in %, {seeds} seeds |", "|---|---:|---:|"]
    return "\n".join([*head, *rows])


def zoo_table() -> str:
    """Return all models of the zoo, each beside its peers, as a Markdown table."""
    head = [
        "| test accuracy in %, mean ± sd over seeds | weights | chain head | without hops | plain chain "
        "| best of LSTM, GRU, Conv1d |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    return "\n".join([*head, *(_zoo_row(name) for name in shipped_recipes())])


def update_readme(readme: Path, tables: Mapping[tuple[str, str], str]) -> None:
    """Replace the tables between their markers.

    Raises
    ------
    ValueError
        If the README lacks a pair of markers.
    """
    text = readme.read_text(encoding="utf-8")
    for (begin, end), table in tables.items():
        block = f"{begin}\n{table}\n{end}"
        text, found = re.subn(f"{begin}.*?{end}", lambda _, block=block: block, text, flags=re.DOTALL)
        if not found:
            raise ValueError(f"{readme} has no {begin} … {end}")
    readme.write_text(text, encoding="utf-8")


def read_results(name: str) -> dict[str, Any]:
    """Read what was measured for a model of the zoo."""
    results: dict[str, Any] = json.loads((_CARDS / f"{name}.json").read_text("utf-8"))
    return results


def _zoo_row(name: str) -> str:
    models = read_results(name)["models"]
    rival = max((models[rival] for rival in _RIVALS), key=lambda model: model["test_accuracy_mean"])
    cells = [_accuracy(models[peer]) if peer in models else "–" for peer in ("chain", "no_hops", "plain")]
    return (
        f"| [{name}](model_cards/{name}.md) | {models['chain']['parameters']:,} | {' | '.join(cells)} "
        f"| {_accuracy(rival)} ({rival['title']}) |"
    )


def _accuracy(model: Mapping[str, Any]) -> str:
    return f"{100 * model['test_accuracy_mean']:.1f} ± {100 * model['test_accuracy_sd']:.1f}"


if __name__ == "__main__":
    update_readme(
        ROOT / "README.md",
        {RESULTS_MARKERS: results_table(read_results(_VOWELS)), ZOO_MARKERS: zoo_table()},
    )
