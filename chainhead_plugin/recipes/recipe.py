"""A recipe: all that is said of a model to train and measure it, checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..checks.values import check_whole_number
from .errors import RecipeError, said_of
from .fields.encoder import check_encoder
from .fields.random_chains import MODEL_TYPE, NOT_BESIDE, check_random_chain
from .fields.rates import check_rates
from .fields.training_arguments import wrong_argument
from .fields.weights import check_weights
from .task import Task

_MAPPINGS = (
    "model",
    "training",
    "pretraining",
    "overrides",
    "tokenizer",
    "spectrum",
    "encoder",
    "card",
    "backtest",
)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A model to train, and how.

    Attributes
    ----------
    name : str
        The model's name, a word.
    task : Task
        In YAML its name: "time-series-classification", "time-series-multilabel-classification" (any number of labels
        for a series), "time-series-regression" (a number), "time-series-segmentation" (a label for every node),
        "image-classification" (rows or patches of pixels, or a backbone's feature map), "audio-classification" (log-mel
        frames), "video-classification" (on an encoder), "text-classification" or "time-series-forecasting".
    data : str or mapping
        The name of a data set that ships inside a package, or a mapping that names your own files: see `load_data`.
    model : mapping
        Fields of `ChainHeadConfig`. Fields that follow from the data are filled in: `m`, the labels, `vocab_size`, and
        `chain_length` as the longest training chain. Forecasts need `chain_length`, the steps of a window's past, and
        `prediction_length`, the steps of its future; `num_time_features` and `prediction_channel_indices` follow from
        the data. For whole series there is also `model_type: chainhead-random`, random chain heads, which are fitted in
        closed form, with `dilations`, `causal`, `with_differences`, `num_biases`, `num_groups`, `group_size` and
        `num_levels`.
    training : mapping
        Arguments of `transformers.TrainingArguments` for optimisation: `num_train_epochs`, batch size, weight decay,
        schedule and so on, but no arguments that reach a network or another folder. If the model is random chain heads,
        they concern only the trained peers.
    learning_rates : list of float
        The learning rates from which validation chooses for every model.
    validation_folds : int, optional
        The number of folds for cross-validation on the training part. Groups stay together, and folds are stratified
        unless nodes have labels. The final runs then train on the whole training part.
    validation_share : float, optional
        The share of the training part that is held out for validation in every run, in the same way, or for forecasts
        the last in time. Exactly one of `validation_folds` and `validation_share` is set; forecasts need the share.
    metric : str, optional
        The metric of the task that chooses learning rates and epochs, and by which models are compared; by default
        "accuracy" for labels and "rmse" for numbers.
    class_weight : "balanced" or mapping, optional
        The weight of examples, or nodes, in training, by their label: "balanced", so that all labels count alike, or a
        number for each label, 1 for labels without a number.
    calibrate : bool, optional
        For forecasts with quantiles, by default true: after training, every quantile is shifted so that it is right
        on the validation part, by split conformal prediction.
    backtest : mapping, optional
        For forecasts, `{origins: 5}`: the test part is also measured in this many stretches of time, one by one.
    early_stopping : int, optional
        Epochs without a better validation metric after which a run ends; the best epoch's weights are kept. It
        needs `validation_share`.
    seeds : list of int
        Seeds of the final runs. The run of the first seed gives the model. A single seed gives results without a
        spread.
    threads : int, optional
        Threads of the CPU; by default torch's own number of them. With another number sums are rounded differently,
        and weights differ, so set it for results that can be repeated. Several threads only slow small models down.
    peers : list of str
        The models that are trained beside the model, with the same data, budget and number of weights. The default is
        "no_hops" (the same head with every node as a chain of its own), "plain" (tinyBIG's plain chain), "lstm", "gru",
        "conv1d" and "mlp". If there are labels, there are also "dilated" (residual convolutions whose reach doubles by
        layer) and "inception" (InceptionTime's network, as wide as its authors have it). For labels of series, the
        default includes aeon's "minirocket", and there are aeon's "multirocket_hydra", "quant" and "dtw" (the nearest
        neighbour by dynamic time warping), with their own settings, and "random_chains", which `ChainHeadClassifier`
        trains. For forecasts the default includes "nlinear" and "dlinear", and there are statsforecast's "autoarima",
        "autoets", "theta" and "mstl".
    overrides : mapping
        By name of a peer, `learning_rates` or `width` of this peer alone.
    pretraining : mapping
        For images with a `backbone_config` and `freeze_backbone: true`: the backbone is trained once, with a linear
        classifier, and then frozen, so that the model and all its peers read the same nodes. `share` is the share of
        the training part that only the backbone is trained on; models are trained on the rest. Further options are
        `learning_rate`, `seed` (0 by default), and arguments as in `training`.
    tokenizer : mapping
        Options of `train_tokenizer`, for texts.
    spectrum : mapping
        Options of `ChainHeadAudioFeatureExtractor`, for sounds: `feature_size`, `frame_seconds`, `hop_seconds`.
    encoder : mapping
        For texts, whole series, sounds and images, a pretrained encoder in place of the model's own embedding of
        tokens, scaling of series, log-mel frames or patches; videos need one. Exactly one option tells where it is:
        `folder`, relative to the recipe; `package`, an installed distribution that holds an encoder; or `repository`,
        on the Hub, with an optional `revision`. `sha256` maps names of files to the hashes that they must have. If
        `frozen` is true, the default, the encoder runs once, and the model and its peers are trained on its nodes; if
        it is false, each of them trains the encoder too. `max_length` is the number of tokens at which texts are cut.
    card : mapping
        Texts of the model card: `summary`, `about`, `data`, `license`, `source`, `input`, `base_model`, `choice`,
        `limits` (a list).
    folder : Path
        The folder that relative paths start from; `load_recipe` sets it to the folder of the YAML file.

    Raises
    ------
    RecipeError
        If a field is not valid, or contradicts the task or another field.
    """

    name: str
    task: Task
    data: str | Mapping[str, Any]
    model: Mapping[str, Any]
    training: Mapping[str, Any]
    learning_rates: list[float] = field(default_factory=lambda: [1e-2])
    validation_folds: int | None = None
    validation_share: float | None = None
    metric: str | None = None
    class_weight: str | Mapping[str, float] | None = None
    calibrate: bool | None = None
    backtest: Mapping[str, Any] = field(default_factory=dict)
    early_stopping: int | None = None
    seeds: list[int] = field(default_factory=lambda: [0, 1, 2, 3, 4])
    threads: int | None = None
    peers: list[str] = field(default_factory=list)
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    pretraining: Mapping[str, Any] = field(default_factory=dict)
    tokenizer: Mapping[str, Any] = field(default_factory=dict)
    spectrum: Mapping[str, Any] = field(default_factory=dict)
    encoder: Mapping[str, Any] = field(default_factory=dict)
    card: Mapping[str, Any] = field(default_factory=dict)
    folder: Path = Path()

    def __post_init__(self) -> None:
        """Check everything that can be checked without the data."""
        if not isinstance(self.name, str) or not self.name or any(c in self.name for c in "/\\ \n"):
            raise RecipeError(f"name must be a word without slashes, got {self.name!r}")
        if not isinstance(self.data, str | Mapping):
            raise RecipeError(f"data must be the name of a data set or a mapping of files, got {self.data!r}")
        for name in _MAPPINGS:
            if not isinstance(getattr(self, name), Mapping):
                raise RecipeError(f"{name} must be a mapping, got {getattr(self, name)!r:.80}")
        for name in ("data", *_MAPPINGS):
            _check_names(name, getattr(self, name))

        if wrong := wrong_argument(self.training):
            raise RecipeError(f"training: {wrong}")
        self._check_validation()

        if not (isinstance(self.seeds, list) and self.seeds) or not all(
            type(seed) is int and seed >= 0 for seed in self.seeds
        ):
            raise RecipeError(f"seeds must be a list of integers ≥ 0, such as [0, 1, 2], got {self.seeds!r}")
        if len(set(self.seeds)) < len(self.seeds):
            raise RecipeError(f"seeds names a seed twice: {self.seeds}")
        if self.threads is not None and not (type(self.threads) is int and self.threads >= 1):
            raise RecipeError(f"threads must be an integer ≥ 1, got {self.threads!r}")

        check_rates(self.learning_rates, "learning_rates")
        self._check_peers()

        for peer, options in self.overrides.items():
            if not isinstance(options, Mapping) or options.keys() - {"learning_rates", "width"}:
                raise RecipeError(
                    f"overrides of {peer} may hold learning_rates and width, got {options!r:.80}"
                )
            if "width" in options:
                with said_of(f"overrides of {peer}"):
                    check_whole_number("width", options["width"], 1)
            if "learning_rates" in options:
                check_rates(options["learning_rates"], f"overrides of {peer}: learning_rates")

        check_weights(self.class_weight)
        for name in (
            "tokenizer",
            "spectrum",
            "encoder",
            "pretraining",
            "class_weight",
            "calibrate",
            "backtest",
        ):
            if getattr(self, name) not in (None, {}) and name not in self.task.options:
                raise RecipeError(f"{name} has no effect for {self.task.name}")

        if self.encoder:
            check_encoder(self)

        object.__setattr__(self, "task", self.task.of_model(self.model))
        if self.metric is not None:
            object.__setattr__(self, "task", self.task.led_by(self.metric))
        self.task.check(self)

    def _check_validation(self) -> None:
        if (self.validation_folds is None) == (self.validation_share is None):
            raise RecipeError("state either validation_folds or validation_share")
        if self.validation_folds is not None and not (
            type(self.validation_folds) is int and self.validation_folds >= 2
        ):
            raise RecipeError(f"validation_folds must be an integer ≥ 2, got {self.validation_folds!r}")
        if self.validation_share is not None and not (
            isinstance(self.validation_share, float) and 0 < self.validation_share < 1
        ):
            raise RecipeError(f"validation_share must be between 0 and 1, got {self.validation_share!r}")
        if self.early_stopping is not None:
            if not (type(self.early_stopping) is int and self.early_stopping >= 1):
                raise RecipeError(f"early_stopping must be an integer ≥ 1, got {self.early_stopping!r}")
            if self.validation_share is None:
                raise RecipeError("early_stopping needs validation_share: with folds, nothing is held out")

    def _check_peers(self) -> None:
        known = self.task.peers
        if not isinstance(self.peers, list):
            raise RecipeError(f"peers must be a list, such as [lstm, gru], got {self.peers!r}")
        if self.is_random_chain:
            check_random_chain(self.model, self.task)
            known = tuple(name for name in known if name not in NOT_BESIDE)
        if self.encoder:
            known = tuple(name for name in known if name not in self.task.peers_without_encoder)
        if unknown := sorted({*map(str, self.peers), *map(str, self.overrides)} - {*known, "chain"}):
            raise RecipeError(
                f"there is no peer {unknown[0]!r} for {self.task.name}{' on an encoder' if self.encoder else ''}: "
                f"choose from {', '.join(known)}"
            )

    @property
    def is_random_chain(self) -> bool:
        """Whether the model is random chain heads, which are fitted in closed form."""
        return self.model.get("model_type") == MODEL_TYPE

    @property
    def on_frozen_encoder(self) -> bool:
        """Whether the model and its peers are trained on the nodes that a frozen encoder makes from the examples."""
        return bool(self.encoder) and self.encoder.get("frozen", True)

    @property
    def is_embedded(self) -> bool:
        """Whether the zoo ships the trained model inside the package; models with an encoder are too large."""
        return not self.encoder

    def rates_of(self, candidate: str) -> list[float]:
        """Return the learning rates that a candidate may choose from."""
        return list(self.overrides.get(candidate, {}).get("learning_rates", self.learning_rates))


def _check_names(where: str, options: Any) -> None:
    """Check that the names of options, and of options within them, are texts."""
    if isinstance(options, list):
        for held in options:
            _check_names(where, held)
    if not isinstance(options, Mapping):
        return
    for name, held in options.items():
        if not isinstance(name, str):
            raise RecipeError(
                f"{where} has an option {name!r:.80} of type {type(name).__name__}, expected a text: put it in quotes"
            )
        _check_names(f"{where}.{name:.40}", held)
