"""Training random chain heads in closed form: kernels are measured once, and one ridge regression is solved."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..config.configuration_random_chain import RandomChainConfig
from ..random_features.calibration import fit_temperature
from ..random_features.features import RandomChainFeatures
from ..random_features.plan import dilations_for
from ..random_features.ridge.of_blocks import BlockFit, fit_blocks
from ..random_features.thresholds import choose_thresholds
from ..random_features.training_data import as_chains, as_targets, as_weights, standardised_targets
from ..random_features.workers import one_torch_thread
from .modeling_random_chain import RandomChainForSequenceClassification

# Series whose kernels' outputs thresholds are chosen by.
_CHAINS_FOR_THRESHOLDS = 256


@dataclass(frozen=True)
class RandomChainFit:
    """A trained model, and how well it does on series that it was not fitted to.

    Parameters
    ----------
    model : RandomChainForSequenceClassification
        In eval mode.
    left_out : float64 Tensor [series or fewer, num_labels]
        The logits, or predicted values, of each series by a fit to the other series.
    rows : int64 Tensor [series or fewer]
        Which series those are: all, unless there are too many.
    error : float
        The mean square of what these predictions miss; of values in units of their standard deviation, of labels
        taken for 1 and -1.
    score : float
        Of the same predictions: the share of series with the right label, of right labels, or R² of values.
    choices : dict
        What leave-one-out errors chose: "strength", "group_share", "level_share", "difference_share" and "counts"; and
        "temperature", the factor between scores and logits. With fewer than 8 series a label, shares follow also from
        how well single pools tell which series share a label.
    """

    model: RandomChainForSequenceClassification
    left_out: Tensor
    rows: Tensor
    error: float
    score: float
    choices: dict[str, float | bool]


def fit_random_chain(
    series: Sequence[Any] | NDArray[Any] | Tensor,
    labels: Any,
    *,
    problem_type: str = "single_label_classification",
    id2label: dict[int, str] | None = None,
    causal: bool = True,
    dilations: Sequence[int] | None = None,
    with_differences: bool = True,
    num_biases: int = 4,
    num_groups: int = 32,
    group_size: int = 8,
    num_levels: int | None = None,
    seed: int = 0,
    device: str | torch.device | None = None,
    batch_size: int = 256,
    sample_weight: Any = None,
) -> RandomChainFit:
    """Train random chain heads on series.

    Features are computed in batches. Of up to 3,000 series they are all kept, in float32; of more, the choices are made
    by 3,000, and the linear layer is then fitted to all by conjugate gradients. For that, features of as many series
    as fit into 0.8 GB are kept in float16, and those of further series computed anew in every pass, so that memory
    does not grow with their number.

    Where single labels have fewer than 8 series on average, single pools of features are weighed, too, by how well
    likeness in a pool goes with a shared label: the fewer series, the more.

    Parameters
    ----------
    series : sequence of arrays or tensors [length, m], or one array or tensor [series, length, m]
        At least two, of any lengths; with one feature a node also [length]. Finite.
    labels : array
        Of "single_label_classification" whole numbers [series]; of "multi_label_classification" 0 and 1
        [series, num_labels]; of "regression" numbers [series] or [series, num_labels].
    problem_type : str
    id2label : dict, optional
        Names by number; by default as many as the labels tell.
    causal : bool
        Whether the model can stream.
    dilations : sequence of int, optional
        By default 1, 2, 4, … for as long as a kernel fits into a series of median length.
    with_differences : bool
        Whether kernels may read differences of nodes too. If leave-one-out errors are smaller without them, the model
        has none: it predicts twice as fast, and its configuration says so.
    num_biases, num_groups, group_size, seed
        As in `RandomChainConfig`.
    num_levels : int, optional
        By default 64 for one feature a node, 256 for more.
    device : str or torch.device, optional
        Where features are computed. The model is returned there.
    batch_size : int
        Series at a time.
    sample_weight : array [series], optional
        How much each series counts in the linear layer, in the choice of settings and in the score; positive. By
        default all count alike.

    Returns
    -------
    RandomChainFit

    Raises
    ------
    TypeError, ValueError
        If series or labels are not as described; the message says which, before anything is computed.

    Examples
    --------
    >>> fit = fit_random_chain(train_series, train_labels, id2label={0: "gun", 1: "point"})
    >>> fit.score, fit.model(torch.from_numpy(test_series)).logits.argmax(-1)
    """
    chains = as_chains(series)
    targets, num_labels = as_targets(labels, len(chains), problem_type, id2label)
    weights = None if sample_weight is None else as_weights(sample_weight, len(chains))
    lengths = np.array([len(chain) for chain in chains])
    usual = usual_sizes(float(np.median(lengths)), chains[0].shape[1])
    config = RandomChainConfig(
        m=chains[0].shape[1],
        dilations=list(dilations or usual["dilations"]),
        causal=causal,
        with_differences=with_differences,
        num_biases=num_biases,
        num_groups=num_groups,
        group_size=group_size,
        num_levels=usual["num_levels"] if num_levels is None else num_levels,
        seed=seed,
        problem_type=problem_type,
        **({"num_labels": num_labels} if id2label is None else {"id2label": id2label}),
    )
    model = RandomChainForSequenceClassification(config).eval()
    with one_torch_thread():
        _measure(model.random_chain, chains, seed)
    model.to(device or "cpu")

    amounts = torch.from_numpy(lengths / np.median(lengths)) if len(set(lengths)) > 1 else None
    scaled, centre, spread = standardised_targets(targets, num_labels, problem_type)
    fitted = fit_blocks(
        lambda rows: _feature_batches(model.random_chain, chains, batch_size, rows),
        len(chains),
        scaled,
        model.random_chain.plan,
        amounts,
        seed,
        weights,
        targets if problem_type == "single_label_classification" else None,
    )
    left_out = fitted.left_out
    weights_of_left_out = None if weights is None else weights[fitted.rows]
    of_left_out = targets[fitted.rows]
    temperature = (
        1.0 if problem_type == "regression" else fit_temperature(left_out, of_left_out, weights_of_left_out)
    )
    if fitted.counts:
        config.reference_length = int(np.median(lengths))
        model.random_chain.reference_length = config.reference_length
    _set_weights(model, fitted, temperature * spread, centre)
    model = _without_needless_differences(model)
    left_out = left_out * temperature * spread + centre
    choices: dict[str, float | bool] = {
        "strength": fitted.strength,
        "group_share": fitted.shares.groups,
        "level_share": fitted.shares.levels,
        "difference_share": fitted.shares.differences,
        "counts": fitted.counts,
        "temperature": temperature,
    }
    score = _score(left_out, of_left_out, problem_type, weights_of_left_out)
    return RandomChainFit(model, left_out, fitted.rows, fitted.error, score, choices)


def usual_sizes(length: float, m: int) -> dict[str, Any]:
    """Return "dilations" and "num_levels" as they are where none are given.

    Parameters
    ----------
    length : float
        The median number of nodes of training series.
    m : int
        Features of a node.
    """
    return {"dilations": dilations_for(length), "num_levels": 64 if m == 1 else 256}


def _measure(features: RandomChainFeatures, chains: list[NDArray[np.float32]], seed: int) -> None:
    """Set what the features need to know of the training series: scales of nodes, and thresholds."""
    count = sum(map(len, chains))
    mean = sum(chain.sum(0, dtype=np.float64) for chain in chains) / count
    variance = sum(np.square(chain - mean).sum(0) for chain in chains) / count
    # A channel that does not vary tells nothing, whatever it holds later.
    scale = np.where(variance > 1e-12 * np.square(mean), 1 / np.sqrt(np.maximum(variance, 1e-300)), 0)
    features.node_mean.copy_(torch.from_numpy(np.asarray(mean)))
    features.node_scale.copy_(torch.from_numpy(np.minimum(scale, 1e30)))
    rng = np.random.default_rng(seed)
    some = [chains[number] for number in rng.permutation(len(chains))[:_CHAINS_FOR_THRESHOLDS]]
    scaled = features.scaled(torch.from_numpy(np.concatenate(some))).numpy()
    kernel_thresholds, level_thresholds = choose_thresholds(
        np.split(scaled, np.cumsum([len(chain) for chain in some])[:-1]),
        features.plan,
        features.kernel_channels.numpy(),
        features.level_channels.numpy(),
        rng,
    )
    features.kernel_thresholds.copy_(torch.from_numpy(kernel_thresholds))
    features.level_thresholds.copy_(torch.from_numpy(level_thresholds))


def _feature_batches(
    features: RandomChainFeatures,
    chains: list[NDArray[np.float32]],
    batch_size: int,
    wanted: Tensor | None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the numbers of some series and their features, before they are standardised; all, or those wanted.

    Series of similar lengths come together, so that little is padded.
    """
    numbers = np.arange(len(chains)) if wanted is None else wanted.numpy()
    order = numbers[np.argsort([len(chains[number]) for number in numbers], kind="stable")]
    device = features.node_mean.device
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        longest = len(chains[rows[-1]])
        nodes = np.zeros((len(rows), longest, chains[0].shape[1]), np.float32)
        mask = np.zeros((len(rows), longest), bool)
        for place, row in enumerate(rows):
            nodes[place, : len(chains[row])] = chains[row]
            mask[place, : len(chains[row])] = True
        full = None if mask.all() else torch.from_numpy(mask).to(device)
        yield torch.from_numpy(rows), features.pooled(torch.from_numpy(nodes).to(device), full).cpu()


@torch.no_grad()
def _set_weights(
    model: RandomChainForSequenceClassification,
    fitted: BlockFit,
    factor: Tensor | float,
    centre: Tensor | float,
) -> None:
    model.random_chain.feature_mean.copy_(fitted.feature_mean)
    model.random_chain.feature_scale.copy_(fitted.feature_scale)
    weight, bias = fitted.weight * factor, fitted.intercept * factor + centre
    model.classifier.weight.copy_(weight.T)
    model.classifier.bias.copy_(bias)


@torch.no_grad()
def _without_needless_differences(
    model: RandomChainForSequenceClassification,
) -> RandomChainForSequenceClassification:
    """Return a model that computes the same without differences, if the scales of all their features are zero."""
    plan = model.random_chain.plan
    kept = torch.tensor(plan.parts_of_nodes).repeat_interleave(torch.tensor(plan.part_sizes)).to(model.device)
    if kept.all() or model.random_chain.feature_scale[~kept].any():
        return model
    config = deepcopy(model.config)
    config.with_differences = False
    smaller = RandomChainForSequenceClassification(config).eval().to(model.device)
    for name, buffer in smaller.random_chain.named_buffers():
        full = model.random_chain.get_buffer(name)
        # Banks of nodes come before banks of differences.
        buffer.copy_(full[kept] if name.startswith("feature_") else full[: len(buffer)])
    smaller.classifier.weight.copy_(model.classifier.weight[:, kept])
    smaller.classifier.bias.copy_(model.classifier.bias)
    return smaller


def _score(left_out: Tensor, targets: Tensor, problem_type: str, weights: Tensor | None) -> float:
    share = left_out.new_ones(len(left_out), 1) if weights is None else (weights / weights.mean())[:, None]
    if problem_type == "single_label_classification":
        return float((share[:, 0] * (left_out.argmax(1) == targets).double()).mean())
    if problem_type == "multi_label_classification":
        return float((share * ((left_out > 0) == (targets > 0.5)).double()).mean())
    missed = (share * (left_out - targets).square()).sum()
    spread = (share * (targets - (share * targets).mean(0)).square()).sum()
    return float(1 - missed / spread.clamp(min=1e-300))


__all__ = ["RandomChainFit", "fit_random_chain", "usual_sizes"]
