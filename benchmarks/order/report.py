"""docs/order.md, written from the rows of a run and nothing else."""

from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev

from ..tables import DASH, table
from .figure import draw
from .models import MODELS, WEIGHTS
from .reasons import reasons
from .results import Question, Results, questions
from .tasks import WINDOW


def write_report(results: Results, folder: Path) -> Path:
    """Write `order.md` and `images/order.png`.

    Parameters
    ----------
    results : mapping
        The content of the `--json` file.
    folder : Path

    Returns
    -------
    Path
        Of the report.
    """
    draw(results, folder / "images" / "order.png")
    report = folder / "order.md"
    report.write_text(render(results), encoding="utf-8")
    return report


def render(results: Results) -> str:
    """Return the report as Markdown."""
    asked = questions(results)
    sections = [
        "# What can tell orders apart\n\nThree tasks in which the order of the tokens is all that matters, learned by "
        "every kind of chain head, by the same head without hops, and by what one would use instead. Written by "
        "`python -m benchmarks.order` (extra `train`, for its picture) from its results; not edited by hand.",
        "![Test accuracy over the length of the chains, for every model and question](images/order.png)",
        "Test accuracy over the length of the chains, from chance (dashed) to 100 % (the upper line); the number "
        "is that of the longest chains.",
        reasons(results),
        _poolings(results),
        _method(results),
        *(_question(results, question) for question in asked),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def percent(values: Sequence[float] | None) -> str:
    """Write the mean accuracy in %, with the standard deviation where there are several seeds."""
    if not values:
        return DASH
    text = f"{100 * mean(values):.1f}"
    return f"{text} ± {100 * stdev(values):.1f}" if len(values) > 1 else text


def _names(results: Results) -> list[str]:
    return [name for name in MODELS if any(row["model"] == name for row in results["rows"])]


def _question(results: Results, question: Question) -> str:
    lengths = sorted({row["length"] for row in results["rows"]})
    body = []
    for name in _names(results):
        found = question.accuracies(results, name)
        if found:
            body.append([name, *(percent(found.get(length)) for length in lengths)])
    head = ["test accuracy in %", *(f"{length:,} nodes" for length in lengths)]
    chance = ["*chance*", *[f"*{100 * question.chance:.0f}*"] * len(lengths)]
    title = question.title[0].upper() + question.title[1:]
    return f"## {title}\n\n{table(head, [chance, *body])}"


def _poolings(results: Results) -> str:
    """Compare the poolings of the task that pools, where several were trained."""
    rows = [row for row in results["rows"] if row["pooling"] != "max"]
    if not rows:
        return ""
    question = next(question for question in questions(results) if question.task == rows[0]["task"])
    length = rows[0]["length"]
    body = []
    for name in _names(results):
        cells = [
            question.accuracies(results, name, pooling).get(length) for pooling in ("max", "mean", "last")
        ]
        if cells[1] and name != "MLP":  # whose single node every pooling takes as it is
            body.append([name, *map(percent, cells)])
    note = (
        f"The first task at {length} nodes, where the answer is read from: the largest value of every feature over "
        "all nodes, their mean, or the last node."
    )
    return f"## Pooling\n\n{note}\n\n{table(['test accuracy in %', 'max', 'mean', 'last'], body)}"


def _method(results: Results) -> str:
    plan, budget = results["plan"], results["plan"]["budget"]
    seeds = "; ".join(f"{length}: {count}" for length, count in plan["seeds"].items())
    slow = ", ".join(name for name in _names(results) if MODELS[name].slow)
    widths: dict[str, set[int]] = {}
    for row in results["rows"]:
        widths.setdefault(row["model"], set()).add(row["weights"])
    least = min(min(weights) for weights in widths.values())
    facts = "; ".join(f"{key}: {value}" for key, value in results["machine"].items())
    lines = [
        "## What was trained",
        "",
        "- **Which event came first**: two events, once each, at random places among noise of two other tokens; "
        "the classes differ in nothing but which of the two comes first, and both ends are always noise. "
        'Answered once a chain, after "max" pooling.',
        f"- **Parity**: is the sum of the last {WINDOW} random bits odd? Answered at every node.",
        "- **Copy**: which of four random tokens was there 1, 4 and L/2 nodes ago? Answered at every node by one "
        "model for all three lags.",
        f"- **Models**: a node is its token, one-hot; every model has an encoder and a linear map to the answers, "
        f"is as wide as {WEIGHTS:,} weights allow, and has {least:,} or more. A layer of a chain head is a "
        "per-node perceptron and the head, each with bias, ReLU and, but for `channel_hops`, a residual: the node "
        "itself with weights of its own. minGRU is that of [Feng et al., 2024](https://arxiv.org/abs/2410.01201); "
        "an MLP takes the whole chain, and fits short ones alone.",
        f"- **Budget**: Adam, at most {budget['steps']} steps on fresh chains, less where validation reaches "
        f"99.5 %; batches of {budget['nodes']:,} nodes for parity and copy (one chain where that is longer), of "
        f"{budget['chains']} chains but at most {budget['most_nodes']:,} nodes for the first task. The learning "
        f"rate falls to 0 in a straight line from {' or '.join(f'{rate:g}' for rate in plan['rates'])}, as "
        f"validation chooses with seed 0 for each model, task and length up to {plan['longest_choice']}; longer "
        "chains take that one over. So little training shows what is learned easily, not all that could be.",
        f"- **Seeds** (by length): {seeds}; {slow or 'slow models'}: one from 256 nodes on, "
        "and none beyond 1,024. Numbers are means ± "
        "standard deviations; those without were measured once. A dash: not trained.",
        f"- **Machine and versions**: {facts}.",
    ]
    if not results["complete"]:
        lines.append("- **Cut off**: the run had no time for all seeds.")
    return "\n".join(lines)
