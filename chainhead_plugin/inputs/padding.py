"""Sequences of nodes padded to one length, with the masks that say where they lie."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from transformers.utils import PaddingStrategy

from ..checks.values import check_choice
from .extraction_options import check_length_options


@dataclass(frozen=True)
class Padding:
    """How sequences become a batch: to which length, on which side, and as what.

    Parameters
    ----------
    strategy : PaddingStrategy
    max_length : int, optional
        Length to pad or truncate to.
    truncation : bool
        Whether to drop the nodes after the first `max_length`.
    pad_to_multiple_of : int, optional
        The padded length is rounded up to a multiple of this.
    return_tensors : {"pt", "np"}, optional
    value : float
        Value of padded nodes.
    side : {"right", "left"}

    Raises
    ------
    TypeError, ValueError
        If lengths contradict each other or would have no effect, or there are no such tensors.
    """

    strategy: PaddingStrategy
    max_length: int | None
    truncation: bool
    pad_to_multiple_of: int | None
    return_tensors: str | None
    value: float
    side: str

    def __post_init__(self) -> None:
        check_choice("return_tensors", self.return_tensors, ("np", "pt", None))
        check_length_options(self.strategy, self.max_length, self.truncation, self.pad_to_multiple_of)

    def pad(
        self, nodes: NDArray[np.float32], mask: NDArray[np.int64], lengths: NDArray[np.intp]
    ) -> tuple[Any, Any]:
        """Pad sequences and their masks.

        Parameters
        ----------
        nodes, mask, lengths
            As of `pad_joined`.

        Returns
        -------
        array [sequences, length, m], array [sequences, length]
            Without padding lists of an array [length, m] and an array [length] for each sequence.

        Raises
        ------
        ValueError
            If a sequence is longer than `max_length`, or sequences of several lengths make no tensor.
        """
        if self.truncation and self.max_length is not None:
            nodes, mask, lengths = truncate(nodes, mask, lengths, self.max_length)

        if self.strategy == PaddingStrategy.DO_NOT_PAD:
            if self.return_tensors is not None and lengths.min() != lengths.max():
                raise ValueError(
                    f"sequences of {lengths.min()} to {lengths.max()} nodes make no tensor without padding: "
                    "pass padding=True, or return_tensors=None for a list"
                )
            ends = np.cumsum(lengths)[:-1]
            return np.split(nodes, ends), np.split(mask, ends)

        fixed_length = self.max_length if self.strategy == PaddingStrategy.MAX_LENGTH else None
        length = padded_length(lengths, fixed_length, self.pad_to_multiple_of)
        return pad_joined(nodes, mask, lengths, length, value=self.value, side=self.side)


def truncate(
    nodes: NDArray[Any], mask: NDArray[np.int64], lengths: NDArray[np.intp], max_length: int
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.intp]]:
    """Drop the nodes after the first `max_length` of each sequence.

    Parameters
    ----------
    nodes : array [sum(lengths), m]
        The nodes of all sequences, joined.
    mask : array [sum(lengths)]
    lengths : array [sequences]
    max_length : int

    Returns
    -------
    nodes, mask, lengths
        The remaining nodes, in the same form.
    """
    starts = np.cumsum(lengths) - lengths
    kept = np.arange(len(nodes)) - np.repeat(starts, lengths) < max_length
    return nodes[kept], mask[kept], np.minimum(lengths, max_length)


def pad_joined(
    nodes: NDArray[np.float32],
    mask: NDArray[np.int64],
    lengths: NDArray[np.intp],
    length: int,
    *,
    value: float,
    side: str,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Pad joined sequences and their masks, in one assignment each.

    Parameters
    ----------
    nodes : array [sum(lengths), m] of float32
        The nodes of all sequences, joined.
    mask : array [sum(lengths)] of int64
    lengths : array [sequences]
    length : int
        At least the greatest of `lengths`.
    value : float
        Value of padded nodes.
    side : {"right", "left"}

    Returns
    -------
    array [sequences, length, m] of float32, array [sequences, length] of int64
    """
    columns = np.arange(length)
    if side == "right":
        real = columns < lengths[:, np.newaxis]
    else:
        real = columns >= length - lengths[:, np.newaxis]

    features = np.full((len(lengths), length, nodes.shape[1]), value, dtype=np.float32)
    features[real] = nodes
    attention_mask = np.zeros((len(lengths), length), dtype=np.int64)
    attention_mask[real] = mask
    return features, attention_mask


def padded_length(lengths: NDArray[np.intp], fixed_length: int | None, pad_to_multiple_of: int | None) -> int:
    """Return how long padded sequences are: as the longest, or `fixed_length`, rounded up to a multiple.

    Raises
    ------
    ValueError
        If a sequence is longer than `fixed_length`.
    """
    longest = int(lengths.max())
    if fixed_length is not None and longest > fixed_length:
        raise ValueError(
            f"sequence {lengths.argmax()} has {longest} nodes, more than max_length={fixed_length}: "
            "pass truncation=True, or a larger max_length"
        )
    length = longest if fixed_length is None else fixed_length
    if pad_to_multiple_of is None:
        return length
    return -(-length // pad_to_multiple_of) * pad_to_multiple_of


def as_columns(processed_features: Any) -> dict[str, Any]:
    """Return a mapping of lists, given as such or as a list of mappings with the same names.

    Raises
    ------
    TypeError, ValueError
        If it is neither, or the names differ.
    """
    if isinstance(processed_features, Mapping):
        return dict(processed_features)
    rows = list(processed_features)
    if not rows or not all(isinstance(row, Mapping) for row in rows):
        raise TypeError("expected a mapping of lists, or a list of at least one mapping")
    names = rows[0].keys()
    for index, row in enumerate(rows):
        if row.keys() != names:
            raise ValueError(f"example {index} has entries {sorted(row)}, expected {sorted(names)}")
    return {name: [row[name] for row in rows] for name in names}
