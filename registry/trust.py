"""The code that a plugin's model carries runs for callers who ask for it, and no question is asked.

transformers asks on the terminal where it has no class of its own, and takes the first line of standard input, which
may be data, for the answer. Where a plugin brings a model's classes, what it does not bring is not to be had.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from .hooks.when_imported import when_imported
from .hooks.wrapping import wrap_function

_AUTO = "transformers.models.auto"
_MODULES = (
    f"{_AUTO}.feature_extraction_auto",
    f"{_AUTO}.image_processing_auto",
    f"{_AUTO}.processing_auto",
    f"{_AUTO}.tokenization_auto",
    f"{_AUTO}.video_processing_auto",
)
_RESOLVE = "resolve_trust_remote_code"
_done: set[str] = set()


def refuse_unasked_code() -> None:
    """Have transformers' Auto classes refuse the code of plugins' models in place of asking, as soon as imported."""
    for module in _MODULES:
        when_imported(module, _wrap)


def _wrap(module: ModuleType) -> None:
    if module.__name__ in _done or not hasattr(module, _RESOLVE):
        return
    _done.add(module.__name__)
    wrap_function(module, _RESOLVE, _resolved)


def _resolved(
    wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    names = ("trust_remote_code", "model_name", "has_local_code", "has_remote_code")
    given = dict(zip(names, args, strict=False)) | kwargs
    would_ask = (
        given["trust_remote_code"] is None and given["has_remote_code"] and not given["has_local_code"]
    )
    if would_ask and _is_of_plugin(given["model_name"]):
        given["trust_remote_code"] = False
    return wrapped(**given, **dict(zip(("error_message", "upstream_repo"), args[len(names) :], strict=False)))


def _is_of_plugin(model_name: Any) -> bool:
    """Tell whether a plugin brings the type of a model, a folder's or a repository's."""
    from transformers import CONFIG_MAPPING, PreTrainedConfig

    try:
        fields, _ = PreTrainedConfig.get_config_dict(model_name)
    except (OSError, ValueError):
        return False
    return fields.get("model_type") in getattr(CONFIG_MAPPING, "_extra_content", {})
