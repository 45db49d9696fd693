"""Telling a sequence of nodes from a batch, and joining sequences of any kind into one NumPy array."""

import sys
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

_ACCEPTED = "a NumPy array, a torch tensor, a DataFrame, or lists of numbers"


def is_batch(data: Any, feature_size: int) -> bool:
    """Tell a batch of sequences from a single sequence.

    The number of axes decides, counting nested lists and the axes of their entries; values never do.
    Three axes are a batch. Two axes are one sequence ``[L, feature_size]``. For ``feature_size=1`` one axis
    is one series ``[L]``, and a list or tuple of series is a batch; an array with two axes is one series
    ``[L, 1]``.

    Parameters
    ----------
    data : array, tensor, DataFrame, Series or list
        NumPy array, torch tensor, DataFrame, or lists or tuples of these or of numbers.
    feature_size : int
        Number of features of a node.

    Returns
    -------
    bool
        True for a batch of sequences, False for a single sequence.

    Raises
    ------
    TypeError
        If `data` is no sequence at all.
    ValueError
        If `data` is empty, has too few or too many axes, or is a list of one-element series, which reads
        as one series ``[L, 1]`` just as well.
    """
    is_list = isinstance(data, (list, tuple))
    if is_list and not data:
        raise ValueError(f"got an empty {type(data).__name__}, expected at least one sequence")

    axes = _count_axes(data)
    if axes == 0:
        raise TypeError(
            f"expected a sequence or a batch of sequences ({_ACCEPTED}), got {type(data).__name__}"
        )
    if axes == 3:
        return True
    if axes == 1 and feature_size == 1:
        return False

    if axes == 2 and feature_size == 1 and is_list:
        if all(np.shape(series) == (1,) for series in data):
            raise ValueError(
                f"a list of {len(data)} one-element series is ambiguous when feature_size is 1: pass "
                "batched=False if it is one series [L, 1], or batched=True if it is a batch"
            )
        return True
    if axes == 2:
        return False
    raise ValueError(
        f"expected one sequence [L, {feature_size}] or a batch of them, got {type(data).__name__} "
        f"with {axes} {'axis' if axes == 1 else 'axes'}"
    )


def split_batch(data: Any, feature_size: int, batched: bool | None = None) -> list[Any]:
    """Return the sequences in `data` as a list, without converting them.

    Parameters
    ----------
    data : array, tensor, DataFrame, Series or list
        One sequence or a batch of sequences, as in `is_batch`.
    feature_size : int
        Number of features of a node.
    batched : bool, optional
        Whether `data` is a batch. None leaves that to `is_batch`.

    Returns
    -------
    list
        The sequences; never empty.

    Raises
    ------
    TypeError
        If `data` cannot be a batch, or is no sequence at all.
    ValueError
        If `data` is empty, or as in `is_batch`.
    """
    if batched is None:
        batched = is_batch(data, feature_size)
    if not batched:
        return [data]
    if not isinstance(data, (list, tuple, np.ndarray, torch.Tensor)):
        raise TypeError(
            f"expected a batch as a list, a tuple, an array or a tensor, got {type(data).__name__}: "
            "put it in a list, or drop batched=True"
        )
    sequences = list(data)
    if not sequences:
        raise ValueError("got an empty batch, expected at least one sequence")
    return sequences


def join(
    sequences: list[Any], feature_size: int, *, allow_missing: bool = False
) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Convert every sequence and join them along the nodes.

    Parameters
    ----------
    sequences : sequence of arrays, tensors or lists
        Sequences ``[L_i, feature_size]``, or ``[L_i]`` if `feature_size` is 1.
    feature_size : int
        Number of features of a node.
    allow_missing : bool
        Whether NaN, None and pandas' missing values may stand for missing values, which become NaN.

    Returns
    -------
    nodes : array [sum(lengths), m]
        Array ``[sum(L_i), feature_size]``, float32 or, where that would lose digits, float64. A copy.
    lengths : array [sequences]
        Array ``[len(sequences)]`` of ``L_i``.

    Raises
    ------
    TypeError
        If a sequence is of an unknown type or does not hold real numbers.
    ValueError
        If a sequence is empty, ragged, not finite, or has the wrong shape.
    """
    arrays = [
        _as_nodes(sequence, index, feature_size, allow_missing) for index, sequence in enumerate(sequences)
    ]
    lengths = np.fromiter(map(len, arrays), dtype=np.intp, count=len(arrays))
    dtype = np.result_type(np.float32, *{array.dtype for array in arrays})
    nodes = np.concatenate(arrays, dtype=dtype)
    if allow_missing:
        check_finite(nodes, lengths, "mark missing values by NaN", allow_nan=True)
    else:
        check_finite(nodes, lengths, "fill in or drop missing and infinite values")
    return nodes, lengths


def as_float32(nodes: NDArray[Any], lengths: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return joined sequences [sum(lengths), m] in float32.

    Raises
    ------
    ValueError
        If a value is not finite there; names sequence, node and feature.
    """
    with np.errstate(over="ignore"):
        features = nodes.astype(np.float32, copy=False)
    check_finite(features, lengths, "the value overflows float32, rescale the feature")
    return features


def check_finite(
    nodes: NDArray[Any], lengths: NDArray[np.intp], advice: str, *, allow_nan: bool = False
) -> None:
    """Raise a ValueError that locates the first NaN or infinity.

    Parameters
    ----------
    nodes : array [sum(lengths), m]
        Joined sequences ``[sum(lengths), feature_size]``.
    lengths : array [sequences]
        Lengths of the sequences.
    advice : str
        Advice to the caller, at the end of the message.
    allow_nan : bool
        Whether infinity alone is an error.

    Raises
    ------
    ValueError
        If a value is NaN or infinite; names sequence, node and feature.
    """
    finite = ~np.isinf(nodes) if allow_nan else np.isfinite(nodes)
    if finite.all():
        return
    row, feature = np.argwhere(~finite)[0]
    ends = np.cumsum(lengths)
    index = int(np.searchsorted(ends, row, side="right"))
    node = row - ends[index] + lengths[index]
    raise ValueError(
        f"sequence {index}, node {node}, feature {feature}: got {nodes[row, feature]}, expected a finite "
        f"number: {advice}"
    )


def _count_axes(data: Any) -> int:
    axes = 0
    while isinstance(data, (list, tuple)):
        axes += 1
        if not data or axes > 3:
            return axes
        data = data[0]
    return axes + len(getattr(data, "shape", ()))


def _as_nodes(sequence: Any, index: int, feature_size: int, allow_missing: bool) -> NDArray[Any]:
    array = _as_array(sequence, index, feature_size)
    if allow_missing and array.dtype.kind == "O":
        array = _with_nan(array)
    if array.dtype.kind not in "iuf":
        raise TypeError(
            f"sequence {index}: expected real numbers, got dtype {array.dtype}: convert it to float first"
        )
    if array.size == 0:
        raise ValueError(f"sequence {index} is empty (shape {array.shape}), expected at least one node")
    if array.ndim == 1 and feature_size == 1:
        return array[:, np.newaxis]
    if array.ndim != 2:
        raise ValueError(f"sequence {index}: expected shape [L, {feature_size}], got {list(array.shape)}")
    if array.shape[1] != feature_size:
        raise ValueError(
            f"sequence {index} has {array.shape[1]} features per node, expected {feature_size}: "
            + _advise_on_shape(array, feature_size)
        )
    return array


def _with_nan(array: NDArray[Any]) -> NDArray[Any]:
    """Put NaN in the place of None and pandas' NA, which leave nothing but an array of objects."""
    missing = (None, getattr(sys.modules.get("pandas"), "NA", None))
    values = [np.nan if any(value is other for other in missing) else value for value in array.flat]
    return np.array(values).reshape(array.shape)


def _advise_on_shape(array: NDArray[Any], feature_size: int) -> str:
    if array.shape[0] == feature_size and feature_size > 1:
        return "it looks transposed, pass [nodes, features]"
    if feature_size == 1:
        return "a batch of univariate series is a list of 1-D arrays, or needs batched=True"
    return "select the features that the extractor was made for"


def _as_array(sequence: Any, index: int, feature_size: int) -> NDArray[Any]:
    if isinstance(sequence, np.ma.MaskedArray):
        raise TypeError(f"sequence {index} is a masked array, whose mask would be lost: call .filled() first")
    if isinstance(sequence, np.ndarray):
        return np.asarray(sequence)
    if isinstance(sequence, torch.Tensor):
        return _tensor_as_array(sequence, index)
    if hasattr(sequence, "to_numpy"):
        return _frame_as_array(sequence)
    if isinstance(sequence, (list, tuple)):
        return _list_as_array(sequence, index, feature_size)
    raise TypeError(f"sequence {index}: expected {_ACCEPTED}, got {type(sequence).__name__}")


def _frame_as_array(frame: Any) -> NDArray[Any]:
    """Return the numbers of a DataFrame or a column; those of pandas' bool and nullable columns too.

    pandas makes objects of them, though every value is a number or missing.
    """
    array = np.asarray(frame.to_numpy())
    dtypes = getattr(frame, "dtypes", [])
    kinds = {getattr(dtype, "kind", "") for dtype in ([dtypes] if hasattr(dtypes, "kind") else dtypes)}
    if array.dtype.kind in "bO" and kinds and kinds <= {"b", "i", "u", "f"}:
        return np.asarray(frame.to_numpy(dtype=np.float64, na_value=np.nan))
    return array


def _tensor_as_array(tensor: torch.Tensor, index: int) -> NDArray[Any]:
    if tensor.layout is not torch.strided:
        raise TypeError(f"sequence {index} has layout {tensor.layout}: call .to_dense() first")
    tensor = tensor.detach().cpu()
    if tensor.is_floating_point() and tensor.dtype != torch.float64:
        tensor = tensor.float()  # NumPy has neither bfloat16 nor float8
    return tensor.numpy()


def _list_as_array(rows: list[Any] | tuple[Any, ...], index: int, feature_size: int) -> NDArray[Any]:
    if any(isinstance(row, torch.Tensor) for row in rows):
        rows = [_tensor_as_array(row, index) if isinstance(row, torch.Tensor) else row for row in rows]
    try:
        return np.asarray(rows)
    except ValueError as error:
        for node, row in enumerate(rows):
            features = len(row) if hasattr(row, "__len__") else 1
            if features != feature_size:
                raise ValueError(
                    f"sequence {index} is ragged: node {node} has {features} features, not {feature_size}"
                ) from error
        raise ValueError(
            f"sequence {index} is no rectangle of numbers [L, {feature_size}]: {error}"
        ) from error
