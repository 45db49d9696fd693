"""Keeping autocast out of what must not be rounded."""

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

import torch
from torch import Tensor

_Rest = ParamSpec("_Rest")
_Result = TypeVar("_Result")
_Function = Callable[Concatenate[Tensor, _Rest], _Result]


def without_autocast(function: _Function[_Rest, _Result]) -> _Function[_Rest, _Result]:
    """Let a function of a Tensor, and of more, compute in that Tensor's dtype.

    Autocast would round what goes into the matrix products and convolutions that mixing is made of, although
    they stand for sums of few terms that are wanted in float32.
    """

    @functools.wraps(function)
    def wrapped(x: Tensor, /, *args: _Rest.args, **kwargs: _Rest.kwargs) -> _Result:
        device = "cpu" if x.is_cpu else x.device.type  # which is slow to ask for
        if not ((device == "cpu" or _has_autocast(device)) and torch.is_autocast_enabled(device)):
            return function(x, *args, **kwargs)
        with torch.autocast(device, enabled=False):
            return function(x, *args, **kwargs)

    return wrapped


@torch.compiler.assume_constant_result  # which torch.compile of torch 2.7 cannot look into
def _has_autocast(device: str) -> bool:
    return torch.amp.is_autocast_available(device)
