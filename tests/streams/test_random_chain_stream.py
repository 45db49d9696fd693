"""Streams: at every node, the prediction for the whole series so far."""

import time

import numpy as np
import pytest
import torch

from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadForSequenceClassification,
    RandomChainStream,
    RandomChainStreams,
    fit_random_chain,
)
from chainhead_plugin.estimators import ChainHeadClassifier
from tests.support.random_chains import two_kinds

SMALL = {"dilations": [1, 2, 4], "num_biases": 2, "num_groups": 4, "group_size": 4, "num_levels": 8}
every_form = pytest.mark.parametrize("compiled", [True, False])


@pytest.fixture
def form(compiled, monkeypatch):
    """The compiled form where Numba is there, or the plain form."""
    if compiled:
        pytest.importorskip("numba")
    else:
        for module in ("features", "running"):
            monkeypatch.setattr(
                f"chainhead_plugin.random_features.{module}.runs_compiled", lambda nodes: False
            )


def model(m=1, **options):
    series, labels = two_kinds()
    nodes = np.stack([np.roll(series, shift, 1) for shift in range(m)], 2)
    return fit_random_chain(nodes, labels, **{**SMALL, **options}).model


@every_form
@pytest.mark.parametrize("m", [1, 3])
def test_every_answer_is_that_of_the_whole_series(form, m):
    of = model(m)
    stream, nodes = RandomChainStream(of), torch.randn(70, m)
    for number, node in enumerate(nodes, 1):
        expected = of(nodes[None, :number]).logits.softmax(-1)[0]
        torch.testing.assert_close(stream.update(node), expected, atol=1e-5, rtol=0)
    assert stream.length == 70


@every_form
def test_streams_side_by_side_answer_as_alone(form):
    """Nodes come to all, to some, one or several at a time; one stream begins anew in between."""
    of = model(2)
    streams, nodes = RandomChainStreams(of, 3), torch.randn(3, 40, 2)
    for node in nodes[:, :20].unbind(1):
        answers = streams.update(node)
    torch.testing.assert_close(answers, of(nodes[:, :20]).logits.softmax(-1), atol=1e-5, rtol=0)
    streams.reset([1])
    answers = streams.update(nodes[[2, 1], 20:], streams=[2, 1])
    expected = torch.cat((of(nodes[2:]).logits, of(nodes[1:2, 20:]).logits)).softmax(-1)
    torch.testing.assert_close(answers, expected, atol=1e-5, rtol=0)
    assert streams.lengths == [20, 20, 40]
    streams.reset()
    assert streams.lengths == [0, 0, 0]


@pytest.mark.parametrize(
    ("nodes", "which", "message"),
    [
        (torch.zeros(3, 1), None, r"shape \[3, 1\], expected \[2, 1\]"),
        (torch.tensor([0.0, torch.inf]), None, "not finite"),
        (torch.zeros(2, 1), [0, 0], "different numbers from 0 to 1"),
        (torch.zeros(1, 1), [2], "different numbers from 0 to 1"),
    ],
)
def test_refused_nodes_leave_all_streams_as_they_were(nodes, which, message):
    streams = RandomChainStreams(model(), 2)
    streams.update([1.0, 2.0])
    with pytest.raises(ValueError, match=message):
        streams.update(nodes, which)
    assert streams.lengths == [1, 1]


def test_a_saved_default_model_streams_by_its_probabilities(tmp_path):
    """At every node, with weights of classes, from 10⁸ on, where float32 would blur changes of 1."""
    series, labels = two_kinds()
    series = series.astype(np.float64) + 1e8
    options = {"num_biases": 1, "num_groups": 4, "num_levels": 8, "random_state": 0}
    fitted = ChainHeadClassifier(**options, class_weight={0: 1.0, 1: 3.0}).fit(series, labels)
    fitted.save_pretrained(tmp_path)
    again = ChainHeadClassifier.from_pretrained(tmp_path)
    stream, streams = again.stream(), again.streams(2)
    nodes = [one[None] for one in series[:2]]
    for end in range(1, series.shape[1] + 1):
        expected = fitted.predict_proba([one[:, :end] for one in nodes])
        np.testing.assert_allclose(stream.update(nodes[0][:, end - 1]), expected[0], atol=1e-5)
        np.testing.assert_allclose(streams.update(series[:2, end - 1]), expected, atol=1e-5)


@every_form
def test_nodes_may_come_several_at_a_time(form):
    of = model()
    nodes = torch.randn(5000, 1)
    whole = of(nodes[None]).logits[0]
    for sizes in ([5000], [4999, 1], [1, 7, 300, 4692]):
        stream = RandomChainStream(of)
        for part in nodes.split(sizes):
            answer = stream.logits(part)
        torch.testing.assert_close(answer, whole, atol=1e-5, rtol=0)


def test_counts_grow_with_the_series():
    rng = np.random.default_rng(0)
    lengths = rng.permutation(np.arange(20, 60))
    series = [rng.standard_normal(length).astype(np.float32) for length in lengths]
    of = fit_random_chain(series, (lengths > 40).astype(int), **SMALL).model
    assert of.config.reference_length
    stream = RandomChainStream(of)
    nodes = torch.randn(80, 1)
    for number, node in enumerate(nodes, 1):
        expected = of(nodes[None, :number]).logits[0]
        torch.testing.assert_close(stream.logits(node), expected, atol=1e-5, rtol=1e-5)


@every_form
def test_memory_does_not_grow(form, compiled):
    stream = RandomChainStream(model())
    stream.update(torch.randn(100, 1))

    def held():
        (chain,) = stream._streams._chains
        kept = vars(chain._running) if compiled else vars(chain)
        past, numbers = torch.as_tensor(kept["_past"]), kept.get("numbers") or vars(kept["_state"]).values()
        return past.untyped_storage().nbytes() + sum(torch.as_tensor(one).nbytes for one in numbers)

    before = held()
    for _ in range(50):
        stream.update(torch.randn(1))
    after_single = held()
    stream.update(torch.randn(20_000, 1))
    stream.update(torch.randn(1))
    assert after_single <= before
    assert held() == after_single


def test_a_reset_stream_is_new():
    stream, nodes = RandomChainStream(model()), torch.randn(30, 1)
    first = stream.update(nodes)
    stream.update(torch.randn(10, 1))
    stream.reset()
    assert stream.length == 0
    assert torch.equal(stream.update(nodes), first)


@pytest.mark.parametrize(
    ("problem_type", "labels"),
    [
        ("regression", lambda labels: labels * 10.0),
        ("multi_label_classification", lambda labels: np.stack([labels, 1 - labels, labels], 1)),
    ],
)
def test_answers_are_of_the_models_kind(problem_type, labels):
    series, kinds = two_kinds()
    of = fit_random_chain(series, labels(kinds), problem_type=problem_type, **SMALL).model
    logits = of(torch.from_numpy(series[:1])[:, :, None]).logits[0]
    expected = logits if problem_type == "regression" else logits.sigmoid()
    answer = RandomChainStream(of).update(torch.from_numpy(series[0])[:, None])
    torch.testing.assert_close(answer, expected, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("node", [3.0, [3.0], np.array([3.0]), torch.tensor([[3.0]]), np.float32(3)])
def test_a_node_may_be_written_in_many_ways(node):
    of = model()
    expected = of(torch.tensor([[[3.0]]])).logits.softmax(-1)[0]
    torch.testing.assert_close(RandomChainStream(of).update(node), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ([1.0, 2.0], r"shape \[2\], expected \[1\]"),
        (torch.zeros(0, 1), "expected"),
        (torch.nan, "not finite"),
    ],
)
def test_a_refused_node_leaves_the_stream_as_it_was(node, message):
    stream, nodes = RandomChainStream(model()), torch.randn(20, 1)
    stream.update(nodes[:10])
    with pytest.raises(ValueError, match=message):
        stream.update(node)
    assert stream.length == 10
    expected = RandomChainStream(model()).update(nodes)
    torch.testing.assert_close(stream.update(nodes[10:]), expected, atol=1e-6, rtol=0)


def test_a_model_that_waits_for_nodes_to_come_does_not_stream():
    with pytest.raises(ValueError, match="causal=True"):
        RandomChainStream(model(causal=False))


def test_a_trained_stack_does_not_stream():
    stack = ChainHeadForSequenceClassification(ChainHeadConfig(m=1, num_labels=2))
    with pytest.raises(TypeError, match="goes by random chain heads"):
        RandomChainStream(stack)


@pytest.mark.timing
def test_an_update_takes_less_than_a_millisecond(one_thread):
    """At more than 2,000 kernels."""
    pytest.importorskip("numba")
    series, labels = two_kinds(length=100)
    of = fit_random_chain(series, labels).model
    assert len(of.random_chain.plan.banks) * (84 + 256) > 2000
    stream = RandomChainStream(of)
    stream.update(torch.randn(100, 1))
    took = []
    for node in torch.randn(300, 1):
        began = time.perf_counter()
        stream.update(node)
        took.append(time.perf_counter() - began)
    assert np.median(took) < 1e-3
