"""`python -m benchmarks.accuracy.many_series FOLDER`: forecasts of many short series; docs/accuracy-many-series.md."""

import json
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from rich.console import Console
from rich.progress import track
from threadpoolctl import threadpool_limits

from ..machine import describe
from ..tables import number, table
from .forecasters import OURS
from .forecasts import ROOT, measure
from .r_series import KINDS, load_r_series

MODELS = (OURS, "AutoARIMA", "AutoETS", "Theta", "MSTL", "seasonal naive")
_BASE = "seasonal naive"
_PACKAGES = ("statsforecast", "numpy")
_SCORES = ("mase", "wql", "coverage")
_LEVEL = 0.8


def render(results: Mapping[str, Any]) -> str:
    """Return the report as Markdown."""
    aside, development = (
        {name: facts for name, facts in results["series"].items() if facts["aside"] == is_aside}
        for is_aside in (True, False)
    )
    return (
        "\n\n".join(
            [
                f"# Forecasts of {len(results['series'])} short series\n\nHow far `ChainHeadForecaster` is off without "
                "an option but the horizon, beside statsforecast's models, on series of economics, "
                "industry, traffic, nature and health that R packages ship, most of them with 30 to 250 "
                "steps. Written by `python -m benchmarks.accuracy.many_series` (extras `train` and `forecast`) from "
                "its results, [accuracy-many-series.json](accuracy-many-series.json); not edited by hand.",
                f"## {len(aside)} series that nothing was chosen on\n\n{_summary(results, aside)}\n\n"
                f"Errors of the median by kind of series:\n\n{_by_kind(results, aside)}",
                f"## {len(development)} series that the default was developed on\n\n"
                f"{_summary(results, development)}\n\n"
                f"Errors of the median by kind of series:\n\n{_by_kind(results, development)}",
                f"## How this was measured\n\n{_method(results)}",
            ]
        )
        + "\n"
    )


def _summary(results: Mapping[str, Any], names: Mapping[str, Any]) -> str:
    scores = {model: _scores(results, model) for model in results["models"]}
    body = [["error of the median"], ["error of the quantiles"], ["80 % bands off by, in points"]]
    columns = []
    for model in results["models"]:
        own = scores[model]
        columns.append(
            [
                _ratio(own, scores[_BASE], names, "mase"),
                _ratio(own, scores[_BASE], names, "wql"),
                100 * float(np.mean([abs(own[name]["coverage"] - _LEVEL) for name in names])),
            ]
        )
    best = [min(column[place] for column in columns) for place in range(3)]
    for column in columns:
        for place, value in enumerate(column):
            text = f"{value:.1f}" if place == 2 else f"{value:.3f}"
            body[place].append(f"**{text}**" if value == best[place] else text)
    return table(["", *results["models"]], body)


def _by_kind(results: Mapping[str, Any], names: Mapping[str, Any]) -> str:
    scores = {model: _scores(results, model) for model in results["models"]}
    body = []
    for kind in KINDS:
        own = [name for name, facts in names.items() if facts["kind"] == kind]
        if not own:
            continue
        values = [_ratio(scores[model], scores[_BASE], own, "mase") for model in results["models"]]
        cells = [f"**{value:.3f}**" if value == min(values) else f"{value:.3f}" for value in values]
        body.append([f"{kind} ({len(own)})", *cells])
    return table(["", *results["models"]], body)


def _scores(results: Mapping[str, Any], model: str) -> dict[str, dict[str, float]]:
    """Return the scores by series."""
    return {row["series"]: row["scores"] for row in results["rows"] if row["model"] == model}


def _ratio(
    own: Mapping[str, Mapping[str, float]],
    base: Mapping[str, Mapping[str, float]],
    names: Sequence[str] | Mapping[str, Any],
    score: str,
) -> float:
    """Return the geometric mean over series of a score, in units of the seasonal naive forecast's."""
    return float(np.exp(np.mean([np.log(own[name][score] / base[name][score]) for name in names])))


def _method(results: Mapping[str, Any]) -> str:
    seconds = dict.fromkeys(results["models"], 0.0)
    for row in results["rows"]:
        seconds[row["model"]] += row["fit"] + row["predict"]
    told = "; ".join(f"{model} {number(spent)}" for model, spent in seconds.items())
    machine = "; ".join(f"{name}: {value}" for name, value in results["machine"].items())
    return "\n\n".join(
        [
            "Errors are geometric means over series, in units of the seasonal naive forecast's (the last value's where "
            "there is no season); those of the quantiles are weighted quantile losses of the nine deciles. The last "
            "line is the mean over series of how far the share of values within the 80 % band is from 80 %.",
            "The last fifth of each series is the test part. Every forecaster is fitted once to what lies before it, "
            "and forecasts from about twelve rolling origins, each from all values before the origin, 12 months, 8 "
            "quarters, 6 years (4 in series under 60 steps), 13 weeks or 14 days ahead; the default forecaster takes "
            "these values up by `update`. Peers are told the season, the default forecaster finds its own. Nothing "
            "has chance in it. Series that any forecaster failed on are left out"
            + (f": {', '.join(results['failed'])}." if results["failed"] else "; there were none."),
            "The series are those of R and of the packages forecast, tseries, urca, AER, strucchange, boot and lmtest, "
            "as Debian has them (`r-base-core`, `r-cran-forecast` and so on), exported by "
            "`benchmarks/accuracy/export_series.R`; copies, lags and differences are left out. How the default "
            "chooses was developed on the development series alone: its candidates, the doubt about regressions, the "
            "number of members. The series kept aside are two of five data sets, by the hash of their names, and those "
            "that are well known. They were looked at twice, and nothing was chosen by them: between the two, seasons "
            "around a trend in series of two to four seasons were mended, as made-up series showed.",
            f"CPU seconds of all fits and forecasts together, on one thread: {told}.",
            machine + ".",
        ]
    )


def main(
    folder: Annotated[
        Path, typer.Argument(help="With the files of export_series.R.", exists=True, file_okay=False)
    ],
    kept: Annotated[
        Path, typer.Option("--runs", help="File of finished runs, to which new runs are added.")
    ] = ROOT / "runs" / "accuracy-many-series.jsonl",
    output: Annotated[Path, typer.Option(help="Folder for the report.")] = ROOT / "docs",
) -> None:
    """Measure forecasts of many series; a run that was cut off goes on. Needs statsforecast."""
    torch.set_num_threads(1)
    threadpool_limits(1)
    console = Console(soft_wrap=True)
    found = load_r_series(folder)
    rows = [json.loads(line) for line in kept.read_text("utf-8").splitlines()] if kept.is_file() else []
    kept.parent.mkdir(parents=True, exist_ok=True)
    with kept.open("a", encoding="utf-8") as file:
        for name in track(found, "Forecasting", console=console):
            for row in measure([name], MODELS, 1, rows, lambda one: found[one][0]):
                rows.append(row)
                file.write(json.dumps(row) + "\n")
                file.flush()
    rows = [row for row in rows if row["series"] in found and row["model"] in MODELS]
    failed = {
        row["series"]
        for row in rows
        if "error" in row or row["scores"].get("mase", 0) == 0 or row["scores"].get("wql", 0) == 0
    }
    results = {
        "machine": describe("cpu") | {name: metadata.version(name) for name in _PACKAGES},
        "models": list(MODELS),
        "failed": sorted(failed),
        "series": {
            name: {"kind": kind, "aside": is_aside, "steps": len(series.values), "horizon": series.horizon}
            for name, (series, kind, is_aside) in found.items()
            if name not in failed
        },
        "rows": [
            {
                **{name: row[name] for name in ("series", "model", "fit", "predict")},
                "scores": {name: row["scores"][name] for name in _SCORES},
            }
            for row in rows
            if row["series"] not in failed
        ],
    }
    (output / "accuracy-many-series.json").write_text(json.dumps(results) + "\n", encoding="utf-8")
    (output / "accuracy-many-series.md").write_text(render(results), encoding="utf-8")
    console.print(f"wrote {output / 'accuracy-many-series.md'}")


if __name__ == "__main__":
    typer.run(main)
