"""Compare the model with its peers in sentences, which claim nothing about peers that did not run."""

from collections.abc import Mapping, Sequence

from ..candidates.peers import CHAIN, NO_HOPS, TITLES
from ..fields.random_chains import RANDOM_CHAINS
from ..metrics.metric import Metric
from ..training.report import Baseline, ModelReport, Report, best_of

# Peers that measure the effect of a part of the head, and not how good other models are.
ABLATIONS = (NO_HOPS, "plain")


def verdict(report: Report) -> list[str]:
    """Compare the model with its peers in sentences: whether it is better, worse, or within the spread.

    Models for which the metric is not defined are left out.

    Parameters
    ----------
    report : Report

    Returns
    -------
    list of str
        Paragraphs of one or two sentences, in Markdown.
    """
    metric = report.metric
    models = {name: model for name, model in report.models.items() if model.outcomes[metric.name].is_defined}
    sentences = []
    if CHAIN in models:
        sentences = _comparisons(models, report.baselines, metric)
    if report.not_run:
        reasons = "; ".join(f"{title}: {reason}" for title, reason in report.not_run.items())
        sentences.append(f"Not run, so that nothing is said of them: {reasons}.")
    return sentences


def _comparisons(
    models: Mapping[str, ModelReport], baselines: Mapping[str, Baseline], metric: Metric
) -> list[str]:
    chain = models[CHAIN]
    sentences = []
    if NO_HOPS in models:
        gap, deviation = metric.difference(chain.outcomes[metric.name], models[NO_HOPS].outcomes[metric.name])
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

    defined = {
        title: (baseline, mean)
        for title, baseline in baselines.items()
        if (mean := baseline.outcomes[metric.name].mean) is not None
    }
    if defined:
        title = min(defined, key=lambda title: defined[title][1])
        sentences.append(_against_baseline(chain, title, defined[title][0], metric))
    return sentences


def _against(chain: ModelReport, rivals: Sequence[ModelReport], metric: Metric) -> str:
    # Random chain heads are plural.
    subject = "The model" if chain.title == TITLES[RANDOM_CHAINS] else "The chain head"
    # Of equally good peers the quickest.
    best = best_of(sorted(rivals, key=lambda rival: rival.training_seconds), metric)
    own, its = chain.outcomes[metric.name], best.outcomes[metric.name]
    assert own.mean is not None
    assert its.mean is not None

    if not metric.better(its.mean, own.mean):
        outcome = f"{subject} is at least as accurate as"
    elif abs(own.mean - its.mean) <= (its.sd or 0.0):
        outcome = f"{subject} is within one standard deviation of"
    else:
        outcome = f"**{subject} is less accurate than**"

    which = best.title if len(rivals) == 1 else f"{best.title}, the best of {_listed(rivals)}"
    weights = ""
    if best.parameters is not None:
        weights = f", with {chain.parameters:,} weights against {best.parameters:,}"

    times = ""
    if best.prediction_seconds is not None and chain.prediction_seconds is not None:
        peer = f"{best.title[0].upper()}{best.title[1:]}"
        times = (
            f" {peer} trained in {_seconds(best.training_seconds)} and predicted the test part in "
            f"{_seconds(best.prediction_seconds)}, {subject.lower()} in {_seconds(chain.training_seconds)} "
            f"and {_seconds(chain.prediction_seconds)}."
        )
    return f"{outcome} {which} ({metric.difference(own, its)[0]}){weights}.{times}"


def _listed(models: Sequence[ModelReport]) -> str:
    titles = [model.title for model in models]
    return f"{', '.join(titles[:-1])} and {titles[-1]}"


def _seconds(value: float) -> str:
    return f"{value:.1f} s" if value >= 1 else f"{value:.2g} s"


def _against_baseline(chain: ModelReport, title: str, baseline: Baseline, metric: Metric) -> str:
    mean, value = chain.outcomes[metric.name].mean, baseline.outcomes[metric.name].mean
    assert mean is not None
    assert value is not None
    # A naive forecast of a constant has the error zero, and nothing is a percentage of that.
    gap = f"{mean:+.3g}" if value == 0 else f"{100 * (mean / value - 1):+.1f} %"
    return f"Against the best forecast without weights ({title}) it has {gap} {metric.title}."
