"""Why each kind of chain can or cannot tell orders apart, beside the measured values."""

from .results import Results, questions

_SHOWN = 64, 4096


def reasons(results: Results) -> str:
    """Return a list of reasons, each with the accuracies that go with it; models that were not trained are left out."""
    lines = [
        (
            "head without hops",
            "sees every node by itself. No answer is written in a node, so it guesses.",
            (0, 1, 2),
        ),
        (
            "single hop, uni",
            "sees the node before, so that lag 1 is a matter of subtracting the node itself. Of nodes further back, "
            "which lag 4 and parity need, it knows nothing; whether A came before B it sees only where they touch.",
            (2, 3, 1),
        ),
        (
            "single hop, bi",
            "adds up the neighbours on both sides with the same weight: of two different tokens it cannot tell which "
            "came before, and half of the guesses among those are right, 62.5 % at the best. A bi-directional A does "
            "not know left from right: pooled by max or mean, a chain and its reverse give the same, and so the "
            "first event stays unknown.",
            (2, 0),
        ),
        (
            "4 hops, uni",
            "weighs the nodes before by 4, 6, 4, 1. One and three nodes ago have the same weight, and are "
            "confused: lag 1 cannot go beyond 62.5 % by much.",
            (2, 3),
        ),
        (
            "exponential, uni",
            "weighs them by 1, 1/2, 1/6, 1/24: each more than all before it together, so that the nearest are "
            "read in order, and the fourth hardly.",
            (2, 1, 3),
        ),
        (
            "inverse, uni",
            "is a running sum. It counts, every node with the same weight however long ago, and says what was there "
            "one node ago only as far as a bag of few nodes does. Yet “A but not yet B” is a count, and max pooling "
            "keeps that it was once so: the first event can be read off, if not from the last node, where both have "
            "been counted.",
            (2, 0),
        ),
        (
            "inverse, bi",
            "averages over the whole chain, the same to both sides: the longer the chain, the less a single neighbour "
            "shows, and what came first not at all, but from the last node (see Pooling).",
            (2, 0),
        ),
        (
            "inverse, decay 0.9",
            "remembers long, with falling weights. The nearest weigh nearly the same: what came one node "
            "ago is hard to tell from what came two ago.",
            (0, 2, 1),
        ),
        (
            "inverse, decay 0.4",
            "lets the node before weigh more than all earlier ones together (0.4 > 0.4² + 0.4³ + …), so that the "
            "nearest are read in order: what the running sum lacks. Of ten nodes ago a ten-thousandth is left.",
            (2, 1, 0),
        ),
        (
            "inverse, learned decay",
            "has a γ for every feature: a short memory and a long one side by side, which one γ cannot be.",
            (1, 0, 3),
        ),
        (
            "hops 0, 1, 2, 4",
            "has weights of their own for these distances: lags 1 and 4 and the last three bits are there to be read, "
            "and nothing of any other distance is.",
            (2, 3, 1, 4),
        ),
        (
            "hops 0, 1, 4 … 256, 3 layers",
            "reaches sums of three of these distances, and with them L/2 while that is at most 512. Which event came "
            "first depends on the pooling (below).",
            (4, 0),
        ),
        (
            "LSTM",
            "chooses what to remember, and could do everything here. Learned in so few steps:",
            (0, 1, 2, 3, 4),
        ),
    ]
    trained = {row["model"] for row in results["rows"]}
    body = [
        f"- **{name}** {why} {_measured(results, name, numbers)}"
        for name, why, numbers in lines
        if name in trained
    ]
    caution = (
        "What a kind can do, its short chains show. Where it falls to chance on longer ones, training found no way in "
        "so few steps with the rate that suited 64 nodes: a running sum, for one, grows with the chain. That is no "
        "proof that there is none."
    )
    return "\n".join(["## Why", "", caution, "", *body])


def _measured(results: Results, model: str, numbers: tuple[int, ...]) -> str:
    """Write the mean accuracies of some questions at the lengths shown, with chance."""
    asked = questions(results)
    parts = []
    for number in numbers:
        if number >= len(asked):  # of a run that was cut off early
            continue
        found = asked[number].accuracies(results, model)
        values = [
            f"{100 * sum(found[length]) / len(found[length]):.1f} % at {length:,}"
            for length in _SHOWN
            if length in found
        ]
        if values:
            parts.append(f"{asked[number].title} {', '.join(values)}")
    return f"({'; '.join(parts)}.)" if parts else ""
