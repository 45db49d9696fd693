"""Contributions of nodes to predictions: they add up, respect masks, and equal the terms of an affine path."""

import json

import pytest
import torch
from torch import nn
from transformers import AutoFeatureExtractor

import registry
from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadForImageClassification,
    ChainHeadForSequenceClassification,
    ChainHeadForTimeSeriesPrediction,
    ChainHeadForTokenClassification,
    ChainHeadModel,
    ChainInterdependenceHead,
    node_contributions,
)
from chainhead_plugin.cli.demonstration import MODEL, SAMPLES
from chainhead_plugin.explain.chain_pictures import draw_chain, hop_norms
from chainhead_plugin.explain.contribution_pictures import draw_contributions
from chainhead_plugin.explain.image_map import contribution_map

MASK = torch.tensor([[1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 1, 1, 0]])


def classifier(**options):
    config = ChainHeadConfig(m=3, chain_length=7, num_labels=4, **{"n": 5, "enable_bias": True} | options)
    model = ChainHeadForSequenceClassification(config).double().eval()
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(parameter)
    return model


def batch():
    x = torch.randn(3, 7, 3, dtype=torch.float64)
    return {"input_features": x.masked_fill(MASK.unsqueeze(-1) == 0, torch.nan), "attention_mask": MASK}


AFFINE = {
    "single hop, mean": {},
    "bi-directional exponential, last": {
        "bi_directional": True,
        "with_exponential_approx": True,
        "pooling": "last",
    },
    "inverse, flatten": {"with_inverse_approx": True, "pooling": "flatten"},
    "multihop with BatchNorm and residual": {
        "with_multihop": True,
        "h": 2,
        "with_batch_norm": True,
        "with_residual": True,
    },
}


@pytest.mark.parametrize("options", AFFINE.values(), ids=AFFINE)
def test_affine_paths_are_taken_apart_exactly(options):
    model, inputs = classifier(with_relu=False, **options), batch()
    explained = node_contributions(model, inputs)
    logits = model(**inputs).logits
    assert explained.method == "exact"
    assert torch.equal(explained.target[:, 0], logits.argmax(-1))
    torch.testing.assert_close(explained.output, logits.amax(-1).detach())
    torch.testing.assert_close(explained.gap, torch.zeros(3, dtype=torch.float64), atol=1e-12, rtol=0)
    # By definition: without a node, the output lacks what the node adds.
    for row, node in ((0, 2), (1, 3), (2, 2)):
        without = {name: tensor.clone() for name, tensor in inputs.items()}
        without["input_features"][row, node] = 0
        difference = logits - model(**without).logits
        torch.testing.assert_close(
            explained.nodes[row, node], difference[row, explained.target[row, 0]].detach()
        )


def test_the_linear_head_with_mean_pooling_by_hand():
    model, inputs = classifier(with_relu=False, self_dependence=False), batch()
    explained = node_contributions(model, inputs, 2)
    head = model.chainhead.layers[0].head
    weight = model.classifier.weight[2] @ head.calculate_phi_w(3)
    for row, mask in enumerate(MASK.bool()):
        nodes = inputs["input_features"][row, mask]
        # Each node goes to the next one alone; what the last one gives leaves the chain.
        expected = nodes @ weight / len(nodes)
        expected[-1] = 0
        torch.testing.assert_close(explained.nodes[row, mask], expected.detach())
        assert (explained.nodes[row, ~mask] == 0).all()
    bias = model.classifier.bias[2] + model.classifier.weight[2] @ head.bias
    torch.testing.assert_close(explained.offset, bias.detach().expand(3))


@pytest.mark.parametrize("pooling", ["mean", "last", "max", "flatten"])
def test_what_leaves_the_chain_adds_up_to_the_logit_without_the_bias(pooling):
    model, inputs = classifier(pooling=pooling, hidden_sizes=[6, 5]), batch()
    explained = node_contributions(model, inputs, "LABEL_1", stage="output")
    assert explained.method == "exact"
    assert explained.features.shape == (3, 7, 5)
    torch.testing.assert_close(explained.nodes.sum(1) + model.classifier.bias[1], explained.output)
    torch.testing.assert_close(explained.output, model(**inputs).logits[:, 1])
    assert (explained.nodes[MASK == 0] == 0).all()


CURVED = {
    "ReLU": {},
    "Taylor": {"with_taylor": True, "with_relu": False},
    "softmax": {"with_softmax": True},
    "stack": {"hidden_sizes": [6, 5], "with_taylor": True},
    "max pooling": {"pooling": "max"},
}


@pytest.mark.parametrize("options", CURVED.values(), ids=CURVED)
def test_integrated_gradients_add_up_to_the_difference_from_the_baseline(options):
    model, inputs = classifier(**options), batch()
    baseline = torch.full((3,), 0.1, dtype=torch.float64)
    explained = node_contributions(
        model, inputs, 0, method="integrated_gradients", baseline=baseline, steps=400
    )
    start = baseline.expand(3, 7, 3)
    difference = model(**inputs).logits - model(start, attention_mask=MASK).logits
    torch.testing.assert_close(explained.nodes.sum(1), difference[:, 0].detach(), atol=3e-3, rtol=0)
    torch.testing.assert_close(explained.gap, difference[:, 0].detach() - explained.nodes.sum(1))
    assert (explained.nodes[MASK == 0] == 0).all()


@pytest.mark.parametrize("options", CURVED.values(), ids=CURVED)
def test_curved_paths_are_not_called_exact(options):
    model, inputs = classifier(**options), batch()
    with pytest.raises(ValueError, match="not affine, because of"):
        node_contributions(model, inputs, method="exact")
    assert node_contributions(model, inputs).method == "gradient_x_input"


def test_gradient_times_input_by_definition():
    model, inputs = classifier(with_taylor=True), batch()
    x = inputs["input_features"].nan_to_num(0).requires_grad_()
    model(x, attention_mask=MASK).logits[:, 3].sum().backward()
    explained = node_contributions(model, inputs, torch.tensor([3, 3, 3]))
    torch.testing.assert_close(explained.features, (x * x.grad).detach())
    torch.testing.assert_close(explained.gap, explained.output - explained.nodes.sum(1))


def test_piecewise_linear_models_without_biases_leave_no_gap():
    model, inputs = classifier(enable_bias=False, pooling="max", hidden_sizes=[8, 5]), batch()
    nn.init.zeros_(model.classifier.bias)
    explained = node_contributions(model, inputs)
    torch.testing.assert_close(explained.gap, torch.zeros(3, dtype=torch.float64), atol=1e-12, rtol=0)


@pytest.mark.parametrize("method", ["exact", "gradient_x_input", "integrated_gradients"])
def test_a_row_of_a_batch_is_explained_as_it_is_alone(method):
    model, inputs = classifier(with_relu=False, bi_directional=True), batch()
    together = node_contributions(model, inputs, 1, method=method)
    for row, mask in enumerate(MASK.bool()):
        alone = node_contributions(
            model, {"input_features": inputs["input_features"][row : row + 1, mask]}, 1, method=method
        )
        torch.testing.assert_close(together.nodes[row, mask], alone.nodes[0])


def test_nothing_is_left_behind():
    model, inputs = classifier(), batch()
    before = model(**inputs).logits
    with torch.no_grad():
        node_contributions(model, inputs, method="integrated_gradients", steps=2)
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(model(**inputs).logits, before)
    with pytest.raises(ValueError, match="expected"):
        node_contributions(model, {"input_features": torch.ones(1, 2, 9)})
    assert torch.equal(model(**inputs).logits, before)


def test_a_label_of_a_node():
    config = ChainHeadConfig(m=3, n=5, num_labels=4, with_relu=False)
    model = ChainHeadForTokenClassification(config).eval()
    x = torch.randn(2, 6, 3)
    explained = node_contributions(model, {"input_features": x}, (2, 1))
    torch.testing.assert_close(explained.output, model(x).logits[:, 2, 1].detach())
    assert (explained.nodes[:, 3:] == 0).all()  # a causal chain
    assert (explained.nodes[:, 1:3] != 0).all()
    torch.testing.assert_close(explained.gap, torch.zeros(2), atol=1e-6, rtol=0)


@pytest.mark.parametrize("quantiles", [[], [0.1, 0.5, 0.9]])
def test_a_step_of_a_forecast_in_the_data_s_units(quantiles):
    config = ChainHeadConfig(
        m=2, n=5, chain_length=8, prediction_length=3, pooling="flatten", with_relu=False, quantiles=quantiles
    )
    model = ChainHeadForTimeSeriesPrediction(config).eval()
    past = 100 + 10 * torch.randn(2, 8, 2)
    past[1, :3] = torch.nan
    explained = node_contributions(model, {"past_values": past}, (2, 1))
    torch.testing.assert_close(explained.output, model(past).prediction_outputs[:, 2, 1].detach())
    torch.testing.assert_close(explained.nodes.sum(1) + explained.offset, explained.output)
    assert (explained.nodes[1, :3] == 0).all()
    with pytest.raises(ValueError, match="target of 2 indices"):
        node_contributions(model, {"past_values": past})


def test_a_head_in_a_model_of_one_s_own():
    class Mine(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = ChainInterdependenceHead(3, 4, 7, with_softmax=False)

        def forward(self, x, mask):
            return self.head(attention_mask=mask, x=x).sum(1)

    inputs = {"x": batch()["input_features"].float(), "mask": MASK}
    explained = node_contributions(Mine().eval(), inputs, 2)
    assert explained.method == "gradient_x_input"
    torch.testing.assert_close(explained.gap, torch.zeros(3), atol=1e-5, rtol=0)
    assert (explained.nodes[MASK == 0] == 0).all()


def test_tokens():
    config = ChainHeadConfig(vocab_size=9, pad_token_id=0, m=4, n=3, with_relu=False, channel_hops=[0, 2])
    model = ChainHeadForSequenceClassification(config).eval()
    ids = torch.tensor([[3, 4, 5, 6], [7, 8, 0, 0]])
    mask = (ids != 0).long()
    explained = node_contributions(model, {"input_ids": ids, "attention_mask": mask}, 0)
    assert torch.equal(explained.mask, mask.bool())
    embedded = {"input_features": model.get_input_embeddings()(ids), "attention_mask": mask}
    torch.testing.assert_close(explained.nodes, node_contributions(model, embedded, 0).nodes)
    torch.testing.assert_close(explained.gap, torch.zeros(2), atol=1e-6, rtol=0)


@pytest.mark.parametrize("scan", ["serpentine", "row-major"])
def test_patches_are_where_they_are_in_the_image(scan):
    config = ChainHeadConfig(
        image_size=[4, 6], num_channels=1, patch_size=2, n=3, with_relu=False, scan=scan, bi_directional=True
    )
    model = ChainHeadForImageClassification(config).eval()
    pixels = torch.randn(2, 1, 4, 6)
    explained = node_contributions(model, {"pixel_values": pixels}, 1)
    maps = contribution_map(model, explained, pixels)
    assert maps.shape == (2, 2, 3)
    for row, column in ((0, 1), (1, 0), (1, 2)):
        without = pixels.clone()
        without[:, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2] = 0
        difference = model(pixels).logits[:, 1] - model(without).logits[:, 1]
        torch.testing.assert_close(maps[:, row, column], difference.detach())
    with pytest.raises(ValueError, match="are not those of 2 images of 1 × 3"):
        contribution_map(model, explained, pixels[:, :, :2])


def test_rows_of_pixels_are_a_column():
    model = ChainHeadForImageClassification(ChainHeadConfig(image_size=5, num_channels=1, n=3)).eval()
    pixels = torch.randn(2, 1, 5, 5)
    explained = node_contributions(model, {"pixel_values": pixels})
    assert torch.equal(contribution_map(model, explained, pixels)[:, :, 0], explained.nodes)


def test_pictures_refuse_what_does_not_fit():
    explained = node_contributions(classifier(), batch())
    assert len(draw_contributions(explained, titles=["a", "b", "c"]).subfigs) == 3
    with pytest.raises(ValueError, match="2 titles for 3 predictions"):
        draw_contributions(explained, titles=["a", "b"])
    with pytest.raises(ValueError, match="row 1 has 4 nodes"):
        draw_contributions(explained, node_names=[["x"] * 7] * 3)


def test_the_norm_of_a_hop():
    head = ChainInterdependenceHead(3, 4, 7, channel_hops=[0, 2], with_softmax=False)
    norms = hop_norms(head)
    assert norms.shape == (2,)
    expected = torch.linalg.matrix_norm(head.calculate_phi_w(3, 1).double())
    torch.testing.assert_close(norms[1], expected.detach())
    with pytest.raises(ValueError, match="has no chain head"):
        draw_chain(nn.Linear(2, 2))


def test_learned_decays_are_drawn():
    config = ChainHeadConfig(
        m=3, hidden_sizes=[4, 4], with_inverse_approx=True, decay=0.5, with_learned_decay=True
    )
    figure = draw_chain(ChainHeadForSequenceClassification(config), 8)
    assert [text.get_text() for text in figure.axes[1].get_legend().get_texts()] == ["layer 1", "layer 2"]


def test_half_precision_is_added_up_in_float32():
    model = classifier(with_relu=False).bfloat16()
    explained = node_contributions(model, batch())
    assert explained.features.dtype == explained.output.dtype == torch.float32


def test_the_shipped_model():
    samples = json.loads(SAMPLES.read_text("utf-8"))["samples"]
    model = registry.create_model(MODEL, pretrained=True)
    extractor = AutoFeatureExtractor.from_pretrained(registry.checkpoint_path(MODEL))
    inputs = extractor([sample["nodes"] for sample in samples], return_tensors="pt", batched=True)
    explained = node_contributions(model, inputs, method="integrated_gradients")
    assert explained.gap.abs().max() < 1e-2
    at_output = node_contributions(model, inputs, stage="output")
    assert at_output.method == "exact"
    assert at_output.gap.abs().max() < 1e-5


ERRORS = {
    "training mode": (lambda: classifier().train(), {}, "training mode"),
    "no chain head": (lambda: nn.Linear(3, 3).eval(), {"target": 1}, "has no chain head"),
    "no label of that name": (classifier, {"target": "cat"}, "no label 'cat', it has LABEL_0"),
    "label out of range": (classifier, {"target": 4}, "outside the outputs"),
    "too many indices": (classifier, {"target": (1, 1)}, "has 2 indices, expected 1"),
    "a target of the wrong shape": (classifier, {"target": torch.tensor([1])}, r"expected int \[3\]"),
    "unknown method": (classifier, {"method": "lime"}, "method must be one of"),
    "unknown stage": (classifier, {"stage": "middle"}, "stage must be one of"),
    "no steps": (classifier, {"steps": 0}, "steps must be"),
    "a baseline without effect": (classifier, {"baseline": 1.0}, "baseline has no effect"),
    "several regression targets": (lambda: classifier(problem_type="regression"), {}, "target is missing"),
}


@pytest.mark.parametrize(("model", "options", "message"), ERRORS.values(), ids=ERRORS)
def test_errors(model, options, message):
    with pytest.raises(ValueError, match=message):
        node_contributions(model(), batch(), **options)


def test_a_model_without_logits():
    model = ChainHeadModel(ChainHeadConfig(m=3)).eval()
    with pytest.raises(TypeError, match="without logits or prediction_outputs"):
        node_contributions(model, {"input_features": torch.ones(1, 2, 3)})


@pytest.mark.parametrize(
    "fields", [{}, {"with_linear_path": True, "seasons": [3, 6]}, {"quantiles": [0.1, 0.5, 0.9]}]
)
def test_contributions_of_a_forecast_add_up(fields):
    torch.manual_seed(0)
    config = ChainHeadConfig(
        m=2,
        hidden_sizes=[8, 8],
        chain_length=12,
        prediction_length=3,
        pooling="flatten",
        enable_bias=True,
        **fields,
    )
    model = ChainHeadForTimeSeriesPrediction(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.uniform_(-0.5, 0.5)
    past = torch.randn(4, 12, 2) * 10 + 250
    explained = node_contributions(model, {"past_values": past}, (1, 0))
    assert explained.method == "integrated_gradients"
    added = explained.offset + explained.nodes.sum(1)
    torch.testing.assert_close(added, explained.output, rtol=1e-4, atol=0)
    assert (explained.gap.abs() <= 0.02 * (explained.output - explained.offset).abs()).all()


def test_contributions_of_a_linear_path_are_its_terms():
    config = ChainHeadConfig(
        m=1,
        n=4,
        chain_length=6,
        prediction_length=2,
        pooling="flatten",
        with_relu=False,
        with_linear_path=True,
    )
    model = ChainHeadForTimeSeriesPrediction(config).eval()
    torch.nn.init.zeros_(model.forecaster.weight)
    past = torch.randn(3, 6) * 10 + 250
    explained = node_contributions(model, {"past_values": past}, 1)
    assert explained.method == "exact"
    scaled = (past - past.mean(1, keepdim=True)) / past.std(1, keepdim=True, correction=0)
    terms = scaled * model.linear_path.map.weight[1] * past.std(1, keepdim=True, correction=0)
    torch.testing.assert_close(explained.nodes, terms.detach(), rtol=1e-4, atol=1e-4)
