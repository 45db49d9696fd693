"""Every model has a card: for every class, kind of chain and option. An option missing in a table here fails."""

import re
from dataclasses import fields
from typing import get_args

import chains
import pytest
from hub_samples import CLASSES
from huggingface_hub import ModelCard
from option_tables import FIELDS, FORECAST, KINDS, OPTIONS, UNTOLD
from transformers import PreTrainedConfig
from transformers.pipelines import PIPELINE_REGISTRY

import chainhead_plugin as c
from chainhead_plugin.chain.kinds import Kind
from chainhead_plugin.head.options import HeadOptions
from chainhead_plugin.hub.card import render_card
from chainhead_plugin.hub.facts import model_facts
from chainhead_plugin.hub.sharing import SharedModel
from chainhead_plugin.hub.uses import task_of

# By field of random chain heads; the seed has no effect on a trained model.
RANDOM_FIELDS = {
    "m": ({"m": 3}, "features of a node", "3"),
    "dilations": ({"dilations": [1, 2, 4]}, "dilations", "1, 2, 4"),
    "causal": ({"causal": False}, "kernels reach", "nodes on both sides"),
    "with_differences": ({"with_differences": False}, "kernels for each dilation", "of nodes"),
    "num_biases": ({"num_biases": 2}, "kernels for each dilation", "84 with 2 thresholds"),
    "num_groups": ({"num_groups": 5}, "kernels for each dilation", "5 groups"),
    "group_size": ({"group_size": 3}, "kernels for each dilation", "groups of 3 random kernels"),
    "num_levels": ({"num_levels": 7}, "thresholds of the nodes", "7"),
    "reference_length": ({"reference_length": 50}, "pools", "in units of 50"),
}
every_class = pytest.mark.parametrize(
    ("name", "fitting"), [line[:2] for line in CLASSES], ids=lambda x: str(x)[:40]
)


def card_of(name, config, **options):
    """Return the files of a card, after checking that it is valid and that its pictures are there."""
    files = render_card(config, getattr(c, name), 1234, repo_id="me/model", has_preprocessor=True, **options)
    text = files["README.md"].decode()
    ModelCard(text, ignore_metadata_errors=False)
    assert ("images/chain-matrix.png" in text) == ("images/chain-matrix.png" in files)
    assert "| None" not in text
    return text


def test_the_tables_are_complete():
    inherited = {field.name for field in fields(PreTrainedConfig)}
    own = [field.name for field in fields(c.ChainHeadConfig) if field.name not in inherited]
    options = {option.name for option in fields(HeadOptions)}
    assert options == OPTIONS.keys() | UNTOLD.keys() - {"name"}
    assert {*own} == OPTIONS.keys() | UNTOLD.keys() | FIELDS.keys()
    kinds = {c.ChainHeadConfig(**head).head_options().chain.kind for head in chains.HEADS.values()}
    assert kinds == {*get_args(Kind)}
    offered = [getattr(c, name) for name in c.__all__]
    models = {
        cls.__name__
        for cls in offered
        if isinstance(cls, type) and issubclass(cls, SharedModel) and cls.config_class is c.ChainHeadConfig
    }
    assert models == {name for name, *_ in CLASSES}


@pytest.mark.parametrize("options", [*OPTIONS.values()], ids=[*OPTIONS])
def test_a_card_tells_every_option_of_a_head(options):
    given, words = options
    config = c.ChainHeadConfig(**given)
    told = model_facts(config, is_classifier=False)
    assert any(words in fact for fact in told.values()), told
    assert words in card_of("ChainHeadModel", config)
    assert not any(words in fact for fact in model_facts(c.ChainHeadConfig(), is_classifier=False).values())


def card_of_config(config):
    forecasts = config.prediction_length is not None
    return card_of(
        "ChainHeadForTimeSeriesPrediction" if forecasts else "ChainHeadForSequenceClassification", config
    )


@pytest.mark.parametrize("options", [*FIELDS.values()], ids=[*FIELDS])
def test_a_card_tells_every_other_field(options):
    given, words = options
    assert words in card_of_config(c.ChainHeadConfig(**given))
    plain = c.ChainHeadConfig(**FORECAST) if "prediction_length" in given else c.ChainHeadConfig()
    assert given == FORECAST or words not in card_of_config(plain)


def test_a_card_tells_every_field_of_random_chain_heads():
    inherited = {field.name for field in fields(PreTrainedConfig)}
    own = {field.name for field in fields(c.RandomChainConfig)} - inherited
    assert own == RANDOM_FIELDS.keys() | {"seed"}
    plain = model_facts(c.RandomChainConfig(), is_classifier=True)
    for given, row, words in RANDOM_FIELDS.values():
        fact = model_facts(c.RandomChainConfig(**given), is_classifier=True)[row]
        assert words in fact != plain[row]
    assert (
        "with 12 weights"
        in render_card(c.RandomChainConfig(), c.RandomChainForSequenceClassification, 12, repo_id="me/model")[
            "README.md"
        ].decode()
    )


@pytest.mark.parametrize("given", [*UNTOLD.values()], ids=[*UNTOLD])
def test_a_card_without_a_word_on_a_field(given):
    configs = c.ChainHeadConfig(**given), c.ChainHeadConfig()
    given, plain = (model_facts(config, is_classifier=True) for config in configs)
    assert given == plain


@every_class
@pytest.mark.parametrize("head", [*chains.HEADS.values()], ids=[*chains.HEADS])
def test_a_card_of_every_class_with_every_kind_of_chain(name, fitting, head):
    shape = {key: value for key, value in fitting.items() if key not in OPTIONS or key in ("m", "n")}
    card = card_of(name, c.ChainHeadConfig(**shape, **head))
    kind = c.ChainHeadConfig(**head).head_options().chain.kind
    assert re.search(KINDS[kind], card)
    assert "images/chain-matrix.png" in card


@every_class
def test_snippets_of_a_model_with_hops_of_its_own_run(name, fitting, tmp_path, capsys):
    shape = {key: value for key, value in fitting.items() if key not in OPTIONS or key in ("m", "n")}
    model = getattr(c, name)(c.ChainHeadConfig(**shape, channel_hops=[0, 1, 3]))
    model.save_pretrained(tmp_path)
    files = type(model).card_files(tmp_path, str(tmp_path))
    card = files["README.md"].decode()
    assert f"with {model.num_parameters():,} weights" in card
    snippets = [part.partition("```")[0] for part in card.split("```python\n")[1:]]
    assert snippets
    for snippet in snippets:
        exec(snippet, {})
    assert "torch.Size" in capsys.readouterr().out


def test_a_matrix_too_large_to_draw():
    text = card_of("ChainHeadModel", c.ChainHeadConfig(with_multihop=True, h=1000, bi_directional=True))
    assert "1000 hops at once" in text


def test_the_edge_of_the_picture():
    text = card_of("ChainHeadModel", c.ChainHeadConfig(channel_hops=[11, -12, 40], bi_directional=True))
    assert "Hops beyond its edge: -12, 40." in text
    assert "Hops beyond" not in card_of("ChainHeadModel", c.ChainHeadConfig(channel_hops=[0, 11]))


def test_labels_stay_in_their_cell():
    labels = ["a|b", "two\n## lines", "<b>bold</b>", "\ud800"]
    config = c.ChainHeadConfig(id2label=dict(enumerate(labels)))
    text = card_of("ChainHeadForSequenceClassification", config)
    assert "| labels | a\\|b, two ## lines, &lt;b&gt;bold&lt;/b&gt;, ? |\n" in text


def test_every_task_has_a_class():
    tasks = {
        task for task in PIPELINE_REGISTRY.supported_tasks if task.startswith(("chain-", "time-series-"))
    }
    assert tasks
    told = {task_of(getattr(c, name), c.ChainHeadConfig()) for name, *_ in CLASSES}
    assert tasks <= told


def test_a_card_tells_every_layer_of_a_stack():
    config = c.ChainHeadConfig(
        hidden_sizes=[4, 4],
        channel_hops=[[0, 1], [0, 2]],
        with_differences=True,
        normalisation="pre-batch",
        identity_residual=True,
        channel_dropout=0.1,
        pooling=["mean", "std"],
    )
    text = card_of("ChainHeadForSequenceClassification", config)
    for told in (
        "a hop for each channel (0, 1)",
        "a hop for each channel (0, 2)",
        "differences of nodes beside them, between layers BatchNorm of their input, identity residual between "
        "layers, dropout 0.1 of channels",
        "mean, std",
    ):
        assert told in text
