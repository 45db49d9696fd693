"""How a model stands against its peers, in sentences that claim nothing of those that did not run."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..candidates.peers import CHAIN, NO_HOPS, TITLES
from ..metrics import Metric
from ..random_chain_options import RANDOM_CHAINS

# Peers that tell what a part of the head brings, not how good other models are.
ABLATIONS = (NO_HOPS, "plain", "mlp")

Models = Mapping[str, Mapping[str, Any]]


def verdict(
    models: Models,
    metric: Metric,
    baselines: Models | None = None,
    not_run: Mapping[str, str] | None = None,
) -> list[str]:
    """Say in sentences how the model stands against its peers: better, no better, or within the spread.

    Parameters
    ----------
    models : mapping
        As results have them, those that ran.
    metric : Metric
        The metric that counts.
    baselines : mapping, optional
        Forecasts without weights.
    not_run : mapping, optional
        Titles of peers that were wanted and could not be run, and why.
    """
    chain = models[CHAIN]
    sentences = []
    if NO_HOPS in models:
        gap, deviation = metric.difference(chain, models[NO_HOPS])
        spread = (
            "of one seed"
            if deviation is None
            else f"next to a standard deviation over the seeds of {deviation}"
        )
        sentences.append(
            "The same head without hops (a chain matrix of ones on the diagonal alone) tells what the chain itself "
            f"brings: {gap}, {spread}."
        )
    rivals = [model for name, model in models.items() if name not in (CHAIN, *ABLATIONS)]
    if rivals:
        sentences.append(_against(chain, rivals, metric))
    if baselines:
        sentences.append(_against_baselines(chain, baselines, metric))
    if not_run:
        told = "; ".join(f"{title}: {reason}" for title, reason in not_run.items())
        sentences.append(f"Not run, so that nothing is said of them: {told}.")
    return sentences


def _against(chain: Mapping[str, Any], rivals: Sequence[Mapping[str, Any]], metric: Metric) -> str:
    mean = f"test_{metric.name}_mean"
    # Random chain heads are several.
    subject = "The model" if chain["title"] == TITLES[RANDOM_CHAINS] else "The chain head"
    # Of those that are equally good the quickest.
    best = metric.best(sorted(rivals, key=lambda rival: float(rival["training_seconds_mean"])))
    if not metric.better(best[mean], chain[mean]):
        outcome = f"{subject} is at least as accurate as"
    elif abs(chain[mean] - best[mean]) <= (best[f"test_{metric.name}_sd"] or 0.0):
        outcome = f"{subject} is within one standard deviation of"
    else:
        outcome = f"**{subject} is less accurate than**"
    which = best["title"] if len(rivals) == 1 else f"the best of {_listed(rivals)}, {best['title']}"
    weights = ""
    if best["parameters"] is not None:
        weights = f", with {chain['parameters']:,} weights against {best['parameters']:,}"
    times = ""
    if "prediction_seconds" in best:  # older results have none
        times = (
            f" {best['title']} trained in {_seconds(best['training_seconds_mean'])} and predicts the test part in "
            f"{_seconds(best['prediction_seconds'])}, {subject.lower()} in {_seconds(chain['training_seconds_mean'])} "
            f"and {_seconds(chain['prediction_seconds'])}."
        )
    return f"{outcome} {which} ({metric.difference(chain, best)[0]}){weights}.{times}"


def _listed(models: Sequence[Mapping[str, Any]]) -> str:
    titles = [model["title"] for model in models]
    return f"{', '.join(titles[:-1])} and {titles[-1]}"


def _seconds(value: float) -> str:
    return f"{value:.1f} s" if value >= 1 else f"{value:.2g} s"


def _against_baselines(chain: Mapping[str, Any], baselines: Models, metric: Metric) -> str:
    tested = f"test_{metric.name}"
    title, value = min(
        ((title, baseline[tested]) for title, baseline in baselines.items()), key=lambda pair: pair[1]
    )
    mean = chain[f"{tested}_mean"]
    # Nothing can be a percentage of the error of a naive forecast of a constant.
    gap = f"{mean:+.3g}" if value == 0 else f"{100 * (mean / value - 1):+.1f} %"
    return f"Against the best forecast without weights ({title}) it has {gap} {metric.title}."
