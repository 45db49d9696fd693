"""ψ(w): how a head's weights make the matrix W̄ that maps a node's features.

Each reconciliation offers W̄ as a chain of linear maps with the width before and after each, so that the head
can mix along the chain where nodes are narrowest. The channels' matrices are averaged before any
non-linearity, so several channels cost as much as a single channel. Where every channel has its own mixing, the maps
before and after it come apart, and the channels are added up. Linear maps are `nn.Linear` modules without bias
wherever they can be, called as modules, so that adapters and quantisation find and replace them.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import init

from ...chain.autograd import without_autocast
from ...chain.backend import is_eager_on_cpu
from ...chain.cached_tensors import built_once
from .maps import Maps, apply_maps, is_plain, linear_of_few

# Numbers up to which a product with a row of equal shares is faster than a mean.
_FEW = 2**16


def initialise(weight: Tensor, method: str) -> None:
    """Fill a [fan_out, fan_in] matrix by one of tinyBIG's four methods.

    Raises
    ------
    ValueError
        If there is no such method.
    """
    if method == "xavier_normal":
        init.xavier_normal_(weight)
    elif method == "xavier_uniform":
        init.xavier_uniform_(weight)
    elif method == "kaiming_uniform":
        init.kaiming_uniform_(weight, a=math.sqrt(5))
    elif method == "fanout_std_uniform":
        bound = 1 / math.sqrt(weight.size(0))
        init.uniform_(weight, -bound, bound)
    else:
        raise ValueError(f"unknown parameters_init_method {method!r}")


def initialise_parts(
    parameter: Tensor, parts: Callable[[], Iterable[Tensor]], method: str, gain: float = 1.0
) -> None:
    """Initialise the parts of a parameter, each from its own fans, and multiply them by `gain`."""
    # transformers marks a loaded parameter with this flag. A slice of it does not carry the mark, and cannot
    # even be taken where the parameter is quantised.
    if not getattr(parameter, "_is_hf_initialized", False):
        with torch.no_grad():
            for part in parts():
                initialise(part, method)
                part.mul_(gain)


class Reconciliation(nn.Module, ABC):
    """Base of the three reconciliations: in_features D, out_features n, and the number of channels.

    Channels that are `summed` rather than averaged start smaller by the root of their number, so that their sum
    has the variance of a single channel.
    """

    def __init__(self, in_features: int, out_features: int, channels: int, summed: bool) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.channels = channels
        self.gain = channels**-0.5 if summed else 1.0
        self._place = narrowest(in_features, out_features)

    @abstractmethod
    def channel_matrix(self, channel: int) -> Tensor:
        """ψ(w_c), [out_features, in_features]."""

    @abstractmethod
    def matrix(self) -> Tensor:
        """W̄, the mean of the channels' matrices, [out_features, in_features]."""

    def plain_matrix(self, dtype: torch.dtype | None = None) -> Tensor | None:
        """W̄ for a kernel that reads it itself.

        Parameters
        ----------
        dtype : torch.dtype, optional
            The dtype that the weights must have; by default any.

        Returns
        -------
        Tensor [out_features, in_features], or None
            None where modules have to be called, or more than one map makes W̄.
        """
        return None

    def plain_channels(self, dtype: torch.dtype | None = None) -> Tensor | None:
        """ψ(w_c) of every channel for a kernel that reads them itself, [channels, out_features, in_features].

        As `plain_matrix`, otherwise.
        """
        return None

    def forward(self, x: Tensor) -> Tensor:
        """Multiply by W̄, as a single matrix."""
        return linear_of_few(x, self.matrix())

    def maps(self) -> tuple[Maps, Maps]:
        """Return linear maps that make W̄ in turn: those before the chain's mixing, and those after it.

        Mixing along the chain commutes with mapping features, and is done where nodes are narrowest. Where
        widths are equal the later place is taken: there the weights' gradients need only the inputs, which are
        kept anyway.
        """
        return self._around((self,))

    def _around(self, only: Maps) -> tuple[Maps, Maps]:
        """Let the only map come before or after the mixing."""
        return (only, ()) if self._place else ((), only)

    def channel_maps(self) -> tuple[Maps, Maps]:
        """Return linear maps before and after a mixing that each channel has for itself.

        Before and after the mixing the channels' features stand beside each other. Where no map comes before it,
        they are all x; where none comes after it, they are the outputs, to be added up. Of x and the outputs the
        narrower is mixed.
        """
        if self.in_features < self.out_features:
            return (), (self._from_channels,)
        return (self._to_channels,), ()

    def _channel_matrices(self) -> list[Tensor]:
        return [self.channel_matrix(channel) for channel in range(self.channels)]

    def _from_channels(self, x: Tensor) -> Tensor:
        return linear_of_few(x, torch.cat(self._channel_matrices(), dim=1))

    def _to_channels(self, x: Tensor) -> Tensor:
        return linear_of_few(x, torch.cat(self._channel_matrices()))

    @abstractmethod
    def reset_parameters(self, method: str) -> None:
        """Initialise every channel's matrices from their own fans."""

    def extra_repr(self) -> str:
        """Shape and channels, for `print(model)`."""
        return f"in_features={self.in_features}, out_features={self.out_features}, channels={self.channels}"


def narrowest(*widths: int) -> int:
    """Return the place of the smallest width, and the last of equal widths."""
    return len(widths) - 1 - widths[::-1].index(min(widths))


@without_autocast
def _mean_of_rows(rows: Tensor) -> Tensor:
    """Mean of [count, size], as [1, size]."""
    if is_eager_on_cpu(rows) and rows.dtype in (torch.float32, torch.float64) and rows.numel() <= _FEW:
        return _equal_shares(rows.size(0), rows.dtype).mm(rows)
    return rows.mean(0, keepdim=True)


@built_once(maxsize=32)
def _equal_shares(count: int, dtype: torch.dtype) -> Tensor:
    return torch.full((1, count), 1 / count, dtype=dtype)


class IdentityReconciliation(Reconciliation):
    """w_c is the matrix itself: `linear.weight` [C·n, D] holds the channels below each other."""

    def __init__(
        self,
        in_features: int,
        out_features: int,
        channels: int,
        summed: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(in_features, out_features, channels, summed)
        self.linear = nn.Linear(in_features, channels * out_features, bias=False, device=device, dtype=dtype)

    def _stacked(self) -> Tensor:
        return self.linear.weight.view(self.channels, self.out_features, self.in_features)

    def channel_matrix(self, channel: int) -> Tensor:
        """ψ(w_c), [out_features, in_features]."""
        return self._stacked()[channel]

    def matrix(self) -> Tensor:
        """W̄, [out_features, in_features]."""
        linear: Any = self._modules["linear"]
        mean = _mean_of_rows(linear.weight.view(self.channels, -1))
        return mean.view(self.out_features, self.in_features)

    def plain_matrix(self, dtype: torch.dtype | None = None) -> Tensor | None:
        """W̄, [out_features, in_features]; None where `linear` has to be called, or has another dtype."""
        linear: Any = self._modules["linear"]
        if not is_plain(linear) or dtype not in (None, linear.weight.dtype):
            return None
        weight: Tensor = linear.weight
        return weight if self.channels == 1 else self.matrix()

    def plain_channels(self, dtype: torch.dtype | None = None) -> Tensor | None:
        """ψ(w_c) of every channel; None where `linear` has to be called, or has another dtype."""
        linear: Any = self._modules["linear"]
        return self._stacked() if is_plain(linear) and dtype in (None, linear.weight.dtype) else None

    def _map_channels(self, x: Tensor) -> Tensor:
        """Multiply by W̄; one node's outputs are fewer numbers than the matrices, whose mean is made for more."""
        linear: Any = self._modules["linear"]
        few = not torch.compiler.is_compiling() and x.shape[:-1] == (1,)
        if not few and is_plain(linear):
            return linear_of_few(x, self.matrix())
        outputs = apply_maps((linear,), x)
        if few:
            return _mean_of_rows(outputs.view(self.channels, self.out_features))
        return outputs.view(*x.shape[:-1], self.channels, self.out_features).mean(-2)

    def maps(self) -> tuple[Maps, Maps]:
        """A single map, D → n."""
        linear: Any = self._modules["linear"]  # found faster than as an attribute
        if self.channels == 1:
            return ((linear,), ()) if self._place else ((), (linear,))
        return self._around((self._map_channels,))

    def channel_maps(self) -> tuple[Maps, Maps]:
        """C·D → n or D → C·n."""
        if self.in_features < self.out_features and is_plain(self.linear):
            return super().channel_maps()
        return (self.linear,), ()

    def reset_parameters(self, method: str) -> None:
        """Initialise every channel's matrix."""
        initialise_parts(self.linear.weight, self._stacked, method, self.gain)
