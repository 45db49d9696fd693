"""Stacks with hops by layer, differences, normalisation, residuals and several poolings, against plain references."""

import pytest
import torch
from peft import LoraConfig, get_peft_model

import chainhead_plugin as c
from chainhead_plugin.chain.reference import interdependence_matrix
from chainhead_plugin.config import dilated_hops
from chainhead_plugin.models.layers import ChannelDropout
from chainhead_plugin.models.pooling import pool

POOLINGS = ["mean", "std", "ppv", "max", "last"]
NORMALISATIONS = [None, "pre-batch", "post-batch", "pre-layer", "post-layer"]
LENGTHS = [1, 2, 3, 63, 64, 65]


def stack(causal=False, **options):
    torch.manual_seed(0)
    config = c.ChainHeadConfig(
        m=4,
        hidden_sizes=[4, 5, 5],
        channel_hops=dilated_hops(3, reach=2, causal=causal),
        bi_directional=not causal,
        enable_bias=True,
        num_labels=3,
        **{"pooling": POOLINGS, "identity_residual": True} | options,
    )
    model = c.ChainHeadForSequenceClassification(config).double()
    with torch.no_grad():
        for parameter in model.parameters():  # norms and biases too
            parameter.copy_(torch.randn_like(parameter) / 2)
    return model


def pooled_by_definition(nodes):
    """Pool one chain [length, n]."""
    mean = nodes.mean(0)
    ways = {
        "mean": mean,
        "std": ((nodes - mean) ** 2).mean(0).clamp(min=1e-300) ** 0.5,
        "ppv": (nodes > 0).double().mean(0),
        "max": nodes.amax(0),
        "last": nodes[-1],
    }
    return torch.cat([ways[name] for name in POOLINGS])


def run_by_definition(model, chains):
    """Run whole chains [length, m] one by one, with dense matrices and statistics over all their nodes."""
    config = model.config
    kind = (config.normalisation or "none-none").split("-")
    for number, layer in enumerate(model.chainhead.layers):
        inputs, head = chains, layer.head
        if config.with_differences and number == 0:
            chains = [
                torch.cat((x, torch.cat((torch.zeros(1, 4, dtype=x.dtype), x[1:] - x[:-1]))), 1)
                for x in chains
            ]
        if kind[0] == "pre":
            chains = normalised(layer.norm_before.norm, chains, model.training)
        chains = [torch.relu(layer.perceptron(x)) for x in chains]
        mixed = []
        for x in chains:
            y = torch.zeros(len(x), head.n, dtype=x.dtype)
            for channel, matrix in enumerate(interdependence_matrix(head.chain, len(x))):
                y = y + matrix.T.double() @ x @ head.reconciliation.channel_matrix(channel).T
            mixed.append(torch.relu(y + head.bias))
        chains = mixed
        if chains[0].shape[1] == inputs[0].shape[1]:
            chains = [y + x for y, x in zip(chains, inputs, strict=True)]
        if kind[0] == "post":
            chains = normalised(layer.norm_after.norm, chains, model.training)
    return torch.stack([model.classifier(pooled_by_definition(x)) for x in chains])


def normalised(norm, chains, training):
    nodes = torch.cat(chains)
    if isinstance(norm, torch.nn.LayerNorm):
        mean, variance = nodes.mean(1, keepdim=True), nodes.var(1, keepdim=True, unbiased=False)
    elif training:
        mean, variance = nodes.mean(0), nodes.var(0, unbiased=False)
    else:
        mean, variance = norm.running_mean, norm.running_var
    nodes = (nodes - mean) / torch.sqrt(variance + norm.eps) * norm.weight + norm.bias
    return nodes.split([len(x) for x in chains])


def padded(chains, side):
    length = max(map(len, chains)) + 2
    rows, mask = torch.full((len(chains), length, 4), 7.0).double(), torch.zeros(len(chains), length)
    for row, x in enumerate(chains):
        place = slice(0, len(x)) if side == "right" else slice(length - len(x), length)
        rows[row, place], mask[row, place] = x, 1
    return {"input_features": rows, "attention_mask": mask}


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("normalisation", NORMALISATIONS)
@pytest.mark.parametrize("side", ["left", "right"])
def test_padded_stacks_give_what_they_give_by_definition(normalisation, side, causal, training):
    model = stack(causal, normalisation=normalisation, with_differences=True).train(training)
    chains = [torch.randn(length, 4).double() for length in LENGTHS]
    weights = [p for p in model.parameters() if p.requires_grad]
    found, wanted = model(**padded(chains, side)).logits, run_by_definition(model, chains)
    torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-9)
    way = torch.randn_like(wanted)
    for a, b in zip(
        torch.autograd.grad((found * way).sum(), weights),
        torch.autograd.grad((wanted * way).sum(), weights),
        strict=True,
    ):
        torch.testing.assert_close(a, b, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("batch", [0, 1, 3])
@pytest.mark.parametrize("length", LENGTHS)
def test_whole_batches_of_any_size(batch, length):
    model = stack(normalisation="pre-batch", with_differences=True).eval()
    x = torch.randn(batch, length, 4).double()
    found = model(x).logits
    assert found.shape == (batch, 3)
    if batch:
        torch.testing.assert_close(found, run_by_definition(model, list(x)), rtol=1e-9, atol=1e-9)
    found.sum().backward()


@pytest.mark.parametrize("pooling", POOLINGS)
def test_pooling_of_nothing_and_of_equal_nodes(pooling):
    empty = torch.zeros(2, 3, 4), torch.zeros(2, 3, dtype=torch.bool)
    assert not pool(*empty, pooling, 3).any()
    nodes = torch.full((2, 5, 4), 0.7, requires_grad=True)
    found = pool(nodes, None, pooling, 5)
    if found.requires_grad:
        (gradient,) = torch.autograd.grad(found.sum(), nodes)
        assert gradient.isfinite().all()
    assert found.isfinite().all()


def test_flatten_stands_beside_other_poolings():
    nodes = torch.randn(2, 3, 4)
    found = pool(nodes, None, ["mean", "flatten"], 5)
    assert torch.equal(found[:, :4], nodes.mean(1))
    assert torch.equal(found[:, 4:], pool(nodes, None, "flatten", 5))
    assert found.shape[1] == c.ChainHeadConfig(n=4, chain_length=5, pooling=["mean", "flatten"]).context_size


def test_forecasters_pool_by_several():
    config = c.ChainHeadConfig(
        m=1, n=4, chain_length=6, pooling=["flatten", "mean", "std"], prediction_length=2, with_relu=False
    )
    model = c.ChainHeadForTimeSeriesPrediction(config)
    assert model(torch.randn(2, 6, 1)).prediction_outputs.shape == (2, 2, 1)


def test_channels_are_dropped_in_all_nodes():
    torch.manual_seed(0)
    dropout = ChannelDropout(0.25)
    found = dropout(torch.ones(64, 5, 32))
    assert torch.equal(found, found[:, :1].expand_as(found))
    torch.testing.assert_close(found.unique(), torch.tensor([0.0, 4 / 3]))
    assert found.mean().item() == pytest.approx(1, abs=0.05)
    assert torch.equal(dropout.eval()(found), found)


@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning")
def test_checkpointing_gives_the_same_gradients():
    model = stack(normalisation="pre-layer", with_differences=True).train()
    x = torch.randn(2, 9, 4).double()
    found = []
    for on in (False, True):
        if on:
            getattr(model, "activation_checkpointing_enable", model.gradient_checkpointing_enable)()
        model.zero_grad()
        model(x, labels=torch.tensor([0, 2])).loss.backward()
        found.append([p.grad.clone() for p in model.parameters()])
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning")
def test_adapters_find_the_linear_maps():
    model = get_peft_model(stack(), LoraConfig(r=2, target_modules="all-linear"))
    adapted = [name for name, _ in model.named_modules() if name.endswith("lora_A")]
    assert len(adapted) == 7  # a perceptron and a head in every layer, and the classifier


@pytest.mark.parametrize("normalisation", ["pre-batch", "post-layer"])
def test_a_saved_stack_gives_the_same(tmp_path, normalisation):
    model = stack(normalisation=normalisation, with_differences=True, channel_dropout=0.2).float()
    model.train()(torch.randn(3, 9, 4))  # fills running statistics
    model.eval().save_pretrained(tmp_path)
    x = torch.randn(2, 7, 4)
    loaded = c.ChainHeadForSequenceClassification.from_pretrained(tmp_path)
    assert torch.equal(loaded(x).logits, model(x).logits)


def test_a_stack_can_be_exported():
    model = stack(normalisation="pre-batch", with_differences=True).float().eval()
    shape = torch.export.Dim("length", min=2, max=4096)
    mask = torch.ones(2, 16, dtype=torch.int64)
    exported = torch.export.export(
        model,
        (torch.randn(2, 16, 4), mask),
        dynamic_shapes={"input_features": {1: shape}, "attention_mask": {1: shape}},
        strict=False,
    ).module()
    x, mask = torch.randn(2, 70, 4), torch.ones(2, 70, dtype=torch.int64)
    mask[1, :30] = 0
    found, wanted = exported(x, mask).logits, model(x, mask).logits
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)
