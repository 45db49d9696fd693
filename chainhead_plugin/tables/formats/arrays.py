"""Series in NumPy's files: an array of all series, an array for each, or all nodes in a row with their lengths."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import TableError, listed
from .files import Source
from .table import Sequences

_VALUES = ("x", "X", "values", "data")
_PLACED = {"y": "label", "Y": "label", "labels": "label", "label": "label", "ids": "id", "id": "id"}
AXES = ("nodes_first", "channels_first")


def read_arrays(
    source: Source, file_format: str, *, axes: str | None = None, feature_size: int | None = None
) -> Sequences:
    """Read a .npz or .npy file.

    The values are the array of a .npy file, or the array `x` of an .npz file. Its shape is ``[L]`` or ``[L, m]`` for a
    single series, and ``[cases, L, m]`` for several; it may be ``[cases, L]`` if the file also has labels or ids. With
    an array `lengths`, `x` holds the nodes of all series, one series after another. If an .npz file has no `x`, each of
    its arrays is a series, and the array's name is the id. `y` holds the labels; arrays of other names with a value for
    every series are fields.

    Parameters
    ----------
    source : Source
    file_format : {"npz", "npy"}
    axes : {"nodes_first", "channels_first"}, optional
        Whether features are the last axis of ``[cases, …, …]``, or stand before the nodes, as in aeon.
    feature_size : int, optional
        The number of features of a node, if it is known.

    Returns
    -------
    Sequences

    Raises
    ------
    TableError
        If the file has no array of values, they are no finite numbers, or their axes can be read in two ways.
    """
    if axes not in (None, *AXES):
        raise TableError(f"axes must be one of {', '.join(AXES)}, got {axes!r}")
    try:
        with source.open() as stream:
            loaded = np.load(stream, allow_pickle=False)
            arrays = {"x": loaded} if file_format == "npy" else _loaded(loaded, source.name)
    except (ValueError, OSError, EOFError, KeyError) as error:
        if isinstance(error, TableError):
            raise
        if "pickle" in str(error):
            raise _of_objects(source.name) from error
        raise TableError(f"{source.name} is no array of numbers: {error}") from error
    return _from_arrays(arrays, source.name, axes, feature_size)


def _loaded(archive: Any, file: str) -> dict[str, NDArray[Any]]:
    return {name: _member(archive, name, file) for name in archive.files}


def _member(archive: Any, name: str, file: str) -> NDArray[Any]:
    try:
        array: NDArray[Any] = archive[name]
    except ValueError as error:
        raise (_of_objects(f"{file}, array {name}") if "pickle" in str(error) else error) from error
    return array


def _of_objects(where: str) -> TableError:
    return TableError(
        f"{where} is no array of numbers or texts: it holds pickled objects, which are never loaded; save texts as "
        "y.astype(str), and series of several lengths behind each other as one array x, with an array lengths"
    )


def _from_arrays(
    arrays: Mapping[str, NDArray[Any]], file: str, axes: str | None, feature_size: int | None
) -> Sequences:
    name = next((name for name in _VALUES if name in arrays), None)
    rest = {key: array for key, array in arrays.items() if key not in (name, "lengths")}
    features: tuple[str, ...] | None = None
    if "features" in rest and rest["features"].dtype.kind == "U" and rest["features"].ndim == 1:
        features = tuple(rest.pop("features").tolist())
    if name is None:
        numeric = {
            key: array for key, array in rest.items() if key not in _PLACED and array.dtype.kind in "iufb"
        }
        if not numeric:
            raise TableError(f"{file} has no array x, but {listed(arrays)}")
        if all(array.ndim == 3 for array in numeric.values()):
            raise TableError(
                f"{file} has several series in each of its arrays {listed(numeric)}: save those of one part alone, as "
                "the arrays x and, for their labels, y"
            )
        values = [_checked(array, f"{file}, array {key}") for key, array in numeric.items()]
        widths = {key: array.shape[1] for key, array in zip(numeric, values, strict=True)}
        if len(set(widths.values())) > 1:
            raise TableError(f"{file}: its series have not the same features: {listed(widths.items())}")
        rest = {key: array for key, array in rest.items() if key not in numeric}
        rest.setdefault("id", np.array(list(numeric)))
    else:
        values = _split(
            arrays[name], arrays.get("lengths"), f"{file}, array {name}", rest, axes, feature_size
        )
    fields: dict[str, list[Any]] = {}
    for key, array in rest.items():
        if array.ndim == 0 or len(array) != len(values):
            raise TableError(
                f"{file}: array {key} {list(array.shape)} does not fit {len(values)} series: expected a value a series"
            )
        fields[_PLACED.get(key, key)] = list(array)
    if features is not None and len(features) != values[0].shape[1]:
        raise TableError(f"{file}: features names {len(features)}, but nodes have {values[0].shape[1]}")
    return Sequences(file, values, list(range(1, len(values) + 1)), features, fields)


def _split(
    x: NDArray[Any],
    lengths: NDArray[Any] | None,
    where: str,
    rest: Mapping[str, NDArray[Any]],
    axes: str | None,
    feature_size: int | None,
) -> list[NDArray[np.float64]]:
    if lengths is not None:
        nodes = _checked(x, where)
        if (
            lengths.ndim != 1
            or lengths.dtype.kind not in "iu"
            or (lengths < 1).any()
            or lengths.sum() != len(nodes)
        ):
            raise TableError(f"{where} has {len(nodes)} nodes, but lengths says otherwise")
        return np.split(nodes, np.cumsum(lengths)[:-1])
    is_many = x.ndim == 3 or (
        x.ndim == 2 and any(len(array) == len(x) for array in rest.values() if array.ndim)
    )
    if not is_many:
        return [_checked(x, where)]
    if x.ndim == 2:
        return list(_checked(x, where)[:, :, np.newaxis])
    return list(_placed(_checked(x, where, axes=3), where, axes, feature_size))


def _placed(
    x: NDArray[np.float64], where: str, axes: str | None, feature_size: int | None
) -> NDArray[np.float64]:
    """Return an array with its nodes before its features, or raise if both orders are possible."""
    _, second, third = x.shape
    if axes == "channels_first":
        return x.transpose(0, 2, 1)
    if axes == "nodes_first":
        return x
    advice = "state axes: channels_first (as aeon has them) or axes: nodes_first"
    if feature_size is not None:
        if third == feature_size and second != feature_size:
            return x
        if second == feature_size != third:
            raise TableError(
                f"{where} {list(x.shape)} has {third} features a node, expected {feature_size}: it looks as if "
                f"channels stand before nodes; {advice}"
            )
    elif third < second:
        return x
    raise TableError(
        f"{where} {list(x.shape)} can be read as [cases, nodes, channels] and as [cases, channels, nodes]: {advice}"
    )


def _checked(array: NDArray[Any], where: str, axes: int | None = None) -> NDArray[np.float64]:
    """Return numbers as float64, [L] as [L, 1]."""
    if array.dtype.kind not in "iufb":
        kinds = {"c": "complex numbers", "U": "texts", "S": "bytes", "M": "times", "m": "spans of time"}
        held = kinds.get(array.dtype.kind, f"elements of the type {array.dtype}")
        raise TableError(f"{where} holds {held}, expected real numbers")
    if not array.size:
        raise TableError(f"{where} is empty, shape {list(array.shape)}")
    if array.ndim not in ((axes,) if axes else (1, 2)):
        raise TableError(
            f"{where} has shape {list(array.shape)}, expected {'[cases, L, m]' if axes else '[L] or [L, m]'}"
        )
    numbers = array.astype(np.float64)
    if np.isinf(numbers).any():
        position = [int(i) for i in np.argwhere(np.isinf(numbers))[0]]
        raise TableError(
            f"{where} is infinite at {position}, expected finite numbers, or NaN where a value is missing"
        )
    return numbers[:, np.newaxis] if numbers.ndim == 1 else numbers
