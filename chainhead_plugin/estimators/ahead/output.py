"""Results and card of a forecaster that was trained on a table."""

from collections.abc import Mapping
from importlib import metadata
from typing import Any

from ...forecasts.metrics import TITLES
from ...hub.card_text import cell
from ..tables.card import table_card
from .training import TrainedForecaster

# A forecast whose error is at least this share of the naive forecast's error counts as no better than it.
_AS_GOOD = 0.98
_IN_PERCENT = ("smape", "wape", "coverage")


def score_text(name: str, value: float) -> str:
    """Return a score as text: in percent for metrics that are shares."""
    return f"{100 * value:.1f} %" if name in _IN_PERCENT else f"{value:.4g}"


def chosen_text(trained: TrainedForecaster) -> str:
    """Return a sentence on which forecasts the model averages, and on its error at the rolling origins."""
    estimator = trained.estimator
    shares = [f"{100 * share:.0f} % {name}" for name, share in estimator.shares_.items()]
    shown = ", ".join(shares[:4]) + (f" and {len(shares) - 4} more" if len(shares) > 4 else "")
    error, naive = estimator.error_, estimator.naive_error_
    compared = "0, as that of the last season's values again"
    if naive > 0:
        compared = f"{100 * error / naive:.0f} % of that of the last season's values again"
        if error > _AS_GOOD * naive:
            compared += ", which is as good or better here"
    return f"{shown}; mean absolute error at {estimator.origins_} rolling origins within the training data: {compared}"


def forecaster_results(trained: TrainedForecaster) -> dict[str, Any]:
    """Return choices and scores as values for JSON."""
    estimator = trained.estimator
    return {
        "task": "forecasting",
        "model": "a mean of linear forecasts",
        "series": trained.series,
        "horizon": estimator.horizon_,
        "seasons": estimator.seasons_,
        "shares": estimator.shares_,
        "rolling_origins": {
            "origins": estimator.origins_,
            "error": estimator.error_,
            "naive_error": estimator.naive_error_,
        },
        "test_origins": trained.origins,
        "test": trained.scores,
        "test_by_series": trained.by_series,
        "seconds": round(trained.seconds, 3),
        "versions": {name: metadata.version(name) for name in ("chainhead-plugin", "torch", "scikit-learn")},
    }


def _table(scores: Mapping[str, Mapping[str, float]]) -> str:
    """Return a Markdown table with a column for each mapping of scores."""
    names = list(next(iter(scores.values())))
    rows = [f"| | {' | '.join(map(cell, scores))} |", "|---|" + "---:|" * len(scores)]
    for name in names:
        cells = [score_text(name, part[name]) if name in part else "–" for part in scores.values()]
        rows.append(f"| {TITLES[name]} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _test_part(trained: TrainedForecaster) -> str:
    if trained.plan.test is not None:
        return f"what goes on in {trained.plan.test.name}"
    return f"the last {100 * (trained.plan.test_share or 0):g} % of the time"


def forecaster_card(trained: TrainedForecaster, name: str, plan: str) -> str:
    """Render the model card.

    Parameters
    ----------
    trained : TrainedForecaster
    name, plan : str
        Names of the model's folder, and of the file that holds the plan of the training.
    """
    estimator = trained.estimator
    tested = (
        "Not tested: `--test-share 0.2` keeps the last fifth of the time for that, or `--test` a later file."
    )
    if trained.scores:
        parts = {"test part": trained.scores, **trained.by_series}
        tested = (
            f"{trained.origins:,} forecasts of the test part, {_test_part(trained)}, each from the time before it by a "
            f"model of the rest:\n\n{_table(parts)}\n\nMASE is in units of "
            "the error of the last season's values again on the training part; the quantile loss is that of all "
            "quantiles, in units of the mean size of the values."
        )
    summary = (
        f"A forecaster of the next {estimator.horizon_} steps of {', '.join(map(cell, trained.plan.table.target))}, "
        f"with quantiles. Its point forecast is one linear map of the last {estimator.model_.config.chain_length} "
        f"values: {chosen_text(trained)}. Quantiles are calibrated on the errors at these origins."
    )
    return table_card(
        name,
        "time-series-forecasting",
        answers="forecasting",
        arguments=f"{name} past.csv --horizon {estimator.horizon_} --quantiles 0.1,0.9",
        plan=plan,
        summary=summary,
        said=trained.said,
        results=tested,
    )


__all__ = ["chosen_text", "forecaster_card", "forecaster_results", "score_text"]
