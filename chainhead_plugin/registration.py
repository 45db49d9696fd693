"""Registering the chainhead classes with transformers and timm.

They find out-of-tree classes only through calls like `AutoModel.register`, which need the classes and
therefore torch. To keep `import chainhead_plugin` cheap, each call waits until the module whose table it fills
is imported, which it is before anybody can look something up there.
"""

import importlib
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from registry.hooks.when_imported import when_imported

MODEL_TYPE = "chainhead"
RANDOM_MODEL_TYPE = "chainhead-random"
_CHAINHEAD, _RANDOM = "ChainHeadConfig", "RandomChainConfig"
# Where the configurations are.
_CONFIGS = {_CHAINHEAD: "configuration_chainhead", _RANDOM: "configuration_random_chain"}
# Tables of transformers whose models classify sequences.
_CLASSIFIERS = (
    "AutoModelForSequenceClassification",
    "MODEL_FOR_TIME_SERIES_CLASSIFICATION_MAPPING",
    "MODEL_FOR_TIME_SERIES_REGRESSION_MAPPING",
)
_AUTO = "transformers.models.auto"
_PIPELINES = tuple(
    f"{__package__}.pipelines.{name}"
    for name in ("base", "classification", "features", "forecasting", "segmentation")
)
_MODELING = ("transformers.modeling_layers", "transformers.modeling_utils", f"{__package__}.hub.sharing")


class RegistrationError(RuntimeError):
    """Another distribution has taken the model type, or the name of an architecture."""


class _Registration(NamedTuple):
    """`call` fills a table of the module `table`, with classes of the module `classes`, which imports `needs`."""

    table: str
    classes: str
    call: Callable[[Any, Any], None]
    needs: tuple[str, ...] = ()


def _check_model_type(table: Any, config: Any) -> None:
    known, name = table.CONFIG_MAPPING, config.model_type
    if name in known and known[name] is not config:
        other = known[name]
        raise RegistrationError(
            f"model type {name!r} is already registered by {_owner(other)} "
            f"({other.__module__}.{other.__qualname__}), so that chainhead-plugin cannot "
            "register it: uninstall either of the two, or do not import both"
        )


def _register_config(config: str, model_type: str) -> Callable[[Any, Any], None]:
    """Return a call that registers a configuration."""

    def call(table: Any, classes: Any) -> None:
        _check_model_type(table, getattr(classes, config))
        table.AutoConfig.register(model_type, getattr(classes, config))

    return call


def _register_for(config: str, **names: str) -> Callable[[Any, Any], None]:
    """Return a call that registers classes for a configuration, by name of the table or Auto class that takes each."""

    def call(table: Any, classes: Any) -> None:
        module = importlib.import_module(f"{__package__}.config.{_CONFIGS[config]}")
        for name, cls in names.items():
            getattr(table, name).register(getattr(module, config), getattr(classes, cls))

    return call


def _register_image_models(table: Any, classes: Any) -> None:
    _register_for(_CHAINHEAD, AutoModelForImageClassification="ChainHeadForImageClassification")(
        table, classes
    )
    # Pipelines know models by the names in this table, and call all other models unsupported.
    table.MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES[MODEL_TYPE] = "ChainHeadForImageClassification"


def _register_audio_models(table: Any, classes: Any) -> None:
    _register_for(_CHAINHEAD, AutoModelForAudioClassification="ChainHeadForAudioClassification")(
        table, classes
    )
    # As for images.
    table.MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING_NAMES[MODEL_TYPE] = "ChainHeadForAudioClassification"


def _register_video_models(table: Any, classes: Any) -> None:
    _register_for(_CHAINHEAD, AutoModelForVideoClassification="ChainHeadForVideoClassification")(
        table, classes
    )
    # As for images.
    table.MODEL_FOR_VIDEO_CLASSIFICATION_MAPPING_NAMES[MODEL_TYPE] = "ChainHeadForVideoClassification"


def _register_audio_extractor(table: Any, classes: Any) -> None:
    # The table has a place for one extractor of a configuration, which that of chains has taken. Saved extractors are
    # found by the name of their class among all that the table holds, under whatever key.
    extractor = classes.ChainHeadAudioFeatureExtractor
    table.AutoFeatureExtractor.register(extractor, extractor)


def _register_image_processor(table: Any, classes: Any) -> None:
    from .config.configuration_chainhead import ChainHeadConfig

    table.AutoImageProcessor.register(
        ChainHeadConfig, image_processor_classes={"torchvision": classes.ChainHeadImageProcessor}
    )


def _register_tokenizer(table: Any, classes: Any) -> None:
    from transformers import PreTrainedTokenizerFast

    table.AutoTokenizer.register(classes.ChainHeadConfig, fast_tokenizer_class=PreTrainedTokenizerFast)


def _register_pipelines(table: Any, classes: Any) -> None:
    classes.register_pipelines()


def _register_timm_models(table: Any, classes: Any) -> None:
    for entry_point in classes.ENTRY_POINTS:
        name = entry_point.__name__
        if table.is_model(name) and table.model_entrypoint(name) is not entry_point:
            other = table.model_entrypoint(name)
            raise RegistrationError(
                f"timm's architecture {name!r} is already registered by {_owner(other)} "
                f"({other.__module__}.{other.__qualname__}), so that chainhead-plugin cannot register it: "
                "uninstall either of the two, or do not import both"
            )
    for entry_point in classes.ENTRY_POINTS:
        if not table.is_model(entry_point.__name__):
            table.models.register_model(entry_point)


_REGISTRATIONS = (
    _Registration(
        f"{_AUTO}.configuration_auto",
        f"{__package__}.config.configuration_chainhead",
        _register_config(_CHAINHEAD, MODEL_TYPE),
        needs=(f"{__package__}.config.backbone",),
    ),
    _Registration(
        f"{_AUTO}.configuration_auto",
        f"{__package__}.config.configuration_random_chain",
        _register_config(_RANDOM, RANDOM_MODEL_TYPE),
    ),
    _Registration(
        f"{_AUTO}.modeling_auto",
        f"{__package__}.models.modeling_random_chain",
        _register_for(_RANDOM, **dict.fromkeys(_CLASSIFIERS, "RandomChainForSequenceClassification")),
        needs=_MODELING,
    ),
    _Registration(
        f"{_AUTO}.feature_extraction_auto",
        f"{__package__}.inputs.feature_extraction_chainhead",
        _register_for(_RANDOM, AutoFeatureExtractor="ChainHeadFeatureExtractor"),
    ),
    _Registration(
        f"{_AUTO}.modeling_auto",
        f"{__package__}.models.modeling_chainhead",
        _register_for(
            _CHAINHEAD,
            AutoModel="ChainHeadModel",
            AutoModelForTokenClassification="ChainHeadForTokenClassification",
            **dict.fromkeys(_CLASSIFIERS, "ChainHeadForSequenceClassification"),
        ),
        needs=(*_MODELING, f"{__package__}.nodes.text_backbone"),
    ),
    _Registration(
        f"{_AUTO}.modeling_auto",
        f"{__package__}.models.modeling_chainhead_image",
        _register_image_models,
        needs=(
            *_MODELING,
            *(
                f"{__package__}.{name}"
                for name in (
                    "nodes.text_backbone",
                    "nodes.image_backbone",
                    "nodes.images",
                    "models.modeling_chainhead",
                )
            ),
        ),
    ),
    _Registration(
        f"{_AUTO}.modeling_auto",
        f"{__package__}.models.encoders.modeling_chainhead_audio",
        _register_audio_models,
        needs=(*_MODELING, f"{__package__}.nodes.text_backbone", f"{__package__}.models.modeling_chainhead"),
    ),
    _Registration(
        f"{_AUTO}.modeling_auto",
        f"{__package__}.models.encoders.modeling_chainhead_video",
        _register_video_models,
        needs=(*_MODELING, f"{__package__}.nodes.text_backbone", f"{__package__}.models.modeling_chainhead"),
    ),
    _Registration(
        f"{_AUTO}.image_processing_auto",
        f"{__package__}.inputs.image_processing_chainhead",
        _register_image_processor,
        needs=(
            "transformers.image_processing_backends",
            "transformers.processing_utils",
            f"{__package__}.config.configuration_chainhead",
        ),
    ),
    _Registration(
        f"{_AUTO}.modeling_auto",
        f"{__package__}.models.modeling_chainhead_forecast",
        _register_for(_CHAINHEAD, AutoModelForTimeSeriesPrediction="ChainHeadForTimeSeriesPrediction"),
        needs=(*_MODELING, f"{__package__}.nodes.text_backbone", f"{__package__}.models.modeling_chainhead"),
    ),
    _Registration(
        f"{_AUTO}.feature_extraction_auto",
        f"{__package__}.inputs.feature_extraction_chainhead",
        _register_for(_CHAINHEAD, AutoFeatureExtractor="ChainHeadFeatureExtractor"),
    ),
    _Registration(
        f"{_AUTO}.feature_extraction_auto",
        f"{__package__}.inputs.sounds.feature_extraction_chainhead_audio",
        _register_audio_extractor,
        needs=(f"{__package__}.inputs.feature_extraction_chainhead",),
    ),
    _Registration(
        f"{_AUTO}.video_processing_auto",
        f"{__package__}.inputs.no_videos",
        _register_for(_CHAINHEAD, AutoVideoProcessor="NoChainHeadVideoProcessor"),
        needs=(f"{__package__}.config.configuration_chainhead",),
    ),
    _Registration(
        f"{_AUTO}.tokenization_auto", f"{__package__}.config.configuration_chainhead", _register_tokenizer
    ),
    _Registration(
        "transformers.pipelines", f"{__package__}.pipelines.tasks", _register_pipelines, needs=_PIPELINES
    ),
    _Registration("timm", f"{__package__}.models.timm_architectures", _register_timm_models),
)

_lock = threading.RLock()
_done: set[_Registration] = set()
_imported: set[str] = set()


def _owner(cls: Any) -> str:
    """Name the distribution that brings a class or function, or its top-level module where none says so."""
    from importlib import metadata

    package = cls.__module__.partition(".")[0]
    names = metadata.packages_distributions().get(package, [])
    return ", ".join(sorted(set(names))) or f"the module {package!r}"


def register() -> None:
    """Register every chainhead class with transformers, and the architectures with timm, now.

    `import chainhead_plugin` arranges this by itself. Idempotent and thread-safe.

    Raises
    ------
    RegistrationError
        If another distribution has registered the model type "chainhead" or "chainhead-random", or an architecture of
        timm under a name of this plugin.
    """
    for registration in _REGISTRATIONS:
        importlib.import_module(registration.table)
        importlib.import_module(registration.classes)
        _complete(registration)
    # Names may have been taken since.
    _register_timm_models(sys.modules["timm"], sys.modules[f"{__package__}.models.timm_architectures"])
    configurations = sys.modules[f"{_AUTO}.configuration_auto"]
    for name, module in _CONFIGS.items():
        _check_model_type(configurations, getattr(sys.modules[f"{__package__}.config.{module}"], name))


def register_when_imported() -> None:
    """Register with each table as soon as it is imported, or now where it is already."""
    for registration in _REGISTRATIONS:
        for name in (registration.table, registration.classes, *registration.needs):
            when_imported(name, partial(_imported_now, registration))
    when_imported("transformers.trainer", _complete_trainer_cards)
    when_imported("transformers", _resolve_names)


def _resolve_names(module: ModuleType) -> None:
    from registry.resolving import resolve_names

    resolve_names(read_folder=_read_folder)


def _read_folder(folder: Path, read: Callable[[], Any]) -> Any:
    from .storage.whole_reading import read_whole

    return read_whole(folder, read)


def _complete_trainer_cards(module: ModuleType) -> None:
    from .hub.trainer_card import complete_trainer_cards

    complete_trainer_cards(module)


def _imported_now(registration: _Registration, module: ModuleType) -> None:
    _imported.add(module.__name__)
    if registration.table not in _imported:
        return
    # The table may have been imported by a module that the classes need, which is then only half
    # there. Its own end brings us here again, and so does the end of the classes' module.
    if any(name in sys.modules and name not in _imported for name in registration.needs):
        return
    if registration.classes not in sys.modules:
        importlib.import_module(registration.classes)
    if registration.classes in _imported:
        _complete(registration)


def _complete(registration: _Registration) -> None:
    with _lock:
        if registration not in _done:
            registration.call(sys.modules[registration.table], sys.modules[registration.classes])
            _done.add(registration)
