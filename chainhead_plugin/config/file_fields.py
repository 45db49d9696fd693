"""Fields of a config.json that are transformers' own, checked before transformers reads them.

A file may come from an attacker: some of these fields name modules to import or repositories to run, and wrong
types in others end in errors that say nothing.
"""

from collections.abc import Mapping
from typing import Any

from ..storage.saving import WEIGHTS_FILE

_DTYPES = ("float16", "bfloat16", "float32", "float64", "float8_e4m3fn", "float8_e5m2")


def check_file_fields(values: Mapping[str, Any]) -> None:
    """Check transformers' fields, those that are there.

    Raises
    ------
    TypeError, ValueError
        If one has the wrong type, or is not among what it may name; the message names it.
    """
    for name in ("dtype", "torch_dtype"):
        _check_dtype(name, values.get(name))
    # transformers looks at those inside of every dict too, when it writes the configuration.
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
    """Refuse any other name: transformers would look it up in torch, which imports modules by name."""
    is_dtype = value is None or type(value).__name__ == "dtype"
    if not is_dtype and not (isinstance(value, str) and value in _DTYPES):
        raise ValueError(f"{name} must be one of {', '.join(_DTYPES)}, got {value!r}")


def _check_implementation(name: str, value: Any) -> None:
    """Refuse what is no plain name: with a slash it would be a repository of kernels, to be fetched and run."""
    names = value.values() if isinstance(value, Mapping) else [value]
    if not all(one is None or (isinstance(one, str) and one.isidentifier()) for one in names):
        raise ValueError(f"{name} must be the name of one of transformers' own, got {value!r}")
