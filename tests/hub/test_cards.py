"""Every model has a card: of every class, kind of chain and option. What is new and not in a table here fails."""

import re
from dataclasses import fields
from typing import get_args

import chains
import pytest
from hub_samples import CLASSES
from huggingface_hub import ModelCard
from transformers import BertConfig, PreTrainedConfig
from transformers.pipelines import PIPELINE_REGISTRY

import chainhead_plugin as c
from chainhead_plugin.chain.kinds import Kind
from chainhead_plugin.head.options import HeadOptions
from chainhead_plugin.hub.card import render_card
from chainhead_plugin.hub.facts import model_facts
from chainhead_plugin.hub.sharing import SharedModel
from chainhead_plugin.hub.uses import task_of

# By option of the head: a configuration with it, and the words that its card has for it.
OPTIONS = {
    "m": ({"m": 7}, "7 before"),
    "n": ({"n": 9}, "9 after"),
    "channel_num": ({"channel_num": 3}, "3 channels"),
    "bi_directional": ({"bi_directional": True}, "bi-directional"),
    "with_multihop": ({"with_multihop": True, "h": 3}, "3 hops at once"),
    "h": ({"with_multihop": True}, "1 hop at once"),
    "accumulative": ({"with_multihop": True, "h": 3, "accumulative": True}, "all of up to 3 hops"),
    "with_inverse_approx": ({"with_inverse_approx": True}, "inverse"),
    "with_exponential_approx": ({"with_exponential_approx": True}, "exponential"),
    "self_dependence": ({"self_dependence": False}, "no node takes in itself"),
    "self_scaling": ({"self_scaling": -0.7}, "-0.7 times itself"),
    "with_taylor": ({"with_taylor": True}, "Taylor expansion of degree 2"),
    "d": ({"with_taylor": True, "d": 3}, "Taylor expansion of degree 3"),
    "with_dual_lphm": ({"with_dual_lphm": True}, "dual LPHM of rank 3"),
    "with_lorr": ({"with_lorr": True}, "LORR of rank 3"),
    "r": ({"with_lorr": True, "r": 2}, "LORR of rank 2"),
    "enable_bias": ({"enable_bias": True}, "bias"),
    "with_residual": ({"with_residual": True}, "residual"),
    "with_batch_norm": ({"with_batch_norm": True}, "BatchNorm"),
    "with_relu": ({"with_relu": False}, "nothing"),
    "with_softmax": ({"with_softmax": True}, "softmax"),
    "with_dropout": ({"with_dropout": True}, "dropout 0.25"),
    "p": ({"with_dropout": True, "p": 0.5}, "dropout 0.5"),
    "channel_hops": ({"channel_hops": [2, 0, 70]}, "a hop for each channel (2, 0, 70)"),
    "decay": ({"with_inverse_approx": True, "decay": 0.4}, "decay γ = 0.4"),
    "with_learned_decay": (
        {"with_exponential_approx": True, "decay": 0.4, "with_learned_decay": True},
        "decay γ learned for every feature, from 0.4",
    ),
}
# A card says nothing of the head's name, of how far "flatten" goes, and of how weights that are trained began.
UNTOLD = {
    "name": {"name": "mine"},
    "chain_length": {"chain_length": 5},
    "parameters_init_method": {"parameters_init_method": "kaiming_uniform"},
}
# By other field: a configuration with it, and the words that its card has for it.
TOKENS = BertConfig(
    hidden_size=4, num_attention_heads=1, num_hidden_layers=1, intermediate_size=4, vocab_size=9
)
FORECAST = {"m": 2, "prediction_length": 2, "pooling": "flatten", "chain_length": 6}
LEVELS = {"quantiles": [0.1, 0.5, 0.9]}
FIXED = FORECAST | {"scaling": "fixed", "fixed_loc": [0.5, 1], "fixed_scale": [2, 3]}
FIELDS = {
    "hidden_sizes": ({"hidden_sizes": [5, 4]}, "5, 4"),
    "pooling": ({"pooling": ["last", "std"]}, "last, std"),
    "with_differences": ({"hidden_sizes": [5], "with_differences": True}, "differences of nodes"),
    "normalisation": ({"hidden_sizes": [5, 4], "normalisation": "post-layer"}, "LayerNorm of their output"),
    "identity_residual": ({"hidden_sizes": [5, 5], "identity_residual": True}, "identity residual"),
    "channel_dropout": ({"hidden_sizes": [5], "channel_dropout": 0.2}, "dropout 0.2 of channels"),
    "vocab_size": ({"vocab_size": 9}, "embedded tokens of a vocabulary of 9"),
    "pad_token_id": ({"vocab_size": 9, "pad_token_id": 3}, "padding token 3"),
    "backbone_config": ({"backbone_config": TOKENS}, "last hidden states of a bert"),
    "freeze_backbone": ({"backbone_config": TOKENS, "freeze_backbone": True}, "of a frozen bert"),
    "image_size": ({"image_size": [6, 8]}, "rows of pixels, 3 channels, images of 6 × 8 pixels"),
    "num_channels": ({"image_size": 8, "num_channels": 1}, "rows of pixels, 1 channel,"),
    "patch_size": ({"patch_size": 4}, "patches of 4 × 4 pixels, 3 channels, serpentine order"),
    "scan": ({"patch_size": 4, "scan": "row-major"}, "row-major order"),
    "prediction_length": (FORECAST, "2 steps of 2 channels"),
    "prediction_channel_indices": (FORECAST | {"prediction_channel_indices": [1]}, "those at 1 alone"),
    "quantiles": (FORECAST | LEVELS, "0.1, 0.5, 0.9"),
    "loss": (FORECAST | {"loss": "mae"}, "mae"),
    "scaling": (FORECAST | {"scaling": "last"}, "its own last value"),
    "with_observed_indicator": (FORECAST | {"with_observed_indicator": True}, "which of the channels were"),
    "num_time_features": (FORECAST | {"num_time_features": 1}, "1 covariate known for the future"),
    "constant_features": (FORECAST | {"constant_features": [1]}, "did not vary in training | 1"),
    "seasons": (FORECAST | {"seasons": [2, 3]}, "the last values of seasons of 2, 3 steps"),
    "with_linear_path": (FORECAST | {"with_linear_path": True}, "a linear map of the last 6 steps"),
    "fixed_loc": (FIXED, "all series less 0.5, 1"),
    "fixed_scale": (FIXED, "divided by 2, 3"),
    "interpolate_missing": (FORECAST | {"interpolate_missing": True}, "interpolated"),
    "quantile_offsets": (FORECAST | LEVELS | {"quantile_offsets": [-0.1, 0.0, 0.2]}, "0.9, calibrated"),
}
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
KINDS = {
    "single_hop": "single hop",
    "multihop": "hops? at once|all of up to",
    "inverse": "inverse",
    "exponential": "exponential",
    "channel_hops": "a hop for each channel",
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
