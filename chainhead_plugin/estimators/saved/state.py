"""An estimator's own state as JSON, beside its model: parameters, labels of any type, and scores."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from transformers.utils.hub import cached_file

from ...storage.whole_files import whole_file

NAME = "estimator.json"
# Types of labels, by the kind of their array; an array of objects may mix them.
_KINDS = {"i": int, "u": int, "f": float, "b": bool, "U": str}


def write_state(folder: Path, state: dict[str, Any]) -> None:
    """Write an estimator's state, whole or not at all."""
    text = json.dumps(state, indent=2, ensure_ascii=False, allow_nan=False)
    with whole_file(folder / NAME) as new:
        new.write_text(text + "\n", "utf-8")


def read_state(name: str | os.PathLike[str], estimator: str, **hub: Any) -> dict[str, Any]:
    """Return the state in a folder or a repository; an empty dict if there is none.

    Parameters
    ----------
    name : str or path
        A folder, or a repository on the Hub.
    estimator : str
        The name of the estimator's class that reads the state.
    **hub
        The options of `from_pretrained`, such as "revision", "token" and "cache_dir".

    Raises
    ------
    ValueError
        If the state is damaged, or was written by another class.
    """
    file = cached_file(
        str(name),
        NAME,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_gated_repo=True,
        **hub,
    )
    if file is None:
        return {}
    try:
        state = json.loads(Path(file).read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{file} is damaged: {error}") from error
    if not isinstance(state, dict) or not isinstance(state.get("params"), dict):
        raise ValueError(f"{file} is damaged: expected an object with the entry params")
    if state.get("estimator") != estimator:
        raise ValueError(
            f"{file} is of {state.get('estimator')}: load it with that class, not with {estimator}"
        )
    return state


def classes_to_json(classes: NDArray[Any]) -> dict[str, Any]:
    """Return labels as values for JSON, with their dtype.

    Raises
    ------
    TypeError
        If a label is not a number, a boolean or a text.
    """
    values = classes.tolist()
    for value in values:
        if not isinstance(value, int | float | bool | str):
            raise TypeError(
                f"label {value!r} of type {type(value).__name__} cannot be saved: use numbers or texts"
            )
    return {"dtype": "object" if classes.dtype.kind == "O" else classes.dtype.str, "values": values}


def classes_from_json(stored: Any) -> NDArray[Any]:
    """Return the array of labels that `classes_to_json` was given."""
    try:
        dtype, values = np.dtype(stored["dtype"]), list(stored["values"])
        kinds = (int, float, bool, str) if dtype.kind == "O" else (_KINDS[dtype.kind],)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{NAME} is damaged: its classes are {stored!r:.80}") from error
    if not all(type(value) in kinds for value in values):
        raise ValueError(f"{NAME} is damaged: its classes are {stored!r:.80}")
    return np.array(values, dtype=dtype)


def params_to_json(params: dict[str, Any]) -> dict[str, Any]:
    """Return parameters as values for JSON.

    Raises
    ------
    TypeError
        If JSON cannot hold a parameter, such as a random generator.
    """
    plain = {}
    for name, value in params.items():
        if name == "class_weight" and isinstance(value, dict):
            # Keys in JSON are texts, but labels may have other types.
            plain[name] = [[_plain(name, label), _plain(name, weight)] for label, weight in value.items()]
        else:
            plain[name] = _plain(name, value)
    return plain


def params_from_json(stored: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters that `params_to_json` was given; sequences become lists."""
    params = dict(stored)
    if isinstance(params.get("class_weight"), list):
        params["class_weight"] = dict(params["class_weight"])
    return params


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if value is None or isinstance(value, int | float | bool | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(name, one) for one in value]
    raise TypeError(f"{name}={value!r} cannot be saved: expected numbers, texts or None")
