"""tinyBIG's state dicts: the entries they must have, and the matrices that their flat parameters make."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..head.linear.reduced_reconciliation import closest_factors
from .options import TinyBIGConversionError, reconciliation_of

# The shape of every entry, and its parts.
Shapes = dict[str, tuple[tuple[int, ...], str]]

_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_REPEATED = re.compile(r"(layers\.\d+\.heads\.)(\d{1,9})(\.\w+)")
_SWITCHES = {"b": "enable_bias", "w_remainder": "with_residual"}


@dataclass(frozen=True)
class TinyBIGHead:
    """A head of tinyBIG, a perceptron's or a chain's, in terms of its parameters.

    Parameters
    ----------
    prefix : str
        The start of its entries' names.
    m, n, expanded : int
        Features of a node before and after, and between the two, after the data transformation (D).
    channels : int
    reconciliation : {None, "with_lorr", "with_dual_lphm"}
    rank : int
    bias, residual : bool
    """

    prefix: str
    m: int
    n: int
    expanded: int
    channels: int
    reconciliation: str | None
    rank: int
    bias: bool
    residual: bool

    @classmethod
    def of(cls, prefix: str, m: int, n: int, expanded: int, read: Mapping[str, Any]) -> "TinyBIGHead":
        """Describe the head that the options read make at `prefix`."""
        return cls(
            prefix,
            m,
            n,
            expanded,
            channels=read["channel_num"],
            reconciliation=reconciliation_of(read),
            rank=read["r"],
            bias=read["enable_bias"],
            residual=read["with_residual"],
        )

    def shapes(self) -> Shapes:
        """Return the entries."""
        if self.reconciliation == "with_lorr":
            length, formula = self.rank * (self.n + self.expanded), "r·(n + D)"
        elif self.reconciliation == "with_dual_lphm":
            length, formula = sum(self._factor_sizes()), "r·(p + q + s + t), p·s = n, q·t = D"
        else:
            length, formula = self.n * self.expanded, "n·D"
        sizes = f"n={self.n}, D={self.expanded}" + (f", r={self.rank}" if self.reconciliation else "")
        meaning = f"[channel_num, {formula}] with {sizes}"
        shapes: Shapes = {f"{self.prefix}w": ((self.channels, length), meaning)}
        if self.bias:
            shapes[f"{self.prefix}b"] = ((self.n,), "[n]")
        if self.residual:
            shapes[f"{self.prefix}w_remainder"] = ((self.n, self.m), "[n, m]")
        return shapes

    def reconciled_state(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the state dict of the `ReconciledLinear` that is this head."""
        w = tensors[f"{self.prefix}w"]
        if self.reconciliation == "with_lorr":
            ups, downs = self._low_rank_factors(w)
            state = {
                "reconciliation.up.weight": ups.transpose(0, 1).flatten(1),
                "reconciliation.down.weight": downs.flatten(0, 1),
            }
        else:
            state = {"reconciliation.linear.weight": self._matrices(w).flatten(0, 1)}
        if self.bias:
            state["bias"] = tensors[f"{self.prefix}b"]
        if self.residual:
            state["residual.weight"] = tensors[f"{self.prefix}w_remainder"]
        return state

    def linear_state(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the state dict of the single `nn.Linear` of expanded features that this head comes to."""
        weight = self._matrices(tensors[f"{self.prefix}w"].double()).mean(0)
        if self.residual:
            # The expansion starts with the features themselves.
            weight[:, : self.m] += tensors[f"{self.prefix}w_remainder"]
        return {
            "weight": weight,
            "bias": tensors[f"{self.prefix}b"] if self.bias else weight.new_zeros(self.n),
        }

    def _matrices(self, w: Tensor) -> Tensor:
        """The channels' matrices, [channels, n, expanded]."""
        if self.reconciliation == "with_lorr":
            ups, downs = self._low_rank_factors(w)
            return ups @ downs
        if self.reconciliation == "with_dual_lphm":
            P, Q, S, T = w.double().split_with_sizes(self._factor_sizes(), dim=1)
            C, r = self.channels, self.rank
            left = P.reshape(C, -1, r) @ Q.reshape(C, r, -1)
            right = S.reshape(C, -1, r) @ T.reshape(C, r, -1)
            # The entries of the Kronecker product, but in the order of the plain outer product.
            outer = left.flatten(1).unsqueeze(2) * right.flatten(1).unsqueeze(1)
            return outer.reshape(self.channels, self.n, self.expanded)
        return w.reshape(self.channels, self.n, self.expanded)

    def _low_rank_factors(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """[channels, n, rank] and [channels, rank, expanded]."""
        ups, downs = w.split_with_sizes([self.n * self.rank, self.rank * self.expanded], dim=1)
        return ups.reshape(self.channels, self.n, -1), downs.reshape(self.channels, self.rank, -1)

    def _factor_sizes(self) -> list[int]:
        p, s = closest_factors(self.n)
        q, t = closest_factors(self.expanded)
        return [self.rank * size for size in (p, q, s, t)]


def read_tensors(
    state_dict: Mapping[str, Any], dtype: torch.dtype | None
) -> tuple[dict[str, Tensor], torch.dtype]:
    """Check a state dict's values and return them as tensors, with the dtype to convert to.

    Raises
    ------
    TinyBIGConversionError
        If it is no mapping of names to dense floating-point tensors or arrays of finite numbers, or of
        several dtypes while `dtype` is None; or if `dtype` is not one of float16, bfloat16, float32, float64.
    """
    if dtype is not None and dtype not in _DTYPES:
        raise TinyBIGConversionError(f"dtype must be one of {_listed(_DTYPES)}, got {dtype}")
    if not isinstance(state_dict, Mapping):
        raise TinyBIGConversionError(
            f"the state dict must map names to tensors, got {type(state_dict).__name__}: "
            "give the dict that tinyBIG's state_dict() returned"
        )
    tensors = {str(name): _tensor(name, value) for name, value in state_dict.items()}
    dtypes = {tensor.dtype for tensor in tensors.values()}
    if dtype is None and len(dtypes) > 1:
        raise TinyBIGConversionError(
            f"the state dict mixes {_listed(sorted(dtypes, key=str))}: say which dtype to use"
        )
    return tensors, dtype or next(iter(dtypes), torch.float32)


def _tensor(name: str, value: Any) -> Tensor:
    if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.dtype.itemsize <= 8:
        # A copy in native byte order and of positive strides, which torch requires.
        value = torch.from_numpy(np.array(value, dtype=value.dtype.newbyteorder("="), order="C"))
    if not isinstance(value, Tensor) or value.dtype not in _DTYPES:
        kind = getattr(value, "dtype", type(value).__name__)
        raise TinyBIGConversionError(f"{name} must be a floating-point tensor or array, got {kind}")
    if value.layout != torch.strided or value.is_meta:
        raise TinyBIGConversionError(
            f"{name} must be a dense tensor with data, got {value.layout} on {value.device}"
        )
    value = value.detach().cpu()
    if not value.isfinite().all():
        raise TinyBIGConversionError(f"{name} holds numbers that are not finite")
    return value


def merge_repeated_heads(tensors: Mapping[str, Tensor], width: int) -> dict[str, Tensor]:
    """Keep a single head of every layer: `width` repeats a head, and the mean of equal heads is that head.

    Raises
    ------
    TinyBIGConversionError
        If heads of a layer differ.
    """
    merged: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        found = _REPEATED.fullmatch(name)
        first = f"{found[1]}0{found[3]}" if found and int(found[2]) < width else name
        if not torch.equal(merged.setdefault(first, tensor), tensor):
            raise TinyBIGConversionError(
                f"{name} differs from the other heads of its layer, but tinyBIG's width={width} repeats one head"
            )
    return merged


def match_entries(tensors: Mapping[str, Tensor], heads: Iterable[TinyBIGHead]) -> None:
    """Check that a state dict has the entries of these heads, in their shapes, and no other.

    Raises
    ------
    TinyBIGConversionError
        Otherwise.
    """
    expected: Shapes = {}
    for head in heads:
        expected |= head.shapes()
    missing = [_with_switch(name) for name in expected if name not in tensors]
    extra = [_with_switch(name) for name in tensors if name not in expected]
    if missing:
        raise TinyBIGConversionError(f"the state dict lacks {_listed(missing)}, which the options ask for")
    if extra:
        raise TinyBIGConversionError(f"the state dict has {_listed(extra)}, which the options do not ask for")
    for name, (shape, meaning) in expected.items():
        if tensors[name].shape != shape:
            raise TinyBIGConversionError(
                f"{name} has shape {tuple(tensors[name].shape)}, but the options ask for {shape}: {meaning}"
            )


def _with_switch(name: str) -> str:
    switch = _SWITCHES.get(name.rpartition(".")[2])
    return f"{name!r} (made by {switch}=True)" if switch else repr(name)


def _listed(items: Iterable[Any], most: int = 5) -> str:
    names = [str(item) for item in items]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
