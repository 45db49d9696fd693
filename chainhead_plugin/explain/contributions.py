"""Contributions of the nodes of a chain to a prediction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from ..checks.values import check_choice, check_whole_number
from ..models.pretrained import ChainHeadPreTrainedModel
from .model_path import ModelPath, Stage, is_forecast, target_index

Method = Literal["exact", "gradient_x_input", "integrated_gradients"]
_METHODS = ("exact", "gradient_x_input", "integrated_gradients")
_STAGES = ("input", "output")
_STEPS, _MOST_STEPS, _TOLERANCE = 32, 512, 1e-3


@dataclass(frozen=True)
class NodeContributions:
    """How much each node adds to an explained output.

    Attributes
    ----------
    features : Tensor [batch, length, features]
        The contribution of each feature of each node; zero at padded nodes. float32 at least.
    mask : bool Tensor [batch, length]
        True for real nodes.
    offset : Tensor [batch]
        The part that no node accounts for: the output of a chain of zeros ("exact"), of the baseline
        ("integrated_gradients"), or zero ("gradient_x_input").
    output : Tensor [batch]
        The explained output: a logit, or a forecast value in the data's units.
    target : Tensor [batch, axes] of int
        Which output that is, as an index for each axis after the batch's.
    method : {"exact", "gradient_x_input", "integrated_gradients"}
    stage : {"input", "output"}
    """

    features: Tensor
    mask: Tensor
    offset: Tensor
    output: Tensor
    target: Tensor
    method: Method
    stage: Stage

    @property
    def nodes(self) -> Tensor:
        """The contribution of each node: [batch, length], the sum over its features."""
        return self.features.sum(-1)

    @property
    def gap(self) -> Tensor:
        """`output` − `offset` − the sum over nodes: [batch]. Zero up to rounding where contributions are complete."""
        return self.output - self.offset - self.nodes.sum(-1)


def node_contributions(
    model: nn.Module,
    inputs: Mapping[str, Tensor],
    target: int | str | tuple[int, ...] | Tensor | None = None,
    *,
    method: Method | None = None,
    stage: Stage = "input",
    baseline: Tensor | float = 0.0,
    steps: int | None = None,
) -> NodeContributions:
    """Return the contribution of each node of a chain to a prediction.

    Nodes are the inputs of the model's first chain head or layer: standardised features, embedded tokens, rows or
    patches of an image, scaled values of a series. With `stage="output"` they are the outputs of the last layer, when
    each has taken in its neighbours (class activation mapping, Zhou et al. 2016): the worth of a node to the
    pooling and the classifier, not where that came from.

    - "exact": for paths that are affine from the nodes to the output. Contributions are the terms of the sum
      itself: they add up to `output` − `offset`, the biases as they reach the output. At the input a path is affine
      without `hidden_sizes`, `with_relu`, `with_softmax`, `with_taylor` and "max" pooling, in classifiers and in
      forecasters (there series by series; with quantiles, of the median). At the output it is wherever the classifier
      has no Taylor expansion and the pooling no "std" or "ppv"; "max" is exact there, as each of its terms comes from
      a single node.
    - "gradient_x_input": ∂output/∂x · x, for any model. Complete too in a model without biases, Taylor expansion
      and softmax, which is piecewise linear; else a first-order answer, which leaves `gap` unexplained.
    - "integrated_gradients" (Sundararajan et al. 2017): the gradient's mean on the straight line from
      `baseline`, times the way. Adds up to output − output(baseline), up to the quadrature (Gauss–Legendre).

    Parameters
    ----------
    model : torch.nn.Module
        A chainhead model, or any with a chain head in it, called as ``model(**inputs)``; in eval mode.
    inputs : mapping of str to Tensor
        The model's inputs, such as "input_features" and "attention_mask"; batched.
    target : int, str, tuple of int or int Tensor [batch], optional
        The output to explain: a label by index or name, a label for each row, or an index into every axis of the
        output after the batch's: (node, label) of a token classifier, step or (step, channel) of a forecaster.
        None: the predicted label of each row.
    method : {"exact", "gradient_x_input", "integrated_gradients"}, optional
        None: "exact" where the path is affine, else "gradient_x_input", and for forecasts "integrated_gradients".
    stage : {"input", "output"}
    baseline : Tensor [features], [length, features] or [batch, length, features], or float
        Where "integrated_gradients" starts: by default zero, the mean where features are standardised.
    steps : int, optional
        Points of its quadrature, each a pass forwards and backwards. None: 32, and twice as many as long as `gap` is
        more than a thousandth of the way from the baseline's output, up to 512.

    Returns
    -------
    NodeContributions

    Raises
    ------
    ValueError
        If the model trains, has no chain head, `target` is no output, or an option is not valid or has no effect;
        or if "exact" is asked for and the path is not affine: the message names the part that bends it.
    TypeError
        If the model returns nothing that can be explained, or `steps` is no int.
    """
    if model.training:
        raise ValueError(
            "the model is in training mode, where dropout changes every answer: call model.eval() first"
        )
    check_choice("method", method, (*_METHODS, None))
    check_choice("stage", stage, _STAGES)
    if steps is not None:
        check_whole_number("steps", steps, 1)
    bends = _bends(model, stage)
    if method is None:
        # A forecast is far from zero in the data's units: contributions are told from that of a series at rest.
        rest: Method = "integrated_gradients" if is_forecast(model) else "gradient_x_input"
        method = rest if bends else "exact"
    if method == "exact" and bends:
        raise ValueError(
            f"the path from the nodes at the {stage} to the output is not affine, because of {', '.join(bends)}: use "
            'method="integrated_gradients", whose contributions add up for any model, or "gradient_x_input"'
        )
    if method != "integrated_gradients" and (isinstance(baseline, Tensor) or baseline != 0):
        raise ValueError(f'baseline has no effect on method="{method}", only on "integrated_gradients"')

    path = ModelPath(model, inputs, stage)
    nodes, real, outputs = path.run(None)
    index = target_index(model, outputs, target)
    output = _take(outputs, index)
    if method == "integrated_gradients":
        start = torch.as_tensor(baseline, dtype=nodes.dtype, device=nodes.device).expand_as(nodes)
        way = torch.where(real, nodes.detach() - start, 0)
        offset = _take(path.run(lambda _: start)[2], index)
        features = _integrated_until_complete(path, start, way, index, steps, output - offset)
    else:
        features = _times(_gradient(output, nodes), nodes)
        offset = torch.zeros_like(output)
        if method == "exact":
            offset = _take(path.run(torch.zeros_like)[2], index)
    mask = real.squeeze(-1)
    return NodeContributions(features, mask, offset.detach(), output.detach(), index, method, stage)


def _bends(model: nn.Module, stage: Stage = "input") -> list[str]:
    """Name the parts that keep the path from the nodes to the output from being affine; empty where it is.

    Parameters
    ----------
    model : torch.nn.Module
    stage : {"input", "output"}
        Which nodes: of the first chain head's input, or of the last chain head's output.
    """
    if not isinstance(model, ChainHeadPreTrainedModel):
        return [f"what {type(model).__name__} does besides its chain heads"]
    config = model.config
    bends = []
    if config.perceptron_degree > 1:
        bends.append("with_taylor")
    # The deviation's gradient depends on the nodes, and the share of positive values has none.
    bends += [f'pooling="{name}"' for name in config.poolings if name in ("std", "ppv")]
    if stage == "output":
        return bends
    if config.hidden_sizes:
        bends.append("hidden_sizes, whose perceptrons end in ReLU")
    bends += [name for name in ("with_relu", "with_softmax") if getattr(config, name)]
    if config.with_taylor and "with_taylor" not in bends:
        bends.append("with_taylor")
    if "max" in config.poolings:
        bends.append('pooling="max"')
    return bends


def _take(outputs: Tensor, index: Tensor) -> Tensor:
    """Return the explained outputs [batch]."""
    place = (torch.arange(outputs.size(0), device=outputs.device), *index.unbind(1))
    return outputs[place]


def _gradient(output: Tensor, nodes: Tensor) -> Tensor:
    # Rows of a batch do not touch each other in eval mode: the sum's gradient holds each row's own.
    if not output.requires_grad:
        return torch.zeros_like(nodes)
    (gradient,) = torch.autograd.grad(output.sum(), nodes, allow_unused=True)
    return torch.zeros_like(nodes) if gradient is None else gradient


def _times(gradient: Tensor, way: Tensor) -> Tensor:
    wide = torch.promote_types(way.dtype, torch.float32)
    return gradient.to(wide) * way.detach().to(wide)


def _integrated_until_complete(
    path: ModelPath, start: Tensor, way: Tensor, index: Tensor, steps: int | None, total: Tensor
) -> Tensor:
    """Integrate with so many steps, or where None with enough for the contributions to add up to `total`."""
    count = steps or _STEPS
    while True:
        features = _integrated(path, start, way, index, count)
        gap = (total - features.sum((1, 2))).abs()
        if steps is not None or count >= _MOST_STEPS or bool((gap <= _TOLERANCE * total.abs()).all()):
            return features
        count *= 2


def _integrated(path: ModelPath, start: Tensor, way: Tensor, index: Tensor, steps: int) -> Tensor:
    points, weights = np.polynomial.legendre.leggauss(steps)
    total = torch.zeros_like(way, dtype=torch.promote_types(way.dtype, torch.float32))
    for point, weight in zip((points + 1) / 2, weights / 2, strict=True):
        nodes, _, outputs = path.run(lambda _, point=point: start + point * way)  # type: ignore[misc]
        total += weight * _gradient(_take(outputs, index), nodes)
    return _times(total, way)


__all__ = ["NodeContributions", "node_contributions"]
