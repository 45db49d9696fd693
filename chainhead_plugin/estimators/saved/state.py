"""An estimator's own state as JSON, beside its model: parameters, labels of any type, and scores."""

import json
import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from transformers.utils import CONFIG_NAME
from transformers.utils.hub import cached_file

from ...storage.hashing import sha256
from ...storage.saving import companion
from ...storage.whole_reading import read_whole

T = TypeVar("T")
NAME = "estimator.json"
_WEIGHTS = "model.safetensors"
# States name a single file of weights.
ONE_FILE = "1TB"
# A label of a NumPy array has at most this many bytes: a small file must not ask for gigabytes.
_LONGEST_LABEL = 2**18
# Types of labels, by the kind of their array; an array of objects may mix them.
_KINDS = {"i": int, "u": int, "f": float, "b": bool, "U": str}


def write_state(folder: Path, state: dict[str, Any]) -> None:
    """Write an estimator's state, with the hash of its model's weights, into the folder that holds the model."""
    belongs = {"weights": sha256(folder / _WEIGHTS)}
    text = json.dumps(state | belongs, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / NAME).write_text(text + "\n", "utf-8")


def read_together(name: str | os.PathLike[str], read: Callable[[], T], **hub: Any) -> T:
    """Return the result of a function that reads an estimator: from a folder, all files come from the same save."""
    folder = Path(name, hub.get("subfolder") or "")
    return read_whole(folder, read) if folder.is_dir() else read()


def find_file(name: str | os.PathLike[str], file: str, **hub: Any) -> Path | None:
    """Return the path of a file in a folder or a repository; None if there is none."""
    folder = Path(name, hub.get("subfolder") or "")
    if folder.is_dir():
        found = companion(folder, file)
        return found if found.is_file() else None
    cached = cached_file(
        str(name),
        file,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_gated_repo=True,
        **hub,
    )
    return None if cached is None else Path(cached)


def require_own_model(name: str | os.PathLike[str], state: dict[str, Any], **hub: Any) -> None:
    """Check that an estimator's state was saved with the model beside it.

    Raises
    ------
    ValueError
        If the weights were saved later, or by another program.
    """
    if "weights" not in state:  # saved before states named their weights
        return
    weights = find_file(name, _WEIGHTS, **hub)
    if weights is None or sha256(weights) != state["weights"]:
        raise ValueError(
            f"{NAME} of {name} was saved with other weights than {_WEIGHTS} there: save the estimator once more, or "
            f"delete {NAME} where the model was trained anew"
        )


def require_kind(name: str | os.PathLike[str], kinds: Collection[str], estimator: str, **hub: Any) -> None:
    """Check that a configuration is that of a model which an estimator may hold, before transformers acts on it.

    Parameters
    ----------
    name : str or path
        A folder, or a repository on the Hub.
    kinds : collection of str
        The values of "model_type" that the estimator knows.
    estimator : str
        The name of the estimator's class.
    **hub
        The options of `from_pretrained`.

    Raises
    ------
    ValueError
        If the configuration is damaged, or that of another model.
    """
    file = find_file(name, CONFIG_NAME, **hub)
    if file is None:
        return  # transformers says that there is no model
    found = _read_object(file).get("model_type")
    if not isinstance(found, str) or found not in kinds:
        raise ValueError(f"{name} holds a model of the type {found!r:.80}, which is no model of {estimator}")


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
    file = find_file(name, NAME, **hub)
    if file is None:
        return {}
    state = _read_object(file)
    if not isinstance(state.get("params"), dict):
        raise ValueError(f"{file} is damaged: expected an object with the entry params")
    if state.get("estimator") != estimator:
        raise ValueError(
            f"{file} is of {state.get('estimator')}: load it with that class, not with {estimator}"
        )
    return state


def _read_object(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is damaged: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{file} is damaged: expected an object, got {found!r:.80}")
    return found


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
    damaged = ValueError(f"{NAME} is damaged: its classes are {stored!r:.80}")
    try:
        dtype, values = np.dtype(stored["dtype"]), list(stored["values"])
        kinds = (int, float, bool, str) if dtype.kind == "O" else (_KINDS[dtype.kind],)
        if dtype.itemsize > _LONGEST_LABEL or not all(type(value) in kinds for value in values):
            raise damaged
        return np.array(values, dtype=dtype)
    except (
        KeyError,
        TypeError,
        ValueError,
        OverflowError,
        SyntaxError,
    ) as error:  # NumPy's, of any dtype's name
        raise damaged from error


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
