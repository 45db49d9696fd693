"""The README's table of results, between two markers, from the measured results."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_BEGIN, _END = "<!-- results: written by training/readme.py -->", "<!-- end of results -->"


def results_table(results: Mapping[str, Any]) -> str:
    """Return the models with their sizes and test accuracies as a Markdown table."""
    rows = [
        f"| {model['title']} | {model['parameters']:,} | "
        f"{100 * model['test_accuracy_mean']:.1f} ± {100 * model['test_accuracy_sd']:.1f} |"
        for model in results["models"].values()
    ]
    seeds = len(results["seeds"])
    head = [f"| | weights | test accuracy in %, {seeds} seeds |", "|---|---:|---:|"]
    return "\n".join([*head, *rows])


def update_readme(readme: Path, results: Mapping[str, Any]) -> None:
    """Replace the table in a README.

    Raises
    ------
    ValueError
        If the README has no pair of markers.
    """
    text = readme.read_text(encoding="utf-8")
    table = f"{_BEGIN}\n{results_table(results)}\n{_END}"
    text, found = re.subn(f"{_BEGIN}.*?{_END}", lambda _: table, text, flags=re.DOTALL)
    if not found:
        raise ValueError(f"{readme} has no {_BEGIN} … {_END}")
    readme.write_text(text, encoding="utf-8")
