"""Chains in which speakers alternate, and labels of nodes."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from chainhead_plugin.recipes.data.node_labels import IGNORED, number_labels, pad_labels
from chainhead_plugin.recipes.data.speaker_turns import compose_turns
from chainhead_plugin.recipes.metrics.labels import accuracy, macro_f1


class TestTurns:
    @pytest.mark.parametrize("shares", [[5, 5, 5], [1, 2, 10, 7], [4, 4], [12, 1, 11]])
    def test_every_utterance_once_a_round_and_nobody_follows_himself(self, shares):
        speakers = np.repeat(np.arange(len(shares)), shares)
        rng = np.random.default_rng(0)
        utterances = [np.full((rng.integers(1, 5), 2), number) for number in range(len(speakers))]
        chains, labels = compose_turns(utterances, speakers, 3, seed=1)
        turns = [[int(turn[0]) for turn in _runs(chain[:, 0])] for chain in chains]
        assert sorted(turn for one in turns for turn in one) == sorted([*range(len(speakers))] * 3)
        assert {len(one) for one in turns} <= {4, 5, 6, 7, 8}
        for one, chain, label in zip(turns, chains, labels, strict=True):
            assert (speakers[chain[:, 0]] == label).all()
            assert all(speakers[a] != speakers[b] for a, b in pairwise(one))

    def test_a_seed_gives_the_same_chains(self):
        utterances, speakers = [np.full((2, 1), number) for number in range(12)], np.arange(12) % 3
        first, again, other = (compose_turns(utterances, speakers, 1, seed)[0] for seed in (0, 0, 1))
        assert [one.tolist() for one in first] == [one.tolist() for one in again]
        assert [one.tolist() for one in first] != [one.tolist() for one in other]


def _runs(values):
    return np.split(values, np.flatnonzero(np.diff(values)) + 1)


class TestLabels:
    def test_texts_are_numbered_in_order(self):
        labels, names = number_labels([np.array(["b", "a"]), np.array(["c", "b", "b"])])
        assert names == ("a", "b", "c")
        assert labels.tolist() == [[1, 0, IGNORED], [2, 1, 1]]

    def test_nodes_without_a_label(self):
        labels, names = number_labels([["7", str(IGNORED), "", "10"], ["3"]])
        assert names == ("3", "7", "10")
        assert labels.tolist() == [[1, IGNORED, IGNORED, 2], [0, IGNORED, IGNORED, IGNORED]]

    def test_metrics_are_those_of_scikit_learn(self):
        rng = np.random.default_rng(0)
        labels = pad_labels([rng.integers(0, 4, length) for length in (9, 30, 1)])
        predicted = np.where(rng.random(labels.shape) < 0.6, labels, rng.integers(0, 4, labels.shape))
        real = labels != IGNORED
        logits = np.eye(4)[np.where(real, predicted, 0)]
        assert accuracy(logits, labels) == accuracy_score(labels[real], predicted[real])
        expected = f1_score(labels[real], predicted[real], average="macro")
        assert macro_f1(logits, labels) == pytest.approx(expected)
