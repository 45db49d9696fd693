"""The order tasks depend on the order of nodes alone, and their benchmark continues after an interruption."""

import json
from dataclasses import replace

import pytest
import torch
from rich.console import Console

from benchmarks.order.__main__ import learn, main
from benchmarks.order.models import LEAST_WIDTH, MODELS, WEIGHTS, Classifier, widest
from benchmarks.order.plan import QUICK, OutOfTime, Plan, Runs, run, steps
from benchmarks.order.report import render, write_report
from benchmarks.order.results import questions
from benchmarks.order.tasks import IGNORED, TASKS, WINDOW, lags
from benchmarks.order.training import Budget, Job, train

LENGTHS = 8, 16, 64
TINY = Plan(
    models=("head without hops", "inverse, uni", "LSTM", "MLP"),
    seeds={8: 2, 16: 1},
    rates=(0.01, 0.003),
    longest_choice=8,
    pooling_length=8,
    budget=Budget(steps=2, nodes=64, chains=4, check_nodes=64, check_chains=4, test_nodes=64, test_chains=4),
)


@pytest.fixture(autouse=True)
def _threads_stay():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def make(name, batch, length):
    return TASKS[name].make(batch, length, torch.Generator().manual_seed(3))


def reference(name, chain):
    """Return the answers of one chain, a list of tokens, in plain Python."""
    if name == "first":
        assert (chain.count(0), chain.count(1)) == (1, 1)
        assert chain[-1] in (2, 3)
        return [int(chain.index(1) < chain.index(0))]
    if name == "parity":
        return [
            [sum(chain[j + 1 - WINDOW : j + 1]) % 2 if j + 1 >= WINDOW else IGNORED]
            for j in range(len(chain))
        ]
    return [
        [chain[j - lag] if j >= lag else IGNORED for lag in (1, 4, len(chain) // 2)]
        for j in range(len(chain))
    ]


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("name", TASKS)
def test_answers(name, length):
    tokens, answers = make(name, 20, length)
    assert tokens.shape == (20, length)
    assert answers.tolist() == [reference(name, chain) for chain in tokens.tolist()]
    assert answers.size(-1) == len(TASKS[name].questions)
    assert lags(length) == (1, 4, length // 2)


@pytest.mark.parametrize("name", TASKS)
def test_classes_are_balanced(name):
    task = TASKS[name]
    _, answers = make(name, 4000, 16)
    for number in range(len(task.questions)):
        asked = answers[..., number][answers[..., number] != IGNORED]
        shares = torch.bincount(asked, minlength=task.classes) / asked.numel()
        spread = (task.chance * (1 - task.chance) / 4000) ** 0.5  # as if nodes of a chain told nothing new
        assert (shares - task.chance).abs().max() < 4 * spread


def test_the_histogram_does_not_tell_which_came_first():
    tokens, answers = make("first", 20_000, 16)
    noise = (tokens == 2).sum(1).float()
    one, other = noise[answers[:, 0] == 0], noise[answers[:, 0] == 1]
    assert (one.mean() - other.mean()).abs() < 4 * (14 / 4 / 10_000 * 2) ** 0.5
    # The same chain with both events exchanged has the same histogram and the other answer.
    exchanged = torch.tensor([1, 0, 2, 3])[tokens]
    assert [reference("first", chain)[0] for chain in exchanged[:50].tolist()] == (
        1 - answers[:50, 0]
    ).tolist()


@pytest.mark.parametrize("name", ["parity", "copy"])
def test_a_node_by_itself_does_not_tell_the_answer(name):
    task = TASKS[name]
    tokens, answers = make(name, 4000, 16)
    for number in range(len(task.questions)):
        for token in range(task.tokens):
            asked = answers[..., number][(tokens == token) & (answers[..., number] != IGNORED)]
            shares = torch.bincount(asked, minlength=task.classes) / asked.numel()
            assert (shares - task.chance).abs().max() < 4 * (task.chance * (1 - task.chance) / 4000) ** 0.5


@pytest.mark.parametrize("pooling", ["max", "mean"])
def test_without_hops_a_chain_is_a_bag(pooling):
    tokens, _ = make("first", 6, 16)
    classifier = Classifier(MODELS["head without hops"], TASKS["first"], 16, 8, pooling)
    shuffled = tokens[:, torch.randperm(16)]
    torch.testing.assert_close(classifier(shuffled), classifier(tokens))


@pytest.mark.parametrize("pooling", ["max", "mean"])
@pytest.mark.parametrize("name", [name for name in MODELS if name.endswith(", bi")])
def test_both_directions_know_no_left_and_right(name, pooling):
    tokens, _ = make("first", 6, 16)
    classifier = Classifier(MODELS[name], TASKS["first"], 16, 8, pooling)
    torch.testing.assert_close(classifier(tokens.flip(1)), classifier(tokens))


def test_four_hops_confuse_one_and_three_nodes_ago():
    tokens, _ = make("copy", 6, 16)
    classifier = Classifier(MODELS["4 hops, uni"], TASKS["copy"], 16, 8, "max")
    exchanged = tokens.clone()
    exchanged[:, [11, 9]] = tokens[:, [9, 11]]
    torch.testing.assert_close(classifier(exchanged)[:, 12], classifier(tokens)[:, 12])
    assert not classifier(exchanged)[:, 13].allclose(classifier(tokens)[:, 13])


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))
def test_models_have_about_as_many_weights(name, task):
    width = widest(MODELS[name], task, 64)
    if width is None:
        assert name == "MLP"
        assert task.per_node
        return
    classifier = Classifier(MODELS[name], task, 64, width, "max")
    weights = sum(p.numel() for p in classifier.parameters())
    assert width >= LEAST_WIDTH
    assert 0.84 * WEIGHTS < weights <= WEIGHTS
    logits = classifier(make(task.name, 2, 64)[0])
    assert logits.shape == (2, *[64] * task.per_node, len(task.questions), task.classes)


def test_a_perceptron_over_a_long_chain_does_not_fit():
    assert widest(MODELS["MLP"], TASKS["first"], 1024) is None
    with pytest.raises(ValueError, match="MLP does not fit 'first' at 1024 nodes"):
        train(Job("first", "MLP", 1024, 0, 0.01), Budget())


def test_a_hop_is_learned_and_the_head_without_hops_guesses():
    budget = replace(Budget(), steps=60, nodes=1024, test_nodes=16_384)
    job = Job("copy", "hops 0, 1, 2, 4", 64, 0, 0.01)
    near, four, far = train(job, budget)["test"]
    assert min(near, four) > 0.95
    assert abs(far - 0.25) < 0.02
    assert max(train(replace(job, model="head without hops"), budget)["test"]) < 0.28


def test_cut_off_and_taken_up_again(tmp_path):
    whole = list(run(TINY, Runs(tmp_path / "whole", TINY.budget)))
    assert len(whole) == steps(TINY)
    assert {row["rate"] for row in whole} <= set(TINY.rates)
    parts = Runs(tmp_path / "parts", TINY.budget)
    going = run(TINY, parts)
    first = [next(going) for _ in range(3)]
    with pytest.raises(OutOfTime):
        list(run(TINY, Runs(parts.folder, TINY.budget, deadline=0)))
    done = {file.name: file.stat().st_mtime_ns for file in parts.folder.iterdir()}
    again = list(run(TINY, Runs(parts.folder, TINY.budget)))
    assert again[:3] == first
    assert [without_time(row) for row in again] == [without_time(row) for row in whole]
    for name in done.keys() - {"budget.json"}:
        assert (parts.folder / name).stat().st_mtime_ns == done[name]
    with pytest.raises(ValueError, match="another budget"):
        Runs(parts.folder, QUICK.budget)


def without_time(row):
    return {key: value for key, value in row.items() if key != "seconds"}


def test_results_render(tmp_path):
    runs = Runs(tmp_path / "runs", TINY.budget)
    results = json.loads(json.dumps(learn(TINY, runs, Console(quiet=True))))
    assert results["complete"]
    assert [question.title for question in questions(results)] == [
        question for task in TASKS.values() for question in task.questions
    ]
    text = write_report(results, tmp_path).read_text()
    assert (tmp_path / "images" / "order.png").stat().st_size > 10_000
    for row in results["rows"]:
        assert row["model"] in text
    one = questions(results)[2].accuracies(results, "LSTM")
    assert len(one[8]) == 2
    assert len(one[16]) == 1
    assert f"| LSTM | {100 * sum(one[8]) / 2:.1f} ± " in text
    assert "Cut off" not in text
    assert "Cut off" in render(results | {"complete": False})


def test_command(tmp_path):
    kept, file = tmp_path / "runs", tmp_path / "order.json"
    with pytest.raises(Exception, match="not one training was done"):
        main(quick=True, minutes=0, kept=kept, output=tmp_path, json_file=file)
    assert not file.exists()
    next(run(QUICK, Runs(kept, QUICK.budget)))
    main(quick=True, minutes=0, kept=kept, output=tmp_path, json_file=file)
    assert [row["model"] for row in json.loads(file.read_text())["rows"]] == ["head without hops"]
    assert (tmp_path / "order.md").read_text().startswith("# What can tell orders apart")
