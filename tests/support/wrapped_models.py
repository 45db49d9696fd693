"""Every model with suitable inputs, for the tests of wrappers around models."""

import copy
from functools import partial

import timm
import torch
from chains import CHAINS, name, options
from random_chains import two_kinds
from text_models import ENCODERS
from torch import nn
from transformers import BertForTokenClassification, ResNetConfig

import chainhead_plugin
from chainhead_plugin import (
    ChainClassifier,
    ChainHeadConfig,
    ChainHeadForImageClassification,
    ChainHeadForSequenceClassification,
    ChainHeadForTimeSeriesPrediction,
    ChainHeadForTokenClassification,
    ChainInterdependenceHead,
    fit_random_chain,
)

LABELS = [0, 1, 2, 1]
OPTIONS = {
    "lorr": {"with_lorr": True, "r": 2},
    "lphm": {"with_dual_lphm": True, "r": 2, "m": 4, "hidden_sizes": [6, 4]},
    "channels": {"channel_num": 2, "with_residual": True, "enable_bias": True},
    "channel hops": {"channel_hops": [-1, 0, 2], "bi_directional": True, "enable_bias": True},
    "expansion": {"with_taylor": True, "d": 2},
    "batch norm": {"with_batch_norm": True},
    "learned decay": {"with_exponential_approx": True, "decay": 0.5, "with_learned_decay": True},
    "normalisation": {"normalisation": "pre-layer", "identity_residual": True, "hidden_sizes": [6, 6]},
}


class Layer(nn.Module):
    """A bare head, whose loss is the mean of its outputs' squares."""

    def __init__(self, **fields):
        super().__init__()
        self.head = ChainInterdependenceHead(m=3, n=4, chain_length=7, with_softmax=False, **fields)

    def forward(self, input_features, attention_mask):
        logits = self.head(input_features, attention_mask=attention_mask)
        return {"logits": logits, "loss": logits.square().mean()}


class Timm(nn.Module):
    """A model of timm's registry."""

    def __init__(self):
        super().__init__()
        self.model = timm.create_model("chainhead", backbone="test_resnet", num_classes=3, n=8)

    def forward(self, pixel_values, labels):
        logits = self.model(pixel_values)
        return {"logits": logits, "loss": nn.functional.cross_entropy(logits, labels)}


def series(m):
    mask = torch.ones(4, 7, dtype=torch.long)
    mask[1, 5:] = 0
    mask[3, :2] = 0
    return {"input_features": torch.randn(4, 7, m), "attention_mask": mask}


def labelled_series(m=3):
    return {**series(m), "labels": torch.tensor(LABELS)}


def labelled_nodes():
    return {**series(3), "labels": torch.randint(0, 3, (4, 7))}


def tokens(of_nodes=False):
    mask = torch.ones(4, 6, dtype=torch.long)
    mask[2, 4:] = 0
    labels = torch.randint(0, 3, (4, 6)) if of_nodes else torch.tensor(LABELS)
    return {"input_ids": torch.randint(3, 50, (4, 6)), "attention_mask": mask, "labels": labels}


def pixels(size):
    return {"pixel_values": torch.randn(4, 3, size, size), "labels": torch.tensor(LABELS)}


def past():
    return {"past_values": torch.randn(4, 7, 2), "future_values": torch.randn(4, 3, 2)}


def classifier(model_class=ChainHeadForSequenceClassification, **fields):
    return model_class(ChainHeadConfig(**{"m": 3, "hidden_sizes": [6, 5], "num_labels": 3, **fields}))


def on_text(freeze):
    return classifier(m=None, backbone_config=copy.deepcopy(ENCODERS["bert"]), freeze_backbone=freeze)


def on_image(freeze):
    backbone = ResNetConfig(embedding_size=8, hidden_sizes=[8, 12], depths=[1, 1], layer_type="basic")
    return classifier(
        ChainHeadForImageClassification, m=None, backbone_config=backbone, freeze_backbone=freeze
    )


def forecaster():
    config = ChainHeadConfig(m=2, chain_length=7, prediction_length=3, hidden_sizes=[6], pooling="last")
    return ChainHeadForTimeSeriesPrediction(config)


def in_place_of_a_classifier():
    config = copy.deepcopy(ENCODERS["bert"])
    config.num_labels = 3
    model = BertForTokenClassification(config)
    model.classifier = ChainClassifier(config.hidden_size, 3, bi_directional=True)
    model.classifier.take_mask_from(model)
    return model


def random_heads():
    values, labels = two_kinds()
    return fit_random_chain(values[:, :, None], labels, num_groups=4, num_levels=4).model


def random_inputs():
    return {"input_features": torch.randn(4, 60, 1), "labels": torch.tensor([0, 1, 0, 1])}


# name: (builder, inputs)
MODELS = {
    **{f"head, {name(chain)}": (partial(Layer, **options(chain)), partial(series, 3)) for chain in CHAINS},
    **{
        f"series, {option}": (partial(classifier, **fields), partial(labelled_series, fields.get("m", 3)))
        for option, fields in OPTIONS.items()
    },
    "nodes": (partial(classifier, ChainHeadForTokenClassification), labelled_nodes),
    "tokens": (partial(classifier, vocab_size=50, pad_token_id=0), tokens),
    "text encoder, trained": (partial(on_text, False), tokens),
    "text encoder, frozen": (partial(on_text, True), tokens),
    "rows": (
        partial(classifier, ChainHeadForImageClassification, m=None, image_size=[12, 12]),
        partial(pixels, 12),
    ),
    "image backbone, trained": (partial(on_image, False), partial(pixels, 32)),
    "image backbone, frozen": (partial(on_image, True), partial(pixels, 32)),
    "forecaster": (forecaster, past),
    "ChainClassifier": (in_place_of_a_classifier, partial(tokens, True)),
    "timm": (Timm, partial(pixels, 64)),
    "random chain": (random_heads, random_inputs),
}


def build(kind):
    """Return a model in evaluation mode, and inputs of four examples, the same at every call."""
    chainhead_plugin.register()
    torch.manual_seed(0)
    make, inputs = MODELS[kind]
    model = make().eval()
    torch.manual_seed(1)
    return model, inputs()


def results(model, inputs):
    """Return predictions, and the gradients of the loss by name."""
    model.zero_grad()
    out = model(**inputs)
    out["loss"].backward()
    return predictions(out), {
        name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None
    }


def halves(inputs):
    return [{name: value[part] for name, value in inputs.items()} for part in (slice(0, 2), slice(2, 4))]


def results_of_halves(model, inputs):
    """Return the results of two halves of a batch, one after the other: what two replicas compute at once."""
    found = [results(model, half) for half in halves(inputs)]
    gradients = {name: found[0][1][name] + found[1][1][name] for name in found[0][1]}
    return torch.cat([prediction for prediction, _ in found]), gradients


def predictions(out):
    found = out["logits"] if "logits" in out else out["prediction_outputs"]
    return found.detach()
