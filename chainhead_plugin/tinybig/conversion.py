"""tinyBIG → this project: heads and recurrent models from tinyBIG 0.2.1, without tinyBIG.

`convert_head` and `convert_model` take the keyword arguments a tinyBIG module was constructed with and its
state dict, and return a module of this project that computes the same numbers. `options.py` says what
becomes of each option, `checkpoint.py` does the same from file to file.
"""

import itertools
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
import torch
from huggingface_hub.errors import StrictDataclassError
from numpy.typing import NDArray
from torch import Tensor, nn

from ..config.configuration_chainhead import ChainHeadConfig
from ..head.chain_head import ChainInterdependenceHead
from ..head.expansion import expanded_features
from ..models.modeling_chainhead import ChainHeadForSequenceClassification, ChainHeadModel
from .options import (
    ModelKind,
    TinyBIGConversionError,
    carried_options,
    read_head_options,
    read_model_options,
)
from .weights import TinyBIGHead, match_entries, merge_repeated_heads, read_tensors

StateDict = Mapping[str, Tensor | NDArray[np.floating[Any]]]
_Module = TypeVar("_Module", bound=nn.Module)


def convert_head(
    options: Mapping[str, Any], state_dict: StateDict, dtype: torch.dtype | None = None
) -> ChainInterdependenceHead:
    """Convert tinyBIG's `chain_interdependence_head`.

    Parameters
    ----------
    options : mapping
        The keyword arguments of tinyBIG's constructor. Where tinyBIG ignores an option, so does the result.
    state_dict : mapping of str to Tensor or ndarray, floating point
        tinyBIG's own: `w` [channel_num, l], `b` [n] and `w_remainder` [n, m] as the options ask for.
    dtype : torch.dtype, optional
        float16, bfloat16, float32 or float64; by default the state dict's.

    Returns
    -------
    ChainInterdependenceHead
        On the CPU, in eval mode. A flat input [batch, chain_length·m] gives the same as in tinyBIG, with the
        softmax over chain_length·n; a 3-D input has it per node.

    Raises
    ------
    TinyBIGConversionError
        If an option or an entry of the state dict is missing, superfluous, malformed or cannot be carried
        over; the message names it.
    """
    read = read_head_options(options)
    tensors, dtype = read_tensors(state_dict, dtype)
    converted = _head_options(read)
    if isinstance(read["name"], str):
        converted["name"] = read["name"]
    try:
        head = ChainInterdependenceHead(
            **converted, with_softmax=read["with_softmax"], device="meta", dtype=dtype
        )
    except (TypeError, ValueError) as error:
        raise TinyBIGConversionError(f"the options cannot be converted: {error}") from error
    source = TinyBIGHead.of("", read["m"], read["n"], read["m"], read)
    match_entries(tensors, [source])
    return _filled(head, source.reconciled_state(tensors), dtype)


def convert_head_to_model(
    options: Mapping[str, Any], state_dict: StateDict, dtype: torch.dtype | None = None
) -> ChainHeadModel:
    """Convert tinyBIG's `chain_interdependence_head` into a model that `save_pretrained` can write.

    Parameters, errors and mode are those of `convert_head`. The softmax is left out: tinyBIG takes it over
    chain_length·n features at once, and a model's output is [batch, chain_length, n]. Where tinyBIG has it,
    `model(x).last_hidden_state.flatten(1).softmax(-1)` are tinyBIG's numbers.

    Returns
    -------
    ChainHeadModel
    """
    head = convert_head(options, state_dict, dtype)
    config = _config(_head_options(read_head_options(options)) | {"name": head.name})
    state = {f"layers.0.head.{name}": tensor for name, tensor in head.state_dict().items()}
    with torch.device("meta"):
        model = ChainHeadModel(config)
    return _filled(model, state, next(head.parameters()).dtype)


def convert_model(
    kind: ModelKind, options: Mapping[str, Any], state_dict: StateDict, dtype: torch.dtype | None = None
) -> ChainHeadForSequenceClassification:
    """Convert tinyBIG's `rnn` or `regression_rnn`.

    Parameters
    ----------
    kind : {"rnn", "regression_rnn"}
    options : mapping
        The keyword arguments of tinyBIG's constructor.
    state_dict : mapping of str to Tensor or ndarray, floating point
        tinyBIG's own: `layers.0.heads.0.w` and so on. Where `width` repeats a head, the repetitions must be
        equal; some of them may be missing, as in files that store shared tensors once.
    dtype : torch.dtype, optional
        float16, bfloat16, float32 or float64; by default the state dict's.

    Returns
    -------
    ChainHeadForSequenceClassification
        On the CPU, in eval mode. `logits` are the input of tinyBIG's last softmax, or tinyBIG's output
        where `with_softmax` is off. tinyBIG's flat input is reshaped to [batch, chain_length, dims[0]].

    Raises
    ------
    TinyBIGConversionError
        If `kind`, an option or an entry of the state dict is missing, superfluous, malformed or cannot be
        carried over; the message names it.
    """
    read = read_model_options(kind, options)
    config = _model_config(kind, read)
    tensors, dtype = read_tensors(state_dict, dtype)
    tensors = merge_repeated_heads(tensors, read["width"])
    *layers, classifier = sources = _model_heads(kind, read)
    match_entries(tensors, sources)
    state = {f"classifier.{name}": tensor for name, tensor in classifier.linear_state(tensors).items()}
    for i, source in enumerate(layers):
        place = f"chainhead.layers.{i // 2}.{'head' if i % 2 else 'perceptron'}."
        state |= {place + name: tensor for name, tensor in source.reconciled_state(tensors).items()}
    with torch.device("meta"):
        model = ChainHeadForSequenceClassification(config)
    return _filled(model, state, dtype)


def _model_config(kind: ModelKind, read: Mapping[str, Any]) -> ChainHeadConfig:
    fields = carried_options(read) | {
        "m": read["dims"][0],
        "hidden_sizes": read["dims"][1:-1],
        "num_labels": read["dims"][-1],
        "chain_length": read["chain_length"],
        "pooling": "mean" if kind == "rnn" else "flatten",
    }
    if read["with_taylor"]:
        fields |= {"with_taylor": True, "d": read["d"]}
    if kind == "regression_rnn" and not read["with_softmax"]:
        # With a softmax the outputs are probabilities, whatever the class is called.
        fields["problem_type"] = "regression"
    return _config(fields)


def _model_heads(kind: ModelKind, read: Mapping[str, Any]) -> list[TinyBIGHead]:
    """A perceptron and a chain head for every hidden layer, and the perceptron of the output."""
    degree = read["d"] if read["with_taylor"] else 1
    dims = read["dims"]
    shapes = []
    for m, n in itertools.pairwise(dims[:-1]):
        shapes += [(m, n, expanded_features(m, degree)), (n, n, n)]
    pooled = dims[-2] if kind == "rnn" else dims[-2] * read["chain_length"]
    shapes.append((pooled, dims[-1], expanded_features(pooled, degree)))
    return [TinyBIGHead.of(f"layers.{i}.heads.0.", *shape, read) for i, shape in enumerate(shapes)]


def _head_options(read: Mapping[str, Any]) -> dict[str, Any]:
    return carried_options(read) | {name: read[name] for name in ("m", "n", "chain_length")}


def _config(fields: Mapping[str, Any]) -> ChainHeadConfig:
    try:
        return ChainHeadConfig(**fields)
    except StrictDataclassError as error:
        raise TinyBIGConversionError(
            f"the options cannot be converted: {error.__cause__ or error}"
        ) from error


def _filled(module: _Module, state: Mapping[str, Tensor], dtype: torch.dtype) -> _Module:
    """Give a module on the meta device its weights: nothing is initialised, nor drawn, in vain."""
    own = {}
    for name, tensor in state.items():
        own[name] = torch.empty(tensor.shape, dtype=dtype).copy_(tensor)
        if not own[name].isfinite().all():
            raise TinyBIGConversionError(f"the weights do not fit the range of {dtype}: choose a wider dtype")
    module.load_state_dict(own, assign=True)
    return module.eval()
