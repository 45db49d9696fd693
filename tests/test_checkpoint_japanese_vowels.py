import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard
from transformers import AutoFeatureExtractor

import registry
from training.candidates import CANDIDATES, CHAIN, NO_HOPS
from training.data import FEATURES, SPEAKERS, folds, load
from training.fitting import accuracy, fit, scores
from training.japanese_vowels import main, publish
from training.measuring import measure
from training.peers import NoHops

ROOT = Path(__file__).parents[1]
NAME = "chainhead-japanese-vowels"
CHECKPOINTS = ROOT / "chainhead_plugin" / "checkpoints"
CARD = ROOT / "model_cards" / f"{NAME}.md"
WRITTEN = (
    *(f"chainhead_plugin/checkpoints/{NAME}/{name}" for name in registry.model_info(NAME).files),
    "chainhead_plugin/checkpoints/catalogue.json",
    "chainhead_plugin/checkpoints/japanese_vowels_samples.json",
    f"model_cards/{NAME}.json",
    f"model_cards/{NAME}.md",
    "docs/images/japanese-vowels-learning-curve.png",
    "docs/images/japanese-vowels-chain-matrix.png",
)


@pytest.fixture(scope="module")
def official_test():
    return load("TEST")


@pytest.fixture(scope="module")
def model():
    return registry.create_model(NAME, pretrained=True)


@pytest.fixture(scope="module")
def extractor(model):
    return AutoFeatureExtractor.from_pretrained(registry.checkpoint_path(NAME))


@pytest.fixture(scope="module")
def shipped():
    return json.loads((CHECKPOINTS / "japanese_vowels_samples.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def results():
    return json.loads(CARD.with_suffix(".json").read_text("utf-8"))


class TestData:
    def test_official_split(self, official_test):
        training = load("TRAIN")
        assert (len(training.nodes), len(official_test.nodes)) == (270, 370)
        lengths = [len(nodes) for nodes in [*training.nodes, *official_test.nodes]]
        assert (min(lengths), max(lengths)) == (7, 29)
        assert {nodes.shape[1] for nodes in training.nodes} == {FEATURES}
        assert torch.tensor(training.labels).bincount().tolist() == [30] * len(SPEAKERS)

    def test_folds_are_stratified_and_apart(self):
        training = load("TRAIN")
        for kept, held_out in folds(training):
            assert torch.tensor(held_out.labels).bincount().tolist() == [6] * len(SPEAKERS)
            assert not {id(nodes) for nodes in kept.nodes} & {id(nodes) for nodes in held_out.nodes}


class TestSamples:
    def test_one_of_every_speaker_with_its_source(self, shipped, official_test):
        assert [sample["label"] for sample in shipped["samples"]] == list(SPEAKERS)
        for sample in shipped["samples"]:
            index = sample["test_index"]
            assert sample["nodes"] == official_test.nodes[index].tolist()
            assert SPEAKERS[official_test.labels[index]] == sample["label"]
            assert sample["label"] not in [SPEAKERS[label] for label in official_test.labels[:index]]
        assert "CC BY 4.0" in shipped["source"]

    def test_recorded_scores(self, shipped, model, extractor):
        chains = [sample["nodes"] for sample in shipped["samples"]]
        recorded = torch.tensor([sample["scores"] for sample in shipped["samples"]])
        torch.testing.assert_close(scores(model, extractor, chains), recorded, atol=1e-5, rtol=1e-4)

    def test_alone_as_in_the_batch(self, shipped, model, extractor):
        chains = [sample["nodes"] for sample in shipped["samples"]]
        alone = torch.cat([scores(model, extractor, [chain]) for chain in chains])
        torch.testing.assert_close(alone, scores(model, extractor, chains))


class TestStatedNumbers:
    def test_accuracy(self, model, extractor, official_test, results):
        measured = accuracy(model, extractor, official_test)
        entry = registry.model_info(NAME)
        assert measured == entry.metrics["test_accuracy"] == results["models"][CHAIN]["test_accuracy"][0]
        assert measured >= 0.975

    def test_catalogue_tells_what_the_results_tell(self, model, results):
        entry, chain = registry.model_info(NAME), results["models"][CHAIN]
        assert entry.metrics["test_accuracy_mean"] == chain["test_accuracy_mean"]
        assert entry.metrics["test_accuracy_sd"] == chain["test_accuracy_sd"]
        assert entry.parameters == chain["parameters"] == model.num_parameters()
        assert results["released_seed"] == results["seeds"][0]

    def test_every_model_has_every_seed(self, results):
        assert results["models"].keys() == CANDIDATES.keys()
        for result in results["models"].values():
            assert len(result["test_accuracy"]) == len(results["seeds"])
            assert result["parameters"] == pytest.approx(results["models"][CHAIN]["parameters"], rel=0.03)

    def test_untrained_model_has_the_checkpoints_configuration(self, model):
        untrained = registry.create_model(NAME).config.to_dict()
        trained = model.config.to_dict()
        for saved_only in ("_name_or_path", "architectures", "dtype", "transformers_version"):
            untrained.pop(saved_only, None)
            trained.pop(saved_only, None)
        assert untrained == trained


class TestCard:
    def test_front_matter(self, results):
        card = ModelCard.load(CARD)
        assert card.data.license == registry.model_info(NAME).license
        assert card.data.library_name == "transformers"
        (evaluation,) = card.data.eval_results
        assert evaluation.metric_value == results["models"][CHAIN]["test_accuracy"][0]

    def test_pictures_exist(self):
        pictures = re.findall(r"!\[.+\]\((.+)\)", CARD.read_text("utf-8"))
        assert len(pictures) == 2
        for picture in pictures:
            assert (CARD.parent / picture).stat().st_size < 60_000

    @pytest.mark.parametrize("number", [0, 1])
    def test_snippets_run_offline(self, number, tmp_path):
        snippets = re.findall(r"```python\n(.+?)```", CARD.read_text("utf-8"), re.DOTALL)
        assert len(snippets) == 2
        environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
        run = subprocess.run(
            [sys.executable, "-c", snippets[number]],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        assert "speaker 1" in run.stdout


class TestTraining:
    def test_short_run_writes_a_checkpoint_that_learnt(self, official_test, tmp_path):
        few = {name: CANDIDATES[name] for name in (CHAIN, NO_HOPS)}
        measured = measure(load("TRAIN"), official_test, [3, 4], epochs=8, candidates=few)
        publish(measured, official_test, tmp_path)
        assert min(measured.results["models"][CHAIN]["test_accuracy"]) > 0.8
        assert {file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*") if file.is_file()} == {
            *WRITTEN
        }
        checkpoints = tmp_path / "chainhead_plugin" / "checkpoints"
        (record,) = json.loads((checkpoints / "catalogue.json").read_text("utf-8"))
        for name, digest in record["files"].items():
            saved = checkpoints / NAME / name
            assert hashlib.sha256(saved.read_bytes()).hexdigest() == digest

    def test_one_seed_has_no_spread(self, capsys):
        with pytest.raises(SystemExit):
            main(["--seeds", "0"])
        assert "at least two seeds" in capsys.readouterr().err

    def test_same_seed_same_weights(self):
        training = load("TRAIN")
        first, second = (
            fit(CANDIDATES[CHAIN], training, seed=0, epochs=2).model.state_dict() for _ in range(2)
        )
        assert first.keys() == second.keys()
        assert all(torch.equal(first[name], second[name]) for name in first)


class TestNoHops:
    def test_nodes_do_not_see_each_other(self):
        torch.manual_seed(0)
        config = CANDIDATES[NO_HOPS].build().classifier.config
        peer = NoHops(config).eval()
        nodes, mask = torch.randn(2, 6, FEATURES), torch.ones(2, 6, dtype=torch.int64)
        order = torch.tensor([3, 1, 5, 0, 4, 2])
        torch.testing.assert_close(peer(nodes, mask)["logits"], peer(nodes[:, order], mask)["logits"])

    def test_padding_changes_nothing(self):
        torch.manual_seed(0)
        for candidate in CANDIDATES.values():
            peer = candidate.build().eval()
            nodes, mask = torch.randn(2, 6, FEATURES), torch.ones(2, 6, dtype=torch.int64)
            padded = torch.cat([nodes, torch.zeros(2, 3, FEATURES)], 1)
            padded_mask = torch.cat([mask, mask.new_zeros(2, 3)], 1)
            torch.testing.assert_close(
                peer(padded, attention_mask=padded_mask)["logits"],
                peer(nodes, attention_mask=mask)["logits"],
            )
