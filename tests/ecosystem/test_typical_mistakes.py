"""Typical mistakes with heads, models, configurations, timm and the zoo, and the message that each gets."""

import numpy as np
import pytest
import timm
import torch
from huggingface_hub.errors import StrictDataclassError
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, pipeline

import chainhead_plugin
import registry
from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadFeatureExtractor,
    ChainHeadForSequenceClassification,
    ChainInterdependenceHead,
)

MISTAKES = {
    "Head(3, 4, 7, bidirectional=True)": "no argument 'bidirectional': did you mean 'bi_directional'?",
    "Head(3, 4, 7, with_multi_hop=True)": "no argument 'with_multi_hop': did you mean 'with_multihop'?",
    "Head(3, 4, 7, with_inverse=True)": "no argument 'with_inverse': did you mean 'with_inverse_approx'?",
    "Head(3, 4, 7, dropout=0.5)": "no argument 'dropout': did you mean 'with_dropout'?",
    "Head(3, 4, 7, relu=False)": "no argument 'relu': did you mean 'with_relu'?",
    "Head(3, 4)": "missing 1 required positional argument: 'chain_length'",
    "Head(0, 4, 7)": "m must be a whole number between 1 and",
    "Head(3, 4, 7, with_multihop=True, h=0)": "h must be a whole number between 1 and 1,000, got 0",
    "Head(3, 4, 7, with_multihop=True, h=2.0)": "got 2.0 of type float",
    "Head(3, 4, 7, h=3)": "h=3 has no effect without with_multihop=True",
    "Head(3, 4, 7, with_multihop=True, with_inverse_approx=True)": "contradict each other: a chain has one kind",
    "Head(3, 4, 7, with_lorr=True, with_dual_lphm=True)": "contradict each other: choose one",
    "Head(3, 4, 7, with_dropout=True, p=1.5)": "p must be a finite number of at least 0 and below 1, got 1.5",
    "Head(3, 4, 7, channel_num=0)": "channel_num must be a whole number",
    "Head(3, 4, 7, parameters_init_method='xavier')": "must be one of xavier_normal, xavier_uniform, kaiming",
    "head(torch.randn(2, 7, 4))": "got shape (2, 7, 4), expected [batch, length, 3] with length",
    "head(torch.randn(7))": "got shape (7,), expected [batch, length, 3]",
    "head(torch.randn(2, 22))": "or the flat layout [batch, 21] = [batch, chain_length·3]",
    "head(x.numpy())": "x is a NumPy array, expected a torch.Tensor: pass torch.as_tensor(x)",
    "head(x.tolist())": "x is a list, expected a torch.Tensor",
    "head(x.long())": "x must be of floating point, got torch.int64: convert it with x.float()",
    "head(x, torch.ones(2, 6))": "attention_mask has shape (2, 6), expected one value per node: (2, 7)",
    "head(x, torch.full((2, 7), 0.5))": "attention_mask must hold 1 for the real nodes of a row and 0 for",
    "head(x, torch.tensor([[1, 0, 1, 1, 1, 1, 1]] * 2))": "A chain has no holes; leave missing nodes out",
    "Config(hiden_sizes=[4])": "no field 'hiden_sizes': did you mean 'hidden_sizes'?",
    "Config(m=3, chain_lenght=4)": "no field 'chain_lenght': did you mean 'chain_length'?",
    "Config(m=3, with_multi_hop=True)": "no field 'with_multi_hop': did you mean 'with_multihop'?",
    "Config(m=3, hidden_sizes=4)": "hidden_sizes' expected a list, got int",
    "Config(m=3, pooling='average')": "'mean', 'last', 'max', 'flatten'",
    "Config(m='3')": "'m' expected int, got str",
    "Config(m=3, num_labels=0)": "num_labels must be a whole number between 1 and",
    "Config(m=3, dtype='float')": "dtype must be one of float16, bfloat16, float32",
    "Config(freeze_backbone=True)": "freeze_backbone=True has no effect without a backbone_config",
    "Config(vocab_size=-1)": "vocab_size must be a whole number",
    "AutoConfig.for_model('chainhead', with_multi_hop=True)": "did you mean 'with_multihop'?",
    "model(x.numpy())": "input_features is a NumPy array, expected a torch.Tensor",
    "model(torch.randn(2, 7, 5))": "input_features has shape (2, 7, 5), expected [batch, length, 3]",
    "model(x, atention_mask=torch.ones(2, 7))": "no argument 'atention_mask': did you mean 'attention_mask'?",
    "model(input_ids=torch.zeros(2, 7).long())": "this model takes input_features: for input_ids set vocab_size",
    "model()": "expected exactly one of input_features and input_ids",
    "Classifier('model')": "takes a ChainHeadConfig, got 'model': a folder or a repository is loaded with",
    "Classifier.from_pretrained('modle')": "modle is no folder here, no cached repository and no model of the zoo",
    "Classifier.from_pretrained(folder, poolin='max')": "no argument 'poolin': did you mean 'pooling'?",
    "AutoModel.from_pretrained('chainhead-digit')": "Did you mean chainhead-digits",
    "AutoModelForSequenceClassification.from_pretrained(folder, num_labels=5)": "classifier.bias is [2] in the",
    "pipeline(TASK, model='chainhead-japanese-vowel')": "Did you mean chainhead-japanese-vowels?",
    "pipeline(TASK, model=folder)([[1.0, 2.0]])": "sequence 0 has 2 features per node, expected 3: select",
    "pipeline(TASK, model=folder)('good')": "expected a sequence or a batch of sequences",
    "pipeline(TASK, model=folder, batchsize=4)": "unknown pipeline options: batchsize",
    "registry.create_model('chainhead-digit')": "no model is named 'chainhead-digit'; did you mean 'chainhead-digits'",
    "registry.model_info('digits')": "did you mean 'chainhead-digits'",
    "registry.create_model('chainhead-digits', pretraind=True)": "did you mean 'pretrained'?",
    "registry.create_model('chainhead-digits', device='gpu')": "device 'gpu' cannot be used here",
    "registry.pull('chainhead-digits', 'v1')": "the weights of 'chainhead-digits' are not on the Hub",
    "timm.create_model('chainhead')": "chainhead needs backbone, the name of an architecture of timm",
    "timm.create_model('chainhead', backbone='resnet_18')": "backbone='resnet_18' is not in timm's registry",
    "small(bidirectional=True)": "has an option 'bidirectional': did you mean 'bi_directional'?",
    "small(scan='rows')": "scan must be one of row-major, serpentine, got 'rows'",
    "small(global_pool='median')": "global_pool must be one of avg, max, last, flatten",
    "ChainHeadFeatureExtractor(3)([1.0, 2.0])": "expected one sequence [L, 3] or a batch of them",
    "ChainHeadFeatureExtractor(0)": "feature_size must be a whole number between 1 and 65,536, got 0",
    "ChainHeadFeatureExtractor(3)(np.zeros((4, 2)))": "sequence 0 has 2 features per node, expected 3",
    "chainhead_plugin.chainhead_model()": "has no attribute 'chainhead_model'",
}


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("model"))
    model = ChainHeadForSequenceClassification(ChainHeadConfig(m=3, num_labels=2))
    model.save_pretrained(folder)
    ChainHeadFeatureExtractor(3).save_pretrained(folder)
    return {
        "AutoConfig": AutoConfig,
        "AutoModel": AutoModel,
        "AutoModelForSequenceClassification": AutoModelForSequenceClassification,
        "ChainHeadFeatureExtractor": ChainHeadFeatureExtractor,
        "Classifier": ChainHeadForSequenceClassification,
        "Config": ChainHeadConfig,
        "Head": ChainInterdependenceHead,
        "TASK": "time-series-classification",
        "chainhead_plugin": chainhead_plugin,
        "folder": folder,
        "head": ChainInterdependenceHead(3, 4, 7),
        "model": model,
        "np": np,
        "pipeline": pipeline,
        "registry": registry,
        "small": lambda **options: timm.create_model("chainhead", backbone="test_resnet", **options),
        "timm": timm,
        "torch": torch,
        "x": torch.randn(2, 7, 3),
    }


@pytest.mark.parametrize("code", MISTAKES)
def test_a_mistake_gets_a_sentence(code, names):
    with pytest.raises(Exception) as told:  # noqa: PT011 (the sentence is what counts)
        eval(code, dict(names))
    assert isinstance(
        told.value,
        (
            AttributeError,
            OSError,
            RuntimeError,
            StrictDataclassError,
            TypeError,
            ValueError,
            registry.RegistryError,
        ),
    )
    assert MISTAKES[code] in " ".join(str(told.value).split())
