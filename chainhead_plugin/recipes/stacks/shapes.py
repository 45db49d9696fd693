"""The two default stacks, as configurations."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...config.configuration_chainhead import ChainHeadConfig
from ...config.stacks import dilated_hops

_WIDTH = 48

# Fields of the two stacks that are tried. The plain stack is the better of the two where mean levels of what its layers
# find tell labels apart, the deep stack where their spread does.
SHAPES: Mapping[str, Mapping[str, Any]] = {
    "deep": {"hidden_sizes": [_WIDTH] * 4, "identity_residual": True, "pooling": ["mean", "std"]},
    "plain": {"hidden_sizes": [_WIDTH] * 3, "identity_residual": False, "pooling": "mean"},
}

# The stacks that start as `spread_start` says, which cross-validation preferred for the plain stack. The deep stack was
# not tried.
SPREAD = frozenset({"plain"})


def default_stack(
    m: int, names: Sequence[str], longest: int, *, shape: str = "deep", causal: bool = False, **fields: Any
) -> ChainHeadConfig:
    """Return the configuration of a default stack.

    Its layers have dense hops whose dilation doubles by layer, with BatchNorm, and differences beside the nodes. The
    deep stack has four layers with identity residuals, and mean and standard deviation as poolings. The plain stack has
    three layers without residuals, and the mean as pooling. Both were chosen by cross-validation within the training
    parts of several data sets.

    Parameters
    ----------
    m : int
        Features of a node.
    names : sequence of str
        The labels.
    longest : int
        Nodes of the longest series.
    shape : str
        Which stack, of `SHAPES`.
    causal : bool
        Whether nodes take in only earlier nodes.
    **fields
        Fields of `ChainHeadConfig` that replace the default's.
    """
    chosen = {**SHAPES[shape], **fields}
    sizes = chosen["hidden_sizes"]
    defaults: dict[str, Any] = {
        "channel_hops": dilated_hops(len(sizes), causal=causal, longest=longest),
        "bi_directional": not causal,
        "enable_bias": True,
        "with_batch_norm": True,
        "with_differences": True,
        "problem_type": "single_label_classification",
    }
    return ChainHeadConfig(
        **{
            "m": m,
            "chain_length": longest,
            "id2label": dict(enumerate(names)),
            "label2id": {name: index for index, name in enumerate(names)},
            **defaults,
            **chosen,
        }
    )
