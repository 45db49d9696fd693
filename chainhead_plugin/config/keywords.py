"""Keyword arguments of a configuration beside its fields, checked before transformers keeps them."""

import difflib
import warnings
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ..checks.values import check_choice, check_whole_number
from ..storage.code_origin import is_carried
from ..storage.saving import WEIGHTS_FILE

_MAX_LABELS = 2**20
_MAX_UNKNOWN = 64

# Names that transformers and its companions keep on a configuration beside the fields, or take out of its keywords.
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


def prepare_keywords(config: Any, keywords: dict[str, Any]) -> None:
    """Check the keywords of a configuration that are no fields of its own, and drop names of code that is not carried.

    Parameters
    ----------
    config : PreTrainedConfig
        With its fields set.
    keywords : dict
        All other keyword arguments. `auto_map` and `custom_pipelines` are removed, unless the class is carried by a
        checkpoint: they are for machines without the plugin.

    Raises
    ------
    TypeError, ValueError
        If a keyword is no field, or has a wrong value; the message names it.
    """
    _check_names(type(config), keywords)
    if not is_carried(type(config)):
        for key in ("auto_map", "custom_pipelines"):
            keywords.pop(key, None)
    check_labels(keywords.get("num_labels"), config.id2label)
    check_file_fields({**keywords, "dtype": config.dtype, "label2id": getattr(config, "label2id", None)})


def _check_names(config_class: Any, keywords: Mapping[str, Any]) -> None:
    """Refuse misspelt fields, and warn of unknown names: transformers would silently keep them as attributes.

    Unknown names are no error, so that files of later versions of transformers load.

    Parameters
    ----------
    config_class : type
        A configuration's class, a dataclass.
    keywords : mapping
        Arguments that are no fields.

    Raises
    ------
    TypeError
        If a name looks like a misspelt field, or is that of a method or property, or if there are more than 64.

    Warns
    -----
    UserWarning
        If a name is unknown, to transformers too.
    """
    name = config_class.__name__
    names = [f.name for f in fields(config_class)]
    unknown = keywords.keys() - config_class.attribute_map.keys() - _ECOSYSTEM
    if len(unknown) > _MAX_UNKNOWN:
        raise TypeError(f"{name} has none of these {len(unknown)} fields: {', '.join(sorted(unknown)[:3])}…")
    for key in unknown:
        if hasattr(config_class, key):
            raise TypeError(f"{name} has no field {key!r}, but a method or property of that name")
        close = difflib.get_close_matches(key, names, n=1, cutoff=0.85)
        if close or key.startswith("with_"):
            hint = f": did you mean {close[0]!r}?" if close else ""
            raise TypeError(f"{name} has no field {key!r}{hint}")
        warnings.warn(f"{name} has no field {key!r}: kept, but nothing reads it", stacklevel=5)


def check_labels(num_labels: Any, id2label: Any) -> None:
    """Bound the number of labels before a name is made for each.

    Raises
    ------
    TypeError
        If `num_labels` is given, but no whole number, or `id2label`, but no dict.
    ValueError
        If there are no labels, or more than a million.
    """
    if not isinstance(id2label, dict | None):
        raise TypeError(f"id2label must be a dict of names by number, got {id2label!r}")
    if num_labels is not None:
        check_whole_number("num_labels", num_labels, 1, _MAX_LABELS)
    if id2label is not None:
        check_whole_number("the number of names in id2label", len(id2label), 1, _MAX_LABELS)


_DTYPES = ("float16", "bfloat16", "float32", "float64", "float8_e4m3fn", "float8_e5m2")


def check_file_fields(values: Mapping[str, Any]) -> None:
    """Check those of transformers' own fields that a configuration file may state.

    Parameters
    ----------
    values : mapping
        Fields by name; fields that are not there are not checked.

    Raises
    ------
    TypeError, ValueError
        If a field has the wrong type, or names nothing that it may name; the message names the field.
    """
    for name in ("dtype", "torch_dtype"):
        _check_dtype(name, values.get(name))

    # transformers looks at the same fields inside every dict, when it writes the configuration.
    inner = [value for value in values.values() if isinstance(value, Mapping)]
    while inner:
        fields = inner.pop()
        if not isinstance(fields.get("dtype"), str):  # a name it leaves alone
            _check_dtype("dtype", fields.get("dtype"))
        inner += [value for value in fields.values() if isinstance(value, Mapping)]

    for name in ("attn_implementation", "experts_implementation"):
        _check_implementation(name, values.get(name))
    weights = values.get("transformers_weights", "model.safetensors")
    if not (isinstance(weights, str) and WEIGHTS_FILE.fullmatch(weights)):
        raise ValueError(
            f"transformers_weights is {weights!r}: only safetensors are read, from the checkpoint's own folder"
        )

    for name in ("quantization_config", "distributed_config"):
        value = values.get(name)
        if not (value is None or isinstance(value, Mapping) or hasattr(value, "to_dict")):
            raise TypeError(f"{name} must be a dict, got {value!r}")

    quantization = values.get("quantization_config")
    if not isinstance(quantization, Mapping):
        return
    if quantization.get("quant_method") == "torchao" and "quant_type" not in quantization:
        raise ValueError("quantization_config for torchao lacks quant_type")


def _check_dtype(name: str, value: Any) -> None:
    """Refuse names that are no dtypes: transformers would look them up in torch, which imports modules by name."""
    if value is not None and type(value).__name__ != "dtype":
        check_choice(name, value, _DTYPES)


def _check_implementation(name: str, value: Any) -> None:
    """Refuse names with a slash, which would be repositories of kernels, to be fetched and run."""
    names = value.values() if isinstance(value, Mapping) else [value]
    if not all(each is None or (isinstance(each, str) and each.isidentifier()) for each in names):
        raise ValueError(f"{name} must be the name of one of transformers' own, got {value!r}")
