"""Which implementation mixes chains: plain PyTorch, or Triton kernels on a CUDA device."""

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, get_args

import torch
from torch import Tensor, nn

Backend = Literal["auto", "torch", "triton", "fused"]

_KERNELS = ("triton", "fused")

_chosen: Backend = "auto"


def set_backend(name: Backend) -> None:
    """Choose how chains are mixed, in the whole process.

    Parameters
    ----------
    name : {"auto", "torch", "triton", "fused"}
        "auto", the default, takes the Triton kernels for CUDA tensors in eager mode where Triton is installed,
        and PyTorch otherwise: under `torch.compile` the compiler fuses the plain form. "triton" takes the kernels
        always, and fails where they cannot run; with ``TRITON_INTERPRET=1`` they run on the CPU, slowly. "fused" is
        "triton" with the linear map and the filter or running sum behind it in one kernel, or the maps of channels with
        hops of their own, in half precision, and with dense products for a few short chains and for the bi-directional
        inverse in bfloat16. Both let what is not finite spread to nodes nearby, in either direction. The kernels are
        right in Triton's interpreter, but nobody has measured them on a device: "auto" does not take them.

    Raises
    ------
    ValueError
        If there is no backend of that name.
    ImportError
        If "triton" or "fused" is chosen and Triton is not installed.
    """
    global _chosen  # noqa: PLW0603  (like torch's own backend switches, for the whole process)
    if name not in get_args(Backend):
        raise ValueError(f"there is no backend {name!r}: choose one of {', '.join(get_args(Backend))}")
    if name in _KERNELS and not _has_triton:
        raise ImportError(f"the backend {name!r} needs Triton: pip install triton, or choose 'auto'")
    _chosen = name


def backend() -> Backend:
    """Return the chosen backend."""
    return _chosen


@contextmanager
def use_backend(name: Backend) -> Iterator[None]:
    """`set_backend` for the length of a ``with`` block."""
    before = _chosen
    set_backend(name)
    try:
        yield
    finally:
        set_backend(before)


def runs_on_triton(x: Tensor) -> bool:
    """Whether the Triton kernels are to mix `x`; a RuntimeError if they are and cannot."""
    if _chosen == "torch":
        return False
    if _chosen in _KERNELS:
        if not x.is_cuda and os.environ.get("TRITON_INTERPRET") != "1":
            raise RuntimeError(
                f"the Triton kernels cannot run on a tensor on {x.device.type!r}: move it to 'cuda', choose the "
                "backend 'auto', or start Python with TRITON_INTERPRET=1 to interpret them"
            )
        return True
    return _has_triton and x.is_cuda and not torch.compiler.is_compiling()


_has_triton = importlib.util.find_spec("triton") is not None


def is_eager_on_cpu(x: Tensor) -> bool:
    """Whether hand-made forms pay, some of which look at values: a compiler fuses the plain forms itself."""
    return x.is_cpu and type(x) in (Tensor, nn.Parameter) and not torch.compiler.is_compiling()


def values_of(x: Tensor) -> Tensor:
    """Return a tensor whose values can be looked at: within `torch.func`'s transforms, that of all they map over."""
    wrapped = torch._C._functorch
    while wrapped.is_functorch_wrapped_tensor(x):
        x = wrapped.get_unwrapped(x)
    return x


def is_mapped(x: Tensor) -> bool:
    """Whether `torch.vmap` maps over a tensor, alone or among other transforms."""
    wrapped = torch._C._functorch
    while wrapped.is_functorch_wrapped_tensor(x):
        if wrapped.is_batchedtensor(x):
            return True
        x = wrapped.get_unwrapped(x)
    return False


def refuse_tracing() -> None:
    """Refuse `torch.jit.trace` and tools that are built on it: their graphs hold only for inputs like the example.

    Shortcuts look at values, such as whether a mask has padding, and forms depend on the length.

    Raises
    ------
    RuntimeError
        While the tracer of TorchScript, or the ONNX exporter that uses it, runs.
    """
    if torch.jit.is_tracing():  # type: ignore[attr-defined,no-untyped-call]
        raise RuntimeError(
            "chain heads cannot be traced by torch.jit.trace, nor exported by torch.onnx.export(dynamo=False): the "
            "graph would ignore masks and other lengths. Use torch.export.export, or torch.onnx.export(dynamo=True)"
        )


def is_exporting() -> bool:
    """Whether `torch.export` is tracing."""
    return torch.compiler.is_exporting()
