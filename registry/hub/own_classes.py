"""The classes of plugins that a checkpoint is made of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huggingface_hub.errors import StrictDataclassError

from ..errors import PushError
from ..files.formats import read_json

PREPROCESSOR = "preprocessor_config.json"
# By the field of the file that names the class: the Auto class, and the table where plugins register theirs.
_PREPROCESSORS = {
    "feature_extractor_type": (
        "AutoFeatureExtractor",
        "feature_extraction_auto",
        "FEATURE_EXTRACTOR_MAPPING",
    ),
    "image_processor_type": ("AutoImageProcessor", "image_processing_auto", "IMAGE_PROCESSOR_MAPPING"),
}


def own_classes(folder: Path) -> dict[str, type]:
    """Return the classes of plugins for a checkpoint, by the Auto class that finds them.

    The plugins must be registered.

    Parameters
    ----------
    folder : Path
        The checkpoint.

    Returns
    -------
    dict of type
        Empty if transformers has its classes itself.

    Raises
    ------
    PushError
        If no plugin knows its model type, or its configuration is not valid.
    """
    import transformers
    from transformers import AutoConfig

    model_type = read_json(folder / "config.json").get("model_type")
    if model_type not in transformers.CONFIG_MAPPING:
        raise PushError(f"no installed plugin knows the model type {model_type!r} of {folder}")
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, StrictDataclassError, TypeError, ValueError) as error:
        raise PushError(f"{folder / 'config.json'} is not valid: {error}") from error
    found = {"AutoConfig": type(config)}
    for name in dir(transformers):
        if name.startswith("AutoModel"):
            _add(found, name, getattr(getattr(transformers, name), "_model_mapping", None), type(config))
    if (folder / PREPROCESSOR).is_file():
        for name in _PREPROCESSORS.keys() & read_json(folder / PREPROCESSOR).keys():
            auto, module, mapping = _PREPROCESSORS[name]
            _add(found, auto, getattr(getattr(transformers.models.auto, module), mapping), type(config))
    return {name: cls for name, cls in found.items() if not cls.__module__.startswith("transformers.")}


def model_class(folder: Path, classes: Mapping[str, type]) -> type | None:
    """Return the class that a checkpoint was saved from, if it is among `classes`."""
    architectures = read_json(folder / "config.json").get("architectures") or [None]
    return next((cls for cls in classes.values() if cls.__name__ == architectures[0]), None)


def _add(found: dict[str, type], name: str, mapping: Any, config_class: type) -> None:
    if mapping is not None and config_class in mapping:
        cls = mapping[config_class]
        # Image processors come as a class for each backend.
        cls = next(iter(cls.values())) if isinstance(cls, Mapping) else cls
        found[name] = cls[0] if isinstance(cls, tuple) else cls
