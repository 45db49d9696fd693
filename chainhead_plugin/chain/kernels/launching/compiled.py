"""Launches of kernels that are compiled already, past the search that Triton makes for them.

At every launch Triton sorts arguments by name, writes options down as text and looks the kernel up by both, which takes
longer than anything else before a launch. Here it is looked up by its constants, and by what Triton itself says of the
other arguments: their types, and which are 1 or multiples of 16. What is not found goes through Triton once.
"""

from typing import Any, NamedTuple

try:
    import triton
    from triton import knobs
    from triton._C.libtriton import native_specialize_impl
    from triton.runtime.driver import driver
    from triton.runtime.jit import JITFunction
except ImportError:  # without Triton, or in another version
    JITFunction = None

# Versions whose compiled kernels are known to take what they are given here.
_KNOWN = ("3.8.",)


class _Compiled(NamedTuple):
    """A compiled kernel, and the constants that follow the arguments of its launches."""

    kernel: Any
    constants: tuple[Any, ...]


_compiled: dict[tuple[Any, ...], _Compiled] = {}


def can_launch(kernel: Any) -> bool:
    """Whether `launch_compiled` may launch a kernel: of a known Triton, which has nobody to tell of it.

    Debuggers, profilers and what else hooks into launches are told by Triton alone.
    """
    if type(kernel) is not JITFunction or not _is_known or kernel.pre_run_hooks or kernel.debug:
        return False
    runtime = knobs.runtime
    for hook in (runtime.launch_enter_hook, runtime.launch_exit_hook):
        if getattr(hook, "calls", hook):  # a chain of hooks, or a hook
            return False
    return not (runtime.debug or runtime.add_stages_inspection_hook or knobs.compilation.instrumentation_mode)


_is_known = JITFunction is not None and triton.__version__.startswith(_KNOWN)


def launch_compiled(
    kernel: Any, programs: int, arguments: tuple[Any, ...], constants: dict[str, Any]
) -> None:
    """Launch a kernel on the current device.

    Parameters
    ----------
    kernel : triton.JITFunction
        For which `can_launch`.
    programs, arguments, constants
        As for `launch`.
    """
    active = driver.active
    device = active.get_current_device()
    backend = kernel.device_caches[device][3]
    key = (
        id(kernel),
        device,
        *constants,
        *constants.values(),
        *[native_specialize_impl(backend, argument, False, True, True) for argument in arguments],
    )
    found = _compiled.get(key)
    if found is None:
        _compile(key, kernel, programs, arguments, constants)
        return
    compiled = found.kernel
    compiled.run(
        programs, 1, 1, active.get_current_stream(device), compiled.function, compiled.packed_metadata,
        None, None, None, *arguments, *found.constants,
    )  # fmt: skip


def _compile(
    key: tuple[Any, ...], kernel: Any, programs: int, arguments: tuple[Any, ...], constants: dict[str, Any]
) -> None:
    """Let Triton launch a kernel, and keep what it has compiled or found."""
    compiled = kernel[(programs,)](*arguments, **constants)
    if compiled is not None:
        rest = list(kernel.signature.parameters.values())[len(arguments) :]
        values = tuple(constants.get(parameter.name, parameter.default) for parameter in rest)
        _compiled[key] = _Compiled(compiled, values)
