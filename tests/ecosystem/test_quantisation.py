"""Quantisation by torchao on the CPU: int8 weights, and int8 weights with dynamically quantised activations."""

import re
from pathlib import Path

import pytest
import torch
from chains import CHAINS, name, options
from transformers import AutoModelForSequenceClassification, BertConfig, TorchAoConfig

import registry
from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadForTokenClassification,
    ChainInterdependenceHead,
)
from chainhead_plugin.recipes.data.load import load_data
from chainhead_plugin.recipes.recipe_files import load_recipe
from chainhead_plugin.recipes.training.fitting.predicting import quality

pytest.importorskip("torchao", reason="the extra quantisation is not installed")
from torchao.quantization import (
    Int8DynamicActivationInt8WeightConfig,
    Int8WeightOnlyConfig,
    quantize_,
)

GUIDE = Path(__file__).parents[2] / "docs" / "deployment.md"
NAME = "chainhead-japanese-vowels"
METHODS = {"weight-only": Int8WeightOnlyConfig, "dynamic": Int8DynamicActivationInt8WeightConfig}
CONFIGS = {
    "channels": {"n": 6, "channel_num": 3, "with_residual": True},
    "lorr": {"n": 6, "with_lorr": True, "r": 5, "channel_num": 2},
    "lorr-thin": {"n": 6, "with_lorr": True, "r": 2},
    "dual-lphm": {"n": 6, "with_dual_lphm": True, "with_residual": True},
    "stack": {"hidden_sizes": [6, 5], "with_inverse_approx": True, "bi_directional": True},
}
FORMS = list({(c.kind, c.bi_directional, c.accumulative): c for c in CHAINS if c.hops < 10}.values())
every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


def quantised(model_class, folder, method):
    """Load and quantise every linear map, the classifier's as well."""
    return model_class.from_pretrained(
        folder, quantization_config=TorchAoConfig(method(), modules_to_not_convert=[])
    )


def is_int8(weight):
    return type(weight).__name__ == "Int8Tensor"


@every_method
@pytest.mark.parametrize("fields", CONFIGS.values(), ids=CONFIGS)
def test_every_reconciliation_is_near_and_saves_and_loads(fields, method, tmp_path):
    model = ChainHeadForTokenClassification(ChainHeadConfig(m=4, num_labels=3, **fields)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.uniform_(-1, 1)
    model.save_pretrained(tmp_path / "float")
    x, mask = torch.randn(3, 9, 4), torch.tensor([[1] * 9, [1] * 5 + [0] * 4, [0] * 6 + [1] * 3])
    expected = model(x, mask).logits
    small = quantised(ChainHeadForTokenClassification, tmp_path / "float", method)
    linears = [module for module in small.modules() if isinstance(module, torch.nn.Linear)]
    assert linears
    assert all(is_int8(linear.weight) for linear in linears)
    actual = small(x, mask).logits
    # 8 bits of a weight are 1/127 of the largest in its row; two or three layers of them.
    assert 0 < (actual - expected).abs().max() < 0.03 * expected.abs().max()

    small.save_pretrained(tmp_path / "int8")
    assert {file.suffix for file in (tmp_path / "int8").iterdir()} == {".json", ".safetensors"}
    again = ChainHeadForTokenClassification.from_pretrained(tmp_path / "int8")
    assert torch.equal(again(x, mask).logits, actual)


def test_a_backbone_and_its_chain_head(tmp_path):
    encoder = BertConfig(
        vocab_size=50, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=12
    )
    config = ChainHeadConfig(backbone_config=encoder, hidden_sizes=[6], channel_num=2, num_labels=3)
    model = ChainHeadForTokenClassification(config).eval()
    model.save_pretrained(tmp_path / "float")
    small = quantised(ChainHeadForTokenClassification, tmp_path / "float", Int8WeightOnlyConfig)
    linears = [module for module in small.modules() if isinstance(module, torch.nn.Linear)]
    assert all(is_int8(linear.weight) for linear in linears)
    ids = torch.randint(50, (2, 7))
    expected, actual = model(input_ids=ids).logits, small(input_ids=ids).logits
    assert 0 < (actual - expected).abs().max() < 0.03 * expected.abs().max()
    small.save_pretrained(tmp_path / "int8")
    again = ChainHeadForTokenClassification.from_pretrained(tmp_path / "int8")
    assert torch.equal(again(input_ids=ids).logits, actual)


@every_method
@pytest.mark.parametrize("chain", FORMS, ids=name)
def test_a_bare_head_of_every_kind(chain, method):
    head = ChainInterdependenceHead(4, 6, 9, channel_num=2, with_softmax=False, **options(chain))
    x = torch.randn(3, 9, 4)
    expected = head(x)
    quantize_(head, method())
    assert is_int8(head.reconciliation.linear.weight)
    assert 0 < (head(x) - expected).abs().max() < 0.03 * expected.abs().max()


@pytest.mark.slow
def test_quantised_channels_compile(tmp_path):
    model = ChainHeadForTokenClassification(ChainHeadConfig(m=4, num_labels=3, **CONFIGS["channels"]))
    model.save_pretrained(tmp_path)
    small = quantised(ChainHeadForTokenClassification, tmp_path, Int8WeightOnlyConfig)
    x = torch.randn(2, 9, 4)
    compiled = torch.compile(small, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x).logits, small(x).logits)


def test_the_guide_states_the_measured_accuracies_and_sizes(tmp_path):
    folder = registry.checkpoint_path(NAME)
    recipe = load_recipe("chainhead-japanese-vowels")
    inputs, test = recipe.task.load_inputs(folder), load_data(recipe).test
    rows = []
    for label, method in {"float32": None, **METHODS}.items():
        if method is None:
            model = AutoModelForSequenceClassification.from_pretrained(folder)
        else:
            model = quantised(AutoModelForSequenceClassification, folder, method)
        model.save_pretrained(tmp_path / label)
        size = (tmp_path / label / "model.safetensors").stat().st_size
        rows.append((f"{100 * quality(model, inputs, test, recipe.task)['accuracy']:.1f}", f"{size:,}"))
    assert re.findall(r"^\| .* \| (\d+\.\d) \| ([\d,]+) \|$", GUIDE.read_text("utf-8"), flags=re.M) == rows
