"""`python -m benchmarks.accuracy.forecasts`: the default forecaster beside its peers; docs/accuracy-forecasts.md."""

import json
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from statistics import mean
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from threadpoolctl import threadpool_limits

from chainhead_plugin.forecasts.metrics import forecast_scores, naive_scale

from ..machine import describe
from ..tables import DASH, number, table
from .forecast_rehearsal import rehearse, render_rehearsal
from .forecast_sets import LEVELS, SERIES, SeriesToForecast, load_series
from .forecasters import FORECASTERS, OURS, OURS_WITH_TIME, SEEDED

ROOT = Path(__file__).parents[2]
Rows = Sequence[Mapping[str, Any]]
_PACKAGES = ("statsforecast", "statsmodels", "pmdarima", "numpy")
_BAND = (0.75, 0.85)


def measure(
    names: Sequence[str],
    models: Sequence[str],
    seeds: int,
    done: Rows = (),
    load: Callable[[str], SeriesToForecast] = load_series,
) -> Iterator[dict[str, Any]]:
    """Yield a row for every series, forecaster and seed: scores, CPU seconds, or an error.

    Parameters
    ----------
    names : sequence of str
        Of series.
    models : sequence of str
        Of forecasters. Those without chance have seed 0 alone.
    seeds : int
    done : sequence of rows
        Rows that need not be measured again.
    load : function of a name
        That returns a series.
    """
    known = {(row["series"], row["model"], row["seed"]) for row in done if "series" in row}
    for name in names:
        series = load(name)
        season = min(series.seasons, default=1)
        scale = naive_scale(series.values[: series.test_start], season)
        for model in models:
            for seed in range(seeds if model in SEEDED else 1):
                if (name, model, seed) in known:
                    continue
                facts = {
                    "steps": len(series.values),
                    "horizon": series.horizon,
                    "origins": len(series.origins),
                }
                row = {"series": name, "model": model, "seed": seed, "facts": facts}
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of peers, about their own dependencies
                    try:
                        start = time.process_time()
                        forecast = FORECASTERS[model](series, seed)()
                        fitted = time.process_time()
                        quantiles = forecast()
                        end = time.process_time()
                    except (
                        Exception
                    ) as error:  # a peer that fails is a line of the report, not the end of the run
                        yield row | {"error": f"{type(error).__name__}: {error}".partition("\n")[0][:200]}
                        continue
                scores = forecast_scores(quantiles, series.futures, LEVELS, scale)
                yield row | {"scores": scores, "fit": fitted - start, "predict": end - fitted}


def score(rows: Rows, series: str, model: str, name: str) -> float | None:
    """Return the mean of a score over the seeds, or None where the model did not finish."""
    found = [
        row["scores"][name]
        for row in rows
        if (row["series"], row["model"]) == (series, model) and "error" not in row
    ]
    return mean(found) if found else None


def render(results: Mapping[str, Any]) -> str:
    """Return the report as Markdown."""
    sections = [
        "# The default forecaster beside its peers\n\nHow far `ChainHeadForecaster` is off without an option but the "
        "horizon, and with time to try a trained chain, beside statsforecast's models, NLinear and DLinear. Written by "
        "`python -m benchmarks.accuracy.forecasts` (extras `train` and `forecast`) from its results, "
        "[accuracy-forecasts.json](accuracy-forecasts.json); not edited by hand.",
        "## Error of the median: MASE\n\nIn units of the seasonal naive forecast's error on the training part.\n\n"
        + _scores(results, "mase"),
        "## Error of the quantiles: weighted quantile loss\n\nOf the nine deciles, in units of the values' mean size."
        "\n\n" + _scores(results, "wql"),
        "## Share of values within the 80 % band\n\n" + _scores(results, "coverage", with_mean=False),
        *(
            ["## Bands, rehearsed without the test part\n\n" + render_rehearsal(rehearsed)]
            if (rehearsed := results.get("rehearsals"))
            else []
        ),
        "## CPU seconds\n\nOf fit and of all forecasts together, on one thread.\n\n" + _seconds(results),
        "## Where it loses\n\n" + _losses(results),
        "## How this was measured\n\n" + _method(results),
    ]
    return "\n\n".join(sections) + "\n"


def _scores(results: Mapping[str, Any], name: str, *, with_mean: bool = True) -> str:
    body = []
    columns: dict[str, list[float | None]] = {model: [] for model in results["models"]}
    for series in results["series"]:
        found = {model: score(results["rows"], series, model, name) for model in results["models"]}
        best = min((value for value in found.values() if value is not None), default=None)
        cells = []
        for model, value in found.items():
            columns[model].append(value)
            if value is None:
                cells.append(DASH)
            elif name == "coverage":
                cells.append(f"{100 * value:.0f} %")
            else:
                cells.append(f"**{number(value)}**" if value == best else number(value))
        body.append([series, *cells])
    if with_mean:
        means = [
            mean(value for value in values if value is not None) if None not in values else None
            for values in columns.values()
        ]
        body.append(["mean", *(DASH if value is None else number(value) for value in means)])
    return table(["", *results["models"]], body)


def _seconds(results: Mapping[str, Any]) -> str:
    body = []
    for series in results["series"]:
        cells = []
        for model in results["models"]:
            found = [
                row["fit"] + row["predict"]
                for row in results["rows"]
                if (row["series"], row["model"]) == (series, model) and "fit" in row
            ]
            cells.append(number(mean(found)) if found else DASH)
        body.append([series, *cells])
    return table(["", *results["models"]], body)


def _losses(results: Mapping[str, Any]) -> str:
    behind = []
    rivals = [model for model in results["models"] if model not in (OURS, OURS_WITH_TIME)]
    for title, name in (("MASE", "mase"), ("weighted quantile loss", "wql")):
        for series in results["series"]:
            own = score(results["rows"], series, OURS, name)
            scores = {model: score(results["rows"], series, model, name) for model in rivals}
            finished = {model: value for model, value in scores.items() if value is not None}
            best = min(finished, key=lambda model: finished[model], default=None)
            if own is not None and best is not None and own > finished[best]:
                behind.append(f"{series}, {title}: {100 * (own / finished[best] - 1):.0f} % behind {best}")
    low, high = _BAND
    for series in results["series"]:
        share = score(results["rows"], series, OURS, "coverage")
        if share is not None and not low <= share <= high:
            behind.append(f"{series}: its 80 % band holds {100 * share:.0f} % of the values")
    told = "\n".join(f"- {line}." for line in behind) if behind else "On none of these series."
    return told + "\n\nThe best peer of each series is chosen after the fact, by the test part."


def _method(results: Mapping[str, Any]) -> str:
    facts = {row["series"]: row["facts"] for row in results["rows"]}
    body = [
        [series, *(str(facts[series][name]) for name in ("steps", "horizon", "origins"))]
        for series in results["series"]
    ]
    errors = [
        f"{row['model']} on {row['series']}: {row['error']}." for row in results["rows"] if "error" in row
    ]
    kept = [f"{row['model']} on {row['series']}" for row in results["rows"] if "note" in row]
    text = (
        "The last fifth of each series is the test part; every forecaster is fitted once to what lies before it, and "
        "forecasts from rolling origins, each from all values before the origin; the default forecaster takes these up "
        "by `update`. Peers are told the seasons; AutoARIMA and AutoETS those of at most 24 steps, as longer ones take "
        "them hours. NLinear and DLinear are trained on the "
        "pinball loss, with the learning rate and the epoch that the last 15 % of the training part choose, and are "
        f"means over {results['seeds']} seeds; nothing else has chance in it. These are development series: the way "
        "in which the default forecaster chooses was developed on them, so that "
        "[two hundred other series](accuracy-many-series.md) tell more."
    )
    machine = "; ".join(f"{name}: {value}" for name, value in results["machine"].items())
    return "\n\n".join(
        [
            text,
            table(["series", "steps", "horizon", "test origins"], body),
            *(["Not finished: " + " ".join(errors)] if errors else []),
            *([f"From forecasts that an earlier run kept, not timed: {', '.join(kept)}."] if kept else []),
            machine + ".",
        ]
    )


def main(
    series: Annotated[str | None, typer.Option(help="Series to take: a,b; by default all.")] = None,
    models: Annotated[str | None, typer.Option(help="Forecasters to take: a,b; by default all.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many, of forecasters with chance.")] = 3,
    kept: Annotated[
        Path, typer.Option("--runs", help="File of finished runs, to which new runs are added.")
    ] = ROOT / "runs" / "accuracy-forecasts.jsonl",
    output: Annotated[Path, typer.Option(help="Folder for the report.")] = ROOT / "docs",
) -> None:
    """Measure forecasts; a run that was cut off goes on. Needs statsforecast, statsmodels and pmdarima."""
    torch.set_num_threads(1)
    threadpool_limits(1)
    console = Console(soft_wrap=True)
    names = _chosen(series, SERIES, "--series")
    wanted = _chosen(models, tuple(FORECASTERS), "--models")
    machine = describe("cpu") | {name: metadata.version(name) for name in _PACKAGES}
    rows = [json.loads(line) for line in kept.read_text("utf-8").splitlines()] if kept.is_file() else []
    kept.parent.mkdir(parents=True, exist_ok=True)
    with kept.open("a", encoding="utf-8") as file:
        for row in measure(names, wanted, seeds, rows):
            rows.append(row)
            file.write(json.dumps(row) + "\n")
            file.flush()
            console.print(row["series"], row["model"], row["seed"], row.get("error") or row["scores"])
        for row in rehearse(names, rows):
            rows.append(row)
            file.write(json.dumps(row) + "\n")
            file.flush()
            console.print(row)
    rehearsals = [row for row in rows if "given" in row]
    rows = [
        row for row in rows if row.get("series") in names and row["model"] in wanted and row["seed"] < seeds
    ]
    results = {
        "machine": machine,
        "models": wanted,
        "series": names,
        "seeds": seeds,
        "rows": rows,
        "rehearsals": rehearsals,
    }
    (output / "accuracy-forecasts.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (output / "accuracy-forecasts.md").write_text(render(results), encoding="utf-8")
    console.print(f"wrote {output / 'accuracy-forecasts.md'}")


def _chosen(text: str | None, known: Sequence[str], option: str) -> list[str]:
    names = list(known) if text is None else [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in known]:
        raise typer.BadParameter(
            f"there is no {', '.join(unknown)}: expected {', '.join(known)}", param_hint=option
        )
    return names


if __name__ == "__main__":
    typer.run(main)
