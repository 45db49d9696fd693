"""What a model is trained from: a recipe, one declarative YAML file a model."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from ..checks.values import check_whole_number
from ..checks.yaml_files import read_yaml
from .allowed_arguments import wrong_argument
from .errors import RecipeError, said_of
from .random_chain_options import MODEL_TYPE, NOT_BESIDE, check_random_chain
from .rates import check_rates
from .task import Task
from .tasks.known import task_named
from .weights import check_weights

RECIPES = Path(__file__).parent / "zoo"

_REQUIRED = ("name", "task", "data", "model", "training")
_MAPPINGS = ("model", "training", "pretraining", "overrides", "tokenizer", "encoder", "card", "backtest")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A model to train, and how.

    Attributes
    ----------
    name : str
        What the model is called.
    task : Task
        In YAML its name: "time-series-classification", "time-series-multilabel-classification" (any number of labels
        for a series), "time-series-regression" (a number), "time-series-segmentation" (a label for every node),
        "image-classification" (rows or patches of pixels, or a backbone's feature map), "text-classification" or
        "time-series-forecasting".
    data : str or mapping
        A data set that ships inside a package, by name, or your own files: see `load_data`.
    model : mapping
        Fields of `ChainHeadConfig`. What follows from the data is filled in: `m`, the labels, `vocab_size`,
        and `chain_length` as the longest training chain. Forecasts need `chain_length`, the steps of a window's
        past, and `prediction_length`; `num_time_features` and `prediction_channel_indices` follow.
        For whole series also `model_type: chainhead-random`, random chain heads, which are fitted in closed form, with
        `dilations`, `causal`, `with_differences`, `num_biases`, `num_groups`, `group_size` and `num_levels`.
    training : mapping
        Arguments of `transformers.TrainingArguments` for optimisation: `num_train_epochs`, batch size, weight decay,
        schedule, …. None that reach a network or another folder. Of random chain heads, for the trained peers alone.
    learning_rates : list of float
        From which every model gets its own, by validation alone.
    validation_folds : int, optional
        Cross-validation on the training part, stratified unless nodes have labels, which keeps the data's groups
        together. The final runs then train on all of it.
    validation_share : float, optional
        Share of the training part, likewise, or for forecasts its last in time, that is held out for validation in
        every run. Exactly one of the two; forecasts take this one.
    metric : str, optional
        That chooses learning rates and epochs, and is compared: one of the task's, by default "accuracy" for labels and
        "rmse" for numbers.
    class_weight : "balanced" or mapping, optional
        What an example, or a node, counts in training, by its label: so much that every label counts alike
        ("balanced"), or a number for each; labels without a number count 1.
    calibrate : bool, optional
        For forecasts with quantiles, on unless it is false: every quantile is shifted after training so that it is
        right on the validation part, by split conformal prediction.
    backtest : mapping, optional
        For forecasts, `{origins: 5}`: the test part is also measured in so many stretches of time one by one.
    early_stopping : int, optional
        Epochs without a better validation metric after which a run ends; the best epoch's weights are kept. It
        needs `validation_share`.
    seeds : list of int
        Of the final runs; the first one's weights are the model. One alone gives results without a spread.
    threads : int, optional
        Threads of the CPU; by default as many as torch takes. Sums are rounded otherwise with another number, and
        give other weights, so set it for numbers that come out again. More than one only slows small models down.
    peers : list of str
        What `compare` trains beside the model, with the same data, budget and number of weights: "no_hops" (the
        same head, every node a chain of its own), "plain" (tinyBIG's plain chain), "lstm", "gru", "conv1d", "mlp",
        which are the default, and where there are labels "dilated" (residual convolutions whose reach doubles by layer)
        and "inception" (InceptionTime's network, as wide as its authors have it). For labels of series also aeon's
        "minirocket", a default too, "multirocket_hydra", "quant" and "dtw" (the nearest neighbour by dynamic time
        warping), with their own settings, and "random_chains", which `ChainHeadClassifier` trains. For forecasts
        "nlinear" and "dlinear", defaults too, and statsforecast's "autoarima", "autoets", "theta" and "mstl".
    overrides : mapping
        For a peer, `learning_rates` or `width` in place of the common ones.
    pretraining : mapping
        For images with a `backbone_config` and `freeze_backbone: true`: the backbone is trained once, with a linear
        classifier, and then frozen, so that the model and all its peers read the same nodes. `share` of the training
        part is for the backbone alone, the rest for what reads its nodes; `learning_rate`, `seed` (0 by default), and
        other arguments as in `training`.
    tokenizer : mapping
        Options of `train_tokenizer`, for texts.
    encoder : mapping
        For texts, a pretrained encoder in place of an embedding and a tokenizer of the model's own. Where it is: one of
        `folder`, relative to the recipe, `package`, an installed distribution that holds one, and `repository` on the
        Hub, with a `revision` if wanted. `sha256`: hashes that files must have, by their names. `frozen` (true by
        default): the encoder runs once, and the model and its peers are trained on its nodes; false: all train it.
        `max_length`: tokens at which texts are cut.
    card : mapping
        Texts of the model card: `summary`, `about`, `data`, `license`, `source`, `input`, `base_model`, `choice`,
        `limits` (a list).
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
    encoder: Mapping[str, Any] = field(default_factory=dict)
    card: Mapping[str, Any] = field(default_factory=dict)
    folder: Path = Path()

    def __post_init__(self) -> None:
        """Check what can be checked without the data."""
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
            raise RecipeError(f"seeds has one seed twice: {self.seeds}")
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
        for name in ("tokenizer", "encoder", "pretraining", "class_weight", "calibrate", "backtest"):
            if getattr(self, name) not in (None, {}) and name not in self.task.options:
                raise RecipeError(f"{name} has no effect for {self.task.name}")
        object.__setattr__(self, "task", self.task.of_model(self.model))
        if self.metric is not None:
            object.__setattr__(self, "task", self.task.led_by(self.metric))
        self.task.check(self)

    def _check_validation(self) -> None:
        if (self.validation_folds is None) == (self.validation_share is None):
            raise RecipeError("set one of validation_folds and validation_share")
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
        if unknown := sorted({*map(str, self.peers), *map(str, self.overrides)} - {*known, "chain"}):
            raise RecipeError(
                f"there is no peer {unknown[0]!r} for {self.task.name}: choose from {', '.join(known)}"
            )

    @property
    def is_random_chain(self) -> bool:
        """Whether the model are random chain heads, which are fitted in closed form."""
        return self.model.get("model_type") == MODEL_TYPE

    @property
    def on_frozen_encoder(self) -> bool:
        """Whether the model and its peers are trained on the nodes that a frozen encoder makes of the texts."""
        return bool(self.encoder) and self.encoder.get("frozen", True)

    @property
    def is_embedded(self) -> bool:
        """Whether the zoo ships the trained model inside the package: one on an encoder is as large as that."""
        return not self.encoder

    def rates_of(self, candidate: str) -> list[float]:
        """Return the learning rates that a candidate may choose from."""
        return list(self.overrides.get(candidate, {}).get("learning_rates", self.learning_rates))


def _check_names(where: str, options: Any) -> None:
    """Check that options, and those within them, are named by texts."""
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


def load_recipe(source: str | Path) -> Recipe:
    """Read a recipe.

    Parameters
    ----------
    source : str or Path
        A YAML file, or the name of a model of the zoo, whose recipe ships with the package.

    Raises
    ------
    RecipeError
        If there is none, or it is not valid.
    """
    file = Path(source)
    if not file.is_file():
        file = RECIPES / f"{source}.yaml"
    if not file.is_file():
        if Path(source).suffix in (".yaml", ".yml"):
            raise RecipeError(f"there is no recipe {source}: expected the path of a YAML file that exists")
        known = shipped_recipes()
        close = difflib.get_close_matches(str(source), known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"expected a YAML file, or one of {', '.join(known)}"
        raise RecipeError(f"{str(source)!r} is no recipe: {hint}")
    try:
        content = read_yaml(file)
    except ValueError as error:
        raise RecipeError(str(error)) from error
    if not isinstance(content, Mapping):
        raise RecipeError(f"{file} must hold a mapping with {', '.join(_REQUIRED)}")
    known_fields = [entry.name for entry in fields(Recipe) if entry.name != "folder"]
    for name in content:
        if name not in known_fields:
            close = difflib.get_close_matches(str(name), known_fields, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"expected {', '.join(known_fields)}"
            raise RecipeError(f"{file}: a recipe has no {name!r}: {hint}")
    if missing := [name for name in _REQUIRED if name not in content]:
        raise RecipeError(f"{file}: {' and '.join(missing)} missing")
    try:
        task = task_named(content["task"])
        return Recipe(
            **{"peers": list(task.default_peers), **content, "task": task}, folder=file.resolve().parent
        )
    except RecipeError as error:
        raise RecipeError(f"{file}: {error}") from error


def shipped_recipes() -> list[str]:
    """Return the names of the models whose recipes ship with the package."""
    return sorted(file.stem for file in RECIPES.glob("*.yaml"))


def recipe_text(recipe: Recipe, *, full_paths: bool) -> str:
    """Return a recipe as YAML, its files named in full, or by their names alone, which tell nothing of a machine."""
    content = {
        name: value for name, value in vars(recipe).items() if name != "folder" and value not in (None, {})
    }
    content["task"] = recipe.task.name
    if isinstance(recipe.data, Mapping):
        content["data"] = dict(recipe.data)
        for part in content["data"].keys() & {"train", "test"}:
            named = recipe.data[part]
            files = [recipe.folder / path for path in (named if isinstance(named, list) else [named])]
            shown = [str(file) if full_paths else file.name for file in files]
            content["data"][part] = shown if isinstance(named, list) else shown[0]
    if "folder" in recipe.encoder:
        folder = recipe.folder / recipe.encoder["folder"]
        content["encoder"] = {**recipe.encoder, "folder": str(folder) if full_paths else folder.name}
    text: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
    return text
