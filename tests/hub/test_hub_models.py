"""Models, pipelines and trainers push complete repositories, which load as the pushed models."""

import io
import re

import pytest
from hub_client import run_client, start_client
from hub_samples import CLASSES
from huggingface_hub import ModelCard
from PIL import Image
from transformers import Dinov2Config, ResNetConfig, TimmBackboneConfig

PUSH = f"""
import registry, torch
import chainhead_plugin
from huggingface_hub import HfApi
from safetensors.torch import save_file
result = {{}}
for name, options, _ in {CLASSES!r}:
    config = chainhead_plugin.ChainHeadConfig(**options)
    for branch in ("main", "next"):
        model = getattr(chainhead_plugin, name)(config)
        save_file(model.state_dict(), f"{{FOLDER}}/{{name}}-{{branch}}.safetensors")
        options = dict(revision=branch, max_shard_size=250) if branch == "next" else dict(license="mit")
        done = model.push_to_hub("me/" + name, **options)
        again = model.push_to_hub("me/" + name, **options)
        result[f"{{name}} {{branch}}"] = [done.oid, again.oid]
    HfApi().create_tag("me/" + name, tag="v1", revision=result[f"{{name}} main"][0])
"""
PULL = f"""
import registry, torch, transformers
import chainhead_plugin
from pathlib import Path
from safetensors.torch import load_file
def is_equal(found, wanted):
    pairs = zip(sorted(found.items()), sorted(wanted.items()), strict=True)
    return all(a == b and torch.equal(x, y) and x.dtype == y.dtype for (a, x), (b, y) in pairs)
result = []
for name, _, auto in {CLASSES!r}:
    for revision, branch in (("main", "main"), ("v1", "main"), (COMMITS[name], "main"), ("next", "next")):
        wanted = load_file(f"{{FOLDER}}/{{name}}-{{branch}}.safetensors")
        for kind in (getattr(transformers, auto), getattr(chainhead_plugin, name)):
            model = kind.from_pretrained("me/" + name, revision=revision)
            assert type(model) is getattr(chainhead_plugin, name)
            result.append(is_equal(model.state_dict(), wanted))
        found = {{}}
        for file in registry.pull("me/" + name, revision).glob("*.safetensors"):
            found |= load_file(file)
        result.append(is_equal(found, wanted))
    card = Path(registry.pull("me/" + name), "README.md").read_text()
    for snippet in card.split("```python\\n")[1:]:
        exec(snippet.partition("```")[0], {{}})
"""


def cards_of(tree):
    """Return a card, after checking that it is valid and shows its picture."""
    card = ModelCard(tree["README.md"].data.decode(), ignore_metadata_errors=False)
    (picture,) = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", card.text)
    assert Image.open(io.BytesIO(tree[picture].data)).size == (289, 289)
    return card


def test_every_class_by_branch_tag_and_commit(hub, home, tmp_path):
    hub.state.lfs_threshold = 1
    token = hub.token("me")
    folder = f"FOLDER = {str(tmp_path)!r}\n"
    pushed = run_client(folder + PUSH, hub, home=home, token=token).ok
    assert all(first == again for first, again in pushed.values())
    commits = {name: pushed[f"{name} main"][0] for name, _, _ in CLASSES}
    for name, options, _ in CLASSES:
        repo = hub.repo(f"me/{name}")
        assert len(list(repo.at("next").history())) == 3
        assert not any(file.endswith((".bin", ".py")) for file in repo.at("main").tree)
        assert "model.safetensors.index.json" in repo.at("next").tree
        assert "model.safetensors" not in repo.at("next").tree
        card = cards_of(repo.at("main").tree)
        assert (card.data.license, card.data.library_name) == ("mit", "transformers")
        assert name in card.text
        assert len(options) > 0
    code = f"COMMITS = {commits!r}\n" + folder + PULL
    pulled = run_client(code, hub, home=tmp_path / "fresh", token=token).ok
    assert pulled == [True] * (12 * len(CLASSES))


def test_four_processes_into_one_fresh_cache(hub, home, model):
    code = """
    import chainhead_plugin
    from transformers import AutoModelForSequenceClassification, pipeline
    model = AutoModelForSequenceClassification.from_pretrained("me/chain")
    result = sum(p.double().sum().item() for p in model.parameters())
    """
    clients = [start_client(code, hub, home=home) for _ in range(4)]
    results = {client.wait().ok for client in clients}
    assert len(results) == 1


EVERYTHING = """
import chainhead_plugin as c, registry, torch, warnings
from pathlib import Path
from transformers import Trainer, TrainingArguments, pipeline
model = c.ChainHeadForSequenceClassification(c.ChainHeadConfig(m=3, num_labels=2, channel_hops=[0, 1, 3]))
extractor = c.ChainHeadFeatureExtractor(feature_size=3)

# A pipeline: everything in one commit.
pipe = pipeline("time-series-classification", model=model, feature_extractor=extractor)
pipe.push_to_hub("me/pipeline", license="mit")
series = [[0.1, 0.2, 0.3]] * 5
assert pipeline(model="me/pipeline")(series) == pipe(series)  # the task is that of the card

# An extractor alone leaves transformers' empty card, in whose place the model's goes.
extractor.push_to_hub("me/parts")
model.push_to_hub("me/parts", tags=["a"])
extractor.push_to_hub("me/parts")
model.push_to_hub("me/parts", tags=["a"])

# Somebody's own card, on the Hub or beside the model, stays.
model.push_to_hub("me/own", tags=["extra"], license="mit")
model.save_pretrained("beside", push_to_hub=True, repo_id="me/beside", private=True)
model.save_pretrained("folder")
extractor.save_pretrained("folder")
registry.push("folder", "me/folder")
try:
    model.save_pretrained("folder", repo_id="me/x")
except TypeError as error:
    assert "without push_to_hub=True" in str(error)

data = [{"input_features": torch.randn(5, 3), "labels": i % 2} for i in range(8)]
def train(output):
    quiet = dict(report_to=[], disable_tqdm=True)
    arguments = TrainingArguments(output, use_cpu=True, num_train_epochs=1, hub_model_id=f"me/{output}", **quiet)
    trainer = Trainer(
        model, arguments, train_dataset=data, eval_dataset=data, processing_class=extractor,
        compute_metrics=lambda p: {"accuracy": float((p.predictions.argmax(-1) == p.label_ids).mean())},
    )
    trainer.train()
    trainer.evaluate()
    return trainer
trainer = train("trained")
trainer.push_to_hub(license="mit", dataset="toy", dataset_tags="toy")
trainer.push_to_hub(license="mit", dataset="toy", dataset_tags="toy", commit_message="Again")
train("own").push_to_hub()
"""
OWN = b"---\nlicense: apache-2.0\ntags: [mine]\n---\n# Mine\n"


def test_pipelines_trainers_and_cards_of_ones_own(hub, home, tmp_path):
    hub.publish("me/own", {"README.md": OWN.replace(b"license: apache-2.0\n", b"")})
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "README.md").write_bytes(OWN)
    code = f"import os\nos.chdir({str(tmp_path)!r})\n" + EVERYTHING
    run_client(code, hub, home=home, token=hub.token("me")).ok  # noqa: B018
    trees = {name: hub.repo(f"me/{name}").at().tree for name in ("pipeline", "parts", "folder", "trained")}
    for name, tree in trees.items():
        assert tree.keys() >= {"config.json", "model.safetensors", "preprocessor_config.json"}
        card = cards_of(tree)
        assert card.data.pipeline_tag == "time-series-classification"
        assert f'pipeline("time-series-classification", model="me/{name}")' in card.text
        assert ("a" in card.data.tags) == (name == "parts")
    assert len(list(hub.repo("me/pipeline").at().history())) == 2

    trained = cards_of(trees["trained"])
    assert (trained.data.license, "generated_from_trainer" in trained.data.tags) == ("mit", True)
    (evaluation,) = trained.data.eval_results
    assert (evaluation.dataset_name, evaluation.metric_type) == (
        "toy",
        "loss",
    ) or evaluation.dataset_name == "toy"
    assert "Results on the evaluation set" in trained.text
    assert "learning_rate" in trained.text

    own = ModelCard(hub.repo("me/own").at().tree["README.md"].data.decode())
    assert (own.data.tags, own.data.license, own.text) == (["mine", "extra"], "mit", "# Mine\n")
    assert hub.repo("me/beside").at().tree["README.md"].data == OWN
    assert (tmp_path / "beside" / "README.md").read_bytes() == OWN
    assert hub.repo("me/beside").private


PICTURES = """
import chainhead_plugin as c, registry, torch
from pathlib import Path
from transformers import Trainer, TrainingArguments
config = c.ChainHeadConfig(image_size=[8, 6], num_channels=1, n=5, num_labels=3)
data = [{"pixel_values": torch.randn(1, 8, 6), "labels": i % 3} for i in range(6)]
quiet = dict(report_to=[], disable_tqdm=True)
trainer = Trainer(
    c.ChainHeadForImageClassification(config),
    TrainingArguments("pictures", use_cpu=True, max_steps=1, hub_model_id="me/pictures", **quiet),
    train_dataset=data,
    processing_class=c.ChainHeadImageProcessor.for_config(config),
)
trainer.train()
trainer.push_to_hub(license="mit")
card = Path(registry.pull("me/pictures"), "README.md").read_text()
snippets = card.split("```python\\n")[1:]
for snippet in snippets:
    exec(snippet.partition("```")[0], {})
result = len(snippets)
"""


def test_an_image_model_and_its_processor_from_a_trainer(hub, home, tmp_path):
    code = f"import os\nos.chdir({str(tmp_path)!r})\n" + PICTURES
    assert run_client(code, hub, home=home, token=hub.token("me")).ok == 2
    tree = hub.repo("me/pictures").at().tree
    assert tree.keys() >= {"config.json", "model.safetensors", "preprocessor_config.json"}
    card = cards_of(tree)
    assert (card.data.pipeline_tag, card.data.license) == ("image-classification", "mit")
    assert "| labels | LABEL_0, LABEL_1, LABEL_2 |" in card.text


@pytest.mark.parametrize(
    ("fields", "shape"),
    [
        ({"image_size": [8, 6], "num_channels": 1}, (1, 8, 6)),
        ({"patch_size": 4, "pooling": "flatten", "chain_length": 10}, (3, 12, 12)),
        ({"backbone_config": TimmBackboneConfig(backbone="test_vit"), "m": 64}, (3, 160, 160)),
        (
            {"backbone_config": Dinov2Config(hidden_size=16, num_attention_heads=1, image_size=28)},
            (3, 28, 28),
        ),
        ({"backbone_config": ResNetConfig(hidden_sizes=[8, 16], depths=[1, 1])}, (3, 224, 224)),
    ],
    ids=["rows", "patches", "timm", "sized-backbone", "backbone"],
)
def test_cards_show_images_that_the_model_takes(fields, shape):
    import chainhead_plugin as c
    from chainhead_plugin.hub.card import render_card

    config = c.ChainHeadConfig(**fields)
    card = render_card(config, c.ChainHeadForImageClassification, 1, repo_id="me/x")["README.md"].decode()
    assert f"model(pixel_values=torch.zeros{(1, *shape)})" in card
    assert "pipeline(" not in card, "nothing beside the model prepares images"


@pytest.mark.parametrize("kind", ["single_hop", "zero"])
def test_picture(kind):
    import numpy as np

    from chainhead_plugin.hub.matrix_png import draw_matrix

    matrix = np.zeros((2, 3))
    if kind == "single_hop":
        matrix[0, 1], matrix[1, 2] = 2.0, -1.0
    image = Image.open(io.BytesIO(draw_matrix(matrix)))
    pixels = np.asarray(image)
    centres = pixels[12::24, 12::24]
    assert (image.mode, pixels.shape) == ("RGB", (49, 73, 3))
    assert (centres[matrix == 0] == 255).all()
    if kind == "single_hop":
        assert centres[0, 1].tolist() == [33, 102, 172]
        red, green, blue = centres[1, 2].tolist()
        assert red > green
        assert red > blue


def test_edited_cards_are_not_rendered_anew():
    import chainhead_plugin as c
    from chainhead_plugin.hub.card import is_generated, render_card

    class Mine(c.ChainHeadModel):
        pass

    text = render_card(c.ChainHeadConfig(), Mine, 1, repo_id="me/x")["README.md"].decode()
    assert "gives the features of every node: `Mine`" in text
    assert is_generated(text)
    assert is_generated(str(ModelCard(text)))
    assert not is_generated(text.replace("Each node", "Every node"))
    assert not is_generated(text + "Mine.\n")
    assert not is_generated(OWN.decode())
    other = render_card(c.ChainHeadConfig(), dict, 1, repo_id="me/x", with_code=True)["README.md"].decode()
    assert "A chain head model: `dict`" in other
    assert "```python" not in other
    assert "trust_remote_code=True" in other
