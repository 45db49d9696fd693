"""Configuration of the chainhead models."""

from dataclasses import field, fields
from typing import Any, ClassVar, Literal

from huggingface_hub.dataclasses import strict
from transformers.configuration_utils import PreTrainedConfig
from transformers.models.auto.configuration_auto import AutoConfig

from ..checks.values import check_choice
from ..head.linear.options import LinearOptions
from ..head.options import HeadOptions
from ..storage.code_origin import AutoClassMixin
from .backbone import as_backbone_config, backbone_width, check_input_options
from .backbone_input import reads_tokens
from .forecasts import check_forecast_options
from .images import check_image_options, image_nodes
from .keywords import check_file_fields, prepare_keywords
from .layers import check_size, check_widths, stacked_options
from .origin import OriginMixin
from .pooling import Pooling, check_pooling
from .sizes import DerivedSizes
from .stacks import Normalisation, around_weights, check_stack_options, options_of_layer
from .whole_saving import WholeConfigMixin

# Fields that follow from other fields where they are not stated: saved like the other fields, they look stated.
_DERIVED = {
    "hidden_sizes": "n",
    "image_size": "m",
    "num_channels": "m",
    "patch_size": "m",
    "backbone_config": "m",
}
_PROBLEM_TYPES = (None, "single_label_classification", "multi_label_classification", "regression")


@strict
class ChainHeadConfig(AutoClassMixin, OriginMixin, WholeConfigMixin, DerivedSizes, PreTrainedConfig):
    r"""Configuration of a chainhead model: the head's options, in the head's words.

    `channel_num` to `with_learned_decay` are the options of `ChainInterdependenceHead`, with its meanings and defaults,
    except that `with_softmax` is off: hidden features are not probabilities. In a stack they hold for every layer's
    head and perceptron, the Taylor expansion belongs to the perceptrons, and the channels of `channel_hops` to the
    heads. `channel_hops` may also be a list of hops for every layer: see `dilated_hops`.

    Parameters
    ----------
    m : int, optional
        Features of an input node: the backbone's hidden size or those of an image's rows or patches, or 16.
    n : int, optional
        Features of an output node: the last of `hidden_sizes`, or 32 where that is empty.
    chain_length : int
        Nodes that "flatten" pooling expects at most; the other poolings take any length.
    hidden_sizes : list of int
        Widths of a stack of layers, each a per-node perceptron with ReLU and a chain head (tinyBIG's
        RPN-RNN). Empty: a single head, without perceptron.
    with_differences : bool
        Whether a stack's first layer gets, after the features of each node, their differences from the node before.
    normalisation : {"pre-batch", "post-batch", "pre-layer", "post-layer"}, optional
        BatchNorm (statistics over real nodes) or LayerNorm of the input ("pre") or output ("post") of a stack's layers.
    identity_residual : bool
        Whether a stack's layers add their input to their output, where both have the same number of features.
    channel_dropout : float
        Share of the features of a stack's layers that are dropped in training, each in all nodes of a chain.
    pooling : {"mean", "last", "max", "flatten", "std", "ppv"}, or list of these
        How sequence classifiers and forecasters pool the real nodes, "ppv" by the share of positive values; the
        features of several poolings are joined. Forecasters want "flatten".
    vocab_size : int, optional
        Tokens of an embedding [vocab_size, m] of the model's own, for input_ids. None: no embedding.
    pad_token_id : int, optional
        Token whose embedding is zero and not trained; with a backbone the backbone's own by default.
    backbone_config : dict or PreTrainedConfig, optional
        Configuration of another transformers model, whose last hidden states are the nodes: an encoder of texts,
        audio, series, images or videos. A dict needs the "model_type" of a model that is known.
    freeze_backbone : bool
        Whether the backbone keeps its weights and stays in eval mode.
    image_size : int or list of int, optional
        Height and width of images, for image input without a backbone: a row of pixels is a node of
        m = num_channels·width features. With a `patch_size` images of other sizes are taken too.
    num_channels : int, optional
        Channels of an image without a backbone, by default 3.
    patch_size : int, optional
        Height and width of square patches, which are the nodes instead of rows: m = num_channels·patch_size².
    scan : {"serpentine", "row-major"}, optional
        How the patches of an image, or the places of a backbone's feature map, are lined up: "row-major" reads
        all rows from left to right, "serpentine" (default) every other row from right to left.
    prediction_length : int, optional
        Steps that a forecaster forecasts; None for other models. The fields below need it.
    prediction_channel_indices : list of int, optional
        The channels to forecast, ascending; None for all.
    quantiles : list of float
        Levels to forecast, ascending, 0.5 among them; empty for a point forecast.
    loss : {"mse", "mae", "huber", "pinball"}, optional
        The loss that a forecaster minimises; None for "mse", or with quantiles "pinball", the only loss for these.
    scaling : {"std", "mean", "last", "fixed"}, optional
        How a forecaster scales each channel of each series by its own past: to mean 0 and standard deviation 1, to
        mean absolute value 1, to last value 0 and standard deviation 1, or not at all. "fixed" shifts and scales every
        series alike, by `fixed_loc` and `fixed_scale`.
    fixed_loc, fixed_scale : list of float
        With scaling "fixed", the numbers that are subtracted from each channel, and by which it is then divided.
    interpolate_missing : bool
        Whether missing values between observed values lie on the straight line between these, and those after the
        last observed value repeat it; otherwise they are 0 after scaling.
    with_observed_indicator : bool
        Whether a forecaster's nodes hold, after the channels, which of them were observed: `m` is then twice
        the number of channels.
    num_time_features : int
        Covariates that are known for every step, also of the future, such as the weekday. A forecaster's nodes
        hold them last, and `m` counts them.
    constant_features : list of int
        Features of a forecaster's node, ascending, that did not vary in training, so that their weights mean nothing:
        the model reads zero in their place, of the past and of the future.
    seasons : list of int
        Steps of a forecaster's seasons, ascending, such as 48 and 336 for half hours. The chain's forecast is added to
        the mean over the seasons of their last values. 1 repeats the last value.
    with_linear_path : bool
        Whether a linear map of a target's own past, the last `chain_length` steps, is added to the chain's forecast.
    quantile_offsets : list of float
        The shift of each quantile, in units of the series' scale, as `calibrate_quantiles` finds it. Empty
        for none.

    Raises
    ------
    huggingface_hub.errors.StrictDataclassError
        If a field has the wrong type or value, or fields contradict each other; the message names them.
    TypeError
        If a keyword argument looks like a misspelt field.
    ValueError
        If there are no labels, or more than a million, or `transformers_weights` names no safetensors.

    Warns
    -----
    UserWarning
        If a keyword argument is neither a field nor known to transformers.

    Examples
    --------
    >>> from chainhead_plugin import ChainHeadConfig, ChainHeadForSequenceClassification
    >>> config = ChainHeadConfig(m=12, hidden_sizes=[32, 32], with_multihop=True, h=2, num_labels=9)
    >>> model = ChainHeadForSequenceClassification(config)
    """

    model_type = "chainhead"
    keys_to_ignore_at_inference: ClassVar[list[str]] = ["node_mask"]
    attribute_map: ClassVar[dict[str, str]] = {"hidden_size": "n", "input_size": "m"}
    sub_configs: ClassVar[dict[str, Any]] = {"backbone_config": AutoConfig}

    m: int | None = None
    n: int | None = None
    chain_length: int = 32
    channel_num: int = 1
    name: str = "chain_interdependence_head"
    bi_directional: bool = False
    with_multihop: bool = False
    h: int = 1
    accumulative: bool = False
    with_inverse_approx: bool = False
    with_exponential_approx: bool = False
    self_dependence: bool = True
    self_scaling: float | int = 1.0
    with_taylor: bool = False
    d: int = 2
    with_dual_lphm: bool = False
    with_lorr: bool = False
    r: int = 3
    enable_bias: bool = False
    with_residual: bool = False
    with_batch_norm: bool = False
    with_relu: bool = True
    with_softmax: bool = False
    with_dropout: bool = False
    p: float | int = 0.25
    parameters_init_method: str = "xavier_normal"
    channel_hops: list[int] | list[list[int]] | None = None
    decay: float | int | None = None
    with_learned_decay: bool = False
    hidden_sizes: list[int] = field(default_factory=list)
    with_differences: bool = False
    normalisation: Normalisation | None = None
    identity_residual: bool = False
    channel_dropout: float | int = 0.0
    pooling: Pooling | list[Pooling] = "mean"
    vocab_size: int | None = None
    pad_token_id: int | None = None
    backbone_config: dict[str, Any] | PreTrainedConfig | None = None
    freeze_backbone: bool = False
    image_size: int | list[int] | None = None
    num_channels: int | None = None
    patch_size: int | None = None
    scan: Literal["row-major", "serpentine"] | None = None
    prediction_length: int | None = None
    prediction_channel_indices: list[int] | None = None
    quantiles: list[float] = field(default_factory=list)
    loss: Literal["mse", "mae", "huber", "pinball"] | None = None
    scaling: Literal["std", "mean", "last", "fixed"] | None = "std"
    fixed_loc: list[float | int] = field(default_factory=list)
    fixed_scale: list[float | int] = field(default_factory=list)
    interpolate_missing: bool = False
    with_observed_indicator: bool = False
    num_time_features: int = 0
    constant_features: list[int] = field(default_factory=list)
    seasons: list[int] = field(default_factory=list)
    with_linear_path: bool = False
    quantile_offsets: list[float | int] = field(default_factory=list)

    def __post_init__(self, **kwargs: Any) -> None:
        prepare_keywords(self, kwargs)
        if isinstance(self.backbone_config, dict):
            # Which attention it names is left out below.
            check_file_fields({key: self.backbone_config.get(key) for key in ("dtype", "torch_dtype")})

        if self.backbone_config is not None:
            if (
                isinstance(self.backbone_config, PreTrainedConfig)
                and kwargs.get("attn_implementation") is None
            ):
                # Keep the caller's choice, which transformers would overwrite; never a choice read from a file.
                kwargs["attn_implementation"] = {}
            self._adopt_backbone(as_backbone_config(self.backbone_config))
        elif self.m is None and (self.image_size is not None or self.patch_size is not None):
            self.m = image_nodes(self.image_size, self.image_channels, self.patch_size)[0]

        if self.m is None:
            self.m = 16
        if self.n is None:
            self.n = self.hidden_sizes[-1] if self.hidden_sizes else 32
        super().__post_init__(**kwargs)

    @classmethod
    def _of_fields(cls, config_dict: dict[str, Any], **kwargs: Any) -> Any:
        """As the base's; what follows from the fields that are given follows anew."""
        names = {field.name for field in fields(cls)} - {field.name for field in fields(PreTrainedConfig)}
        overrides = {name: kwargs.pop(name) for name in list(kwargs) if name in names}
        if not overrides:
            return super()._of_fields(config_dict, **kwargs)
        stated = {name: value for name, value in config_dict.items() if name not in overrides}
        for source, derived in _DERIVED.items():
            if source in overrides and derived not in overrides:
                stated.pop(derived, None)
        return super()._of_fields({**stated, **overrides}, **kwargs)

    def _adopt_backbone(self, backbone: PreTrainedConfig) -> None:
        self.backbone_config = backbone
        if self.m is None:
            self.m = backbone_width(backbone)
            if self.m is None:
                raise ValueError(
                    f"m is missing: a {type(backbone).__name__} does not say how many features its last hidden "
                    "states have"
                )
        vocab_size, pad_token_id = (getattr(backbone, name, None) for name in ("vocab_size", "pad_token_id"))
        # Some models of transformers carry the default's padding token in a smaller vocabulary.
        known = vocab_size is not None and pad_token_id in range(vocab_size)
        if self.pad_token_id is None and known and reads_tokens(backbone):
            self.pad_token_id = pad_token_id

    def get_text_config(self, decoder: bool | None = None, encoder: bool | None = None) -> PreTrainedConfig:
        """Return the configuration that holds the vocabulary: the backbone's where that reads tokens."""
        backbone = self.backbone_config
        # Encoders of audio have a vocabulary, for models that write down what is said.
        if isinstance(backbone, PreTrainedConfig) and getattr(backbone, "vocab_size", None) is not None:
            return (
                backbone.get_text_config(decoder=decoder, encoder=encoder) if reads_tokens(backbone) else self
            )
        return self

    def head_options(self, layer: int = 0) -> HeadOptions:
        """Return the options of the single head, or of a stack's layer as they are stated, checked."""
        options = {option.name: getattr(self, option.name) for option in fields(HeadOptions)}
        return HeadOptions(**options | options_of_layer(self.channel_hops, self.bi_directional, layer))

    def layer_options(self, layer: int) -> tuple[LinearOptions | None, HeadOptions]:
        """Return the options of a layer's perceptron, None where it has none, and of its chain head."""
        head = self.head_options(layer)
        if not self.hidden_sizes:
            return None, head
        return stacked_options(head, self.width_before(layer), self.hidden_sizes[layer])

    def check_layers(self) -> None:
        """Check the fields by which a model is built and trained for contradictions."""
        check_widths(self.n, self.hidden_sizes)
        if self.freeze_backbone and self.backbone_config is None:
            raise ValueError("freeze_backbone=True has no effect without a backbone_config")

    def validate_options(self) -> None:
        """Check the head's options, and that the model's size is bounded."""
        self.check_layers()
        check_choice("problem_type", self.problem_type, _PROBLEM_TYPES)
        check_pooling(self.pooling)
        check_stack_options(self)
        self.head_options()
        check_input_options({f.name: getattr(self, f.name) for f in fields(self)})
        check_image_options(self)
        others = (self.vocab_size or 0) * (self.m or 0)
        others += self.pooled_size * max(1, self.num_labels or 0) + self.known_size * self.forecast_size
        others += self.with_linear_path * self.chain_length * (self.prediction_length or 0)
        others += around_weights(self)
        check_size((self.layer_options(layer) for layer in range(self.num_hidden_layers)), others)

    def validate_forecast(self) -> None:
        """Check the options of forecasters."""
        check_forecast_options({f.name: getattr(self, f.name) for f in fields(self)})


__all__ = ["ChainHeadConfig"]
