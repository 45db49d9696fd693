"""A backbone of timm with a chain head over its patches, in timm's conventions."""

from collections.abc import Callable
from typing import Any

from timm.models import group_modules, group_parameters
from torch import Tensor, nn

from ..checks.values import check_choice, check_whole_number
from ..head.chain_head import ChainInterdependenceHead
from ..nodes.patches import check_scan, scan_patches
from .pooling import pool

# timm's words for this project's poolings; "" leaves the nodes as they are.
_POOLINGS = {"avg": "mean", "max": "max", "last": "last", "flatten": "flatten", "": None}
# Backbones with more maps of features are made of blocks that all have the same size.
_MAX_STAGES = 5


class ChainClassifierHead(nn.Module):
    """Patches in a chain, a chain head over them, pooling, dropout and a linear classifier.

    Parameters are those of `ChainHeadClassifier`; `in_features` are the channels of the feature map.
    """

    # Why its chains cannot be shared among processes, in the words of an error.
    reaches_other_nodes = "cuts whole images into patches"

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        global_pool: str,
        drop_rate: float,
        scan: str,
        chain_length: int | None,
        device: Any = None,
        dtype: Any = None,
        **head_options: Any,
    ) -> None:
        super().__init__()
        check_scan(scan)
        self.scan = scan
        self.global_pool = global_pool
        self.chain_length = chain_length
        self.chain_head = ChainInterdependenceHead(
            in_features, chain_length=chain_length or 1, device=device, dtype=dtype, **head_options
        )
        self.drop = nn.Dropout(drop_rate)
        self.fc: nn.Module = nn.Identity()
        self.reset(num_classes)

    @property
    def num_pooled_features(self) -> int:
        """Features that the classifier takes."""
        return self.chain_head.n * ((self.chain_length or 1) if self.global_pool == "flatten" else 1)

    def reset(self, num_classes: int, global_pool: str | None = None) -> None:
        """Replace the classifier; see `ChainHeadClassifier.reset_classifier`."""
        global_pool = self.global_pool if global_pool is None else global_pool
        check_whole_number("num_classes", num_classes, 0)
        check_choice("global_pool", global_pool, _POOLINGS)
        if global_pool == "" and num_classes:
            raise ValueError("global_pool='' leaves the nodes as they are, which needs num_classes=0")
        if global_pool == "flatten" and self.chain_length is None:
            raise ValueError("global_pool='flatten' needs chain_length, the number of patches of an image")
        self.global_pool = global_pool
        weight = next(self.chain_head.parameters())
        self.fc = (
            nn.Linear(self.num_pooled_features, num_classes, device=weight.device, dtype=weight.dtype)
            if num_classes
            else nn.Identity()
        ).train(self.training)

    def forward(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """Map [batch, in_features, height, width] to [batch, num_classes], or to the classifier's input."""
        nodes: Tensor = self.chain_head(scan_patches(x, self.scan))
        pooling = _POOLINGS[self.global_pool]
        if pooling is None:
            return nodes
        pooled = self.drop(pool(nodes, None, pooling, self.chain_length or 1))
        return pooled if pre_logits else self.fc(pooled)


class ChainHeadClassifier(nn.Module):
    """A backbone of timm with a chain head over its patches as classifier.

    Parameters
    ----------
    backbone : nn.Module
        Any classifier of timm whose features are a map [batch, m, height, width] or tokens in a grid. Its own
        pooling and classifier are taken away.
    num_classes : int
        Classes; 0 for pooled features instead of logits.
    global_pool : {"avg", "max", "last", "flatten", ""}
        How the nodes of a chain are pooled. "flatten" lines them up; "" returns them as [batch, length, n].
    drop_rate : float
        Dropout before the linear classifier.
    scan : {"serpentine", "row-major"}
        How patches become a chain; see `scan_patches`.
    chain_length : int, optional
        Patches that "flatten" expects at most.
    device : torch.device or str, optional
    dtype : torch.dtype, optional
        Device and dtype of the head's weights; None for torch's defaults.
    **head_options
        Options of [`ChainInterdependenceHead`], in its words.

    Raises
    ------
    TypeError, ValueError
        If an option is not valid, or no option at all.
    """

    def __init__(
        self,
        backbone: Any,
        num_classes: int = 1000,
        global_pool: str = "avg",
        drop_rate: float = 0.0,
        scan: str = "serpentine",
        chain_length: int | None = None,
        device: Any = None,
        dtype: Any = None,
        **head_options: Any,
    ) -> None:
        super().__init__()
        try:
            backbone.reset_classifier(0, "")
        except AssertionError as error:
            raise ValueError(f"{type(backbone).__name__} cannot do without pooling: {error}") from error

        self.backbone: Any = backbone
        self.num_features: int = backbone.head_hidden_size
        self.in_chans: int = getattr(backbone, "in_chans", 3)

        self.head: Any = ChainClassifierHead(
            self.num_features,
            num_classes,
            global_pool,
            drop_rate,
            scan,
            chain_length,
            device=device,
            dtype=dtype,
            **head_options,
        )

        self.num_classes = num_classes
        self._model_args = {}
        self._traits = _prefixed_traits(getattr(backbone, "_traits", {}))

    @property
    def _model_args(self) -> dict[str, Any]:
        return self._arguments

    @_model_args.setter
    def _model_args(self, arguments: dict[str, Any]) -> None:
        # timm notes the arguments of `create_model` here, to save them and pass them again. Weights that have been
        # loaded into the backbone are saved as weights: they must not be downloaded again.
        self._arguments = {key: value for key, value in arguments.items() if key != "pretrained_backbone"}

    @property
    def head_hidden_size(self) -> int:
        """Features that the linear classifier takes."""
        return self.head.num_pooled_features if isinstance(self.head, ChainClassifierHead) else 0

    @property
    def feature_info(self) -> Any:
        """Stages of the backbone."""
        return self.backbone.feature_info

    def get_classifier(self, name_only: bool = False) -> nn.Module | str:
        """Return the linear classifier, or its name."""
        return "head.fc" if name_only else self.head.get_submodule("fc")

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:
        """Replace the linear classifier, and the pooling if it is given."""
        self.head.reset(num_classes, global_pool)
        self.num_classes = num_classes

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Make the backbone compute activations again in the backward pass, or not."""
        self.backbone.set_grad_checkpointing(enable)

    def no_weight_decay(self) -> set[str]:
        """Return the parameters that the backbone wants no weight decay on."""
        names: set[str] = getattr(self.backbone, "no_weight_decay", set)()
        return {f"backbone.{name}" for name in names}

    def group_matcher(self, coarse: bool = False) -> Callable[[str], int]:
        """Return a function from a parameter's or module's name to its depth: the backbone's, then the head."""
        if not hasattr(self.backbone, "group_matcher"):
            return lambda name: 0 if name.startswith("backbone.") else 1
        matcher = self.backbone.group_matcher(coarse=coarse)
        depths = group_modules(self.backbone, matcher, reverse=True)
        depths |= group_parameters(self.backbone, matcher, reverse=True)
        last = max(depths.values()) + 1
        return lambda name: depths.get(name.removeprefix("backbone."), last)

    def forward_features(self, x: Tensor) -> Tensor:
        """Map images [batch, in_chans, H, W] to the feature map [batch, num_features, height, width]."""
        return self._as_map(self.backbone(x), x)

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """Map a feature map to logits [batch, num_classes], or to the classifier's input."""
        y: Tensor = self.head(x, pre_logits=pre_logits)
        return y

    def forward(self, x: Tensor) -> Tensor:
        """Map images [batch, in_chans, H, W] to logits [batch, num_classes]."""
        return self.forward_head(self.forward_features(x))

    def forward_intermediates(self, x: Tensor, **options: Any) -> Any:
        """Return the feature map and the backbone's intermediate feature maps; options as of the backbone's method.

        With `intermediates_only` the latter alone.
        """
        outputs = self.backbone.forward_intermediates(x, **options)
        if options.get("intermediates_only"):
            return outputs
        final, intermediates = outputs
        return self._as_map(self.backbone.forward_head(final), x), intermediates

    def prune_intermediate_layers(self, indices: Any = None, **options: Any) -> Any:
        """Keep only the parts of the backbone that some intermediate maps need, and nothing of the head.

        `indices` are those of all stages by default, or of the last three blocks where there are no stages.
        """
        if not hasattr(self.backbone, "prune_intermediate_layers"):
            kind = type(self.backbone).__name__
            raise ValueError(f"{kind} has no intermediate maps: choose another backbone for features_only")
        if indices is None:
            stages = len(self.feature_info)
            indices = list(range(stages)) if stages <= _MAX_STAGES else 3
        kept = self.backbone.prune_intermediate_layers(indices, **options)
        self.head = nn.Identity()
        return kept

    def _as_map(self, features: Tensor, images: Tensor) -> Tensor:
        """Return a backbone's features as [batch, num_features, height, width]."""
        kind = type(self.backbone).__name__
        if isinstance(features, Tensor) and features.ndim == 3:
            tokens = features[:, getattr(self.backbone, "num_prefix_tokens", 0) :]
            rows, columns = self._grid(tokens.size(1), images)
            return tokens.transpose(1, 2).reshape(-1, tokens.size(2), rows, columns)
        if isinstance(features, Tensor) and features.ndim == 4:
            last = getattr(self.backbone, "output_fmt", "NCHW") == "NHWC"
            return features.permute(0, 3, 1, 2) if last else features
        shape = (
            f"of shape {tuple(features.shape)}" if isinstance(features, Tensor) else type(features).__name__
        )
        raise ValueError(f"{kind} gives features {shape}, neither a map nor tokens: choose another backbone")

    def _grid(self, tokens: int, images: Tensor) -> tuple[int, int]:
        """Return the rows and columns of the tokens that images [batch, in_chans, H, W] have become."""
        height, width = images.shape[-2:]
        embed: Any = getattr(self.backbone, "patch_embed", None)
        if hasattr(embed, "dynamic_feat_size"):
            grids = [embed.dynamic_feat_size((height, width))]
        else:
            reduction = self.feature_info[-1]["reduction"]
            grids = [
                (height // reduction, width // reduction),
                (-(-height // reduction), -(-width // reduction)),
            ]
        for rows, columns in grids:
            if rows * columns == tokens:
                return rows, columns
        raise ValueError(
            f"{type(self.backbone).__name__} gives {tokens} tokens for images of {height}×{width}, expected "
            f"{' or '.join(f'{rows}×{columns}' for rows, columns in grids)}: choose another backbone"
        )


def _prefixed_traits(traits: dict[str, Any]) -> dict[str, Any]:
    """Return timm's notes on a backbone's input, with the names that its modules have inside the classifier."""
    first = traits.get("first_conv")
    return traits | {"first_conv": prefixed(first)} if traits else {}


def prefixed(name: Any) -> Any:
    """Return the name, or names, that a backbone's module has inside the classifier."""
    if name is None or isinstance(name, str):
        return name and f"backbone.{name}"
    return tuple(prefixed(each) for each in name)
