"""Small text models with random weights, with their own embedding or on an encoder."""

import copy

import pytest
import torch
from transformers import (
    AutoModel,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    BertConfig,
    DistilBertConfig,
    GPT2Config,
    ModernBertConfig,
    RobertaConfig,
    T5Config,
)

from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadForSequenceClassification,
    ChainHeadForTokenClassification,
    ChainHeadModel,
)

SMALL = {
    "vocab_size": 50,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 37,
    "max_position_embeddings": 64,
}
ENCODERS = {
    "bert": BertConfig(**SMALL),
    "distilbert": DistilBertConfig(vocab_size=50, dim=32, n_layers=2, n_heads=4, hidden_dim=37),
    "roberta": RobertaConfig(**SMALL),
    "modernbert": ModernBertConfig(
        **SMALL, pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2
    ),
    "t5": T5Config(vocab_size=50, d_model=32, num_layers=2, num_heads=4, d_ff=37, d_kv=8),
    "gpt2": GPT2Config(vocab_size=50, n_embd=32, n_layer=2, n_head=4, bos_token_id=1, eos_token_id=1),
}
MODELS = {
    ChainHeadModel: AutoModel,
    ChainHeadForSequenceClassification: AutoModelForSequenceClassification,
    ChainHeadForTokenClassification: AutoModelForTokenClassification,
}
STACK = {"hidden_sizes": [8, 6], "num_labels": 3, "bi_directional": True}
OWN = {"vocab_size": 50, "pad_token_id": 0, "m": 16}
every_model = pytest.mark.parametrize("model_class", MODELS)
every_input = pytest.mark.parametrize("source", ["own", *ENCODERS])


def fields(source, **extra):
    if source == "own":
        return OWN | STACK | extra
    return {"backbone_config": copy.deepcopy(ENCODERS[source])} | STACK | extra


def build(source, model_class=ChainHeadForSequenceClassification, **extra):
    """Weights of a size at which an ignored token or mask would show."""
    model = model_class(ChainHeadConfig(**fields(source, **extra)))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.5)
    return model.eval()


def batch():
    mask = torch.tensor([[1] * 9, [1] * 5 + [0] * 4, [1] * 2 + [0] * 7])
    return torch.randint(5, 50, (3, 9)), mask
