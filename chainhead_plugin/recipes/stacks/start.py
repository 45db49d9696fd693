"""The weights that a stack starts with."""

import torch
from torch.nn import init

from ...head.linear.reconciled import ReconciledLinear
from ...models.modeling_chainhead import ChainHeadForSequenceClassification


@torch.no_grad()
def spread_start(model: ChainHeadForSequenceClassification) -> None:
    """Draw the biases of the perceptrons, and the classifier's weights and biases, as `torch.nn.Linear` draws its own.

    All are uniform within 1/√D, for D features in. transformers starts biases at zero, where each feature of a
    perceptron bends at the same value of a series, its mean, and the classifier's weights close to zero.

    Parameters
    ----------
    model : ChainHeadForSequenceClassification
        Changed in place; the weights of its heads and perceptrons stay as they are.
    """
    for layer in model.chainhead.layers:
        perceptron = layer.perceptron
        if isinstance(perceptron, ReconciledLinear) and perceptron.bias is not None:
            bound = perceptron.reconciliation.in_features**-0.5
            init.uniform_(perceptron.bias, -bound, bound)
    model.classifier.reset_parameters()
