"""What a configuration's constructor is given beside its fields, checked before transformers keeps it."""

import difflib
import warnings
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

_MAX_LABELS = 2**20
_MAX_OTHERS = 64

# What transformers and its companions keep on a config beside the fields, or take out of its keyword arguments.
_ECOSYSTEM = {
    "_commit_hash",
    "_name_or_path",
    "attn_implementation",
    "auto_map",
    "bos_token_id",
    "custom_pipelines",
    "distributed_config",
    "eos_token_id",
    "experts_implementation",
    "model_type",
    "name_or_path",
    "num_labels",
    "output_attentions",
    "quantization_config",
    "task_specific_params",
    "tie_word_embeddings",
    "torch_dtype",
    "transformers_version",
    "transformers_weights",
    "use_cache",
}


def check_keywords(config_class: Any, keywords: Mapping[str, Any]) -> None:
    """Refuse almost-fields, and warn of others: transformers would silently keep them as attributes.

    The latter are no error, so that files of later versions of transformers load.

    Parameters
    ----------
    config_class : type
        A configuration's class, a dataclass.
    keywords : mapping
        Arguments that are no fields.

    Raises
    ------
    TypeError
        If one looks like a misspelt field, or has the name of a method or property, or there are more than 64.

    Warns
    -----
    UserWarning
        If one is unknown, to transformers too.
    """
    name = config_class.__name__
    names = [f.name for f in fields(config_class)]
    others = keywords.keys() - config_class.attribute_map.keys() - _ECOSYSTEM
    if len(others) > _MAX_OTHERS:
        raise TypeError(f"{name} has none of these {len(others)} fields: {', '.join(sorted(others)[:3])}…")
    for key in others:
        if hasattr(config_class, key):
            raise TypeError(f"{name} has no field {key!r}, but a method or property of that name")
        close = difflib.get_close_matches(key, names, n=1, cutoff=0.85)
        if close or key.startswith("with_"):
            hint = f": did you mean {close[0]!r}?" if close else ""
            raise TypeError(f"{name} has no field {key!r}{hint}")
        warnings.warn(f"{name} has no field {key!r}: kept, but nothing reads it", stacklevel=4)


def check_labels(num_labels: Any, id2label: Any) -> None:
    """Bound the number of labels before a name is made for each.

    Raises
    ------
    TypeError
        If `id2label` is given, but no dict.
    ValueError
        If there are no labels, or more than a million.
    """
    if not isinstance(id2label, dict | None):
        raise TypeError(f"id2label must be a dict of names by number, got {id2label!r}")
    for name, value in (("num_labels", num_labels), ("id2label", id2label and len(id2label))):
        if value is not None and not (type(value) is int and 1 <= value <= _MAX_LABELS):
            raise ValueError(f"{name} must be between 1 and {_MAX_LABELS:,} labels, got {value!r}")
