"""What depends on options alone: tensors, built once, and numbers that tensors help to find."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import torch
from torch.utils._python_dispatch import _disable_current_modes, _get_current_dispatch_mode

_Key = ParamSpec("_Key")
_Built = TypeVar("_Built")


def built_once(maxsize: int) -> Callable[[Callable[_Key, _Built]], Callable[_Key, _Built]]:
    """Let a function of hashable arguments build its tensors once, for whatever mode they are used in later.

    A tensor that is built in inference mode could never be saved for a gradient, and a tensor built under a dispatch
    mode (`FakeTensorMode`) would belong to that mode. A compiler traces the building. While a CUDA graph is captured
    nothing is computed, so that a call with arguments that are new then is a RuntimeError; and what a graph reads is
    kept for as long as the process lasts.

    Parameters
    ----------
    maxsize : int
        How many results to keep, of the arguments used last.
    """

    def decorate(build: Callable[_Key, _Built]) -> Callable[_Key, _Built]:
        @functools.lru_cache(maxsize)
        def kept(*key: _Key.args, **named: _Key.kwargs) -> _Built:
            if _captures_a_graph():
                raise RuntimeError(
                    "a tensor that chains need cannot be made while a CUDA graph is captured: call the module once "
                    "with inputs of the same shape, dtype and device before, as torch.cuda.graph wants of any module"
                )
            with torch.inference_mode(False), torch.no_grad():
                return build(*key, **named)

        @functools.wraps(build)
        def built(*key: _Key.args, **named: _Key.kwargs) -> _Built:
            if torch.compiler.is_compiling() or _get_current_dispatch_mode() is not None:
                return build(*key, **named)
            result = kept(*key, **named)  # type: ignore[arg-type]
            if _captures_a_graph():
                _read_by_graphs[id(result)] = result
            return result

        return built

    return decorate


# What graphs read by its address: without this it might be freed when it is no longer among those used last.
_read_by_graphs: dict[int, object] = {}


def _captures_a_graph() -> bool:
    there = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    return bool(there) and torch.cuda.is_current_stream_capturing()


def found_once(maxsize: int) -> Callable[[Callable[_Key, _Built]], Callable[_Key, _Built]]:
    """Let a function of hashable arguments find Python's numbers by means of tensors, once.

    It runs under no dispatch mode: under that of an exporter, or `FakeTensorMode`, its tensors would have no values.

    Parameters
    ----------
    maxsize : int
        How many results to keep, of the arguments used last.
    """

    def decorate(find: Callable[_Key, _Built]) -> Callable[_Key, _Built]:
        @functools.lru_cache(maxsize)
        @functools.wraps(find)
        def found(*key: _Key.args, **named: _Key.kwargs) -> _Built:
            with _disable_current_modes():
                return find(*key, **named)

        return found  # type: ignore[return-value]

    return decorate
