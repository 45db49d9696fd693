"""Launch a kernel past Triton's search and by Triton, on no device: `python -m tests.support.launches_without_device`.

Kernels are compiled for Hopper's devices, and then handed to a driver that writes down what it gets. Writes, as JSON,
which launches were not Triton's, and how many kernels were compiled. The process must not be told to interpret kernels.
"""

import json
import random
import sys

import torch
import triton
import triton.language as tl
from triton import knobs
from triton.backends.compiler import GPUTarget
from triton.runtime.driver import driver
from triton.tools.tensor_descriptor import TensorDescriptor

from chainhead_plugin.chain.backend import set_backend, use_backend
from chainhead_plugin.chain.kernels.launching import compiled, launch as launch_module
from chainhead_plugin.chain.kernels.launching.launch import launch

launches = []


class _Launcher:
    """What would start a compiled kernel."""

    def __init__(self, source, metadata):
        pass

    def __call__(self, *given):
        *grid, stream, function, metadata, _, entering, leaving = given[:9]
        if entering is not None:
            entering(None)
        launches.append((self, grid, stream, function, metadata, given[9:]))
        if leaving is not None:
            leaving(None)


class _Utils:
    """What would talk to the device."""

    def load_binary(self, name, kernel, shared, device):
        return object(), object(), 32, 0, 1024

    def unload_module(self, module):
        pass

    def get_device_properties(self, device):
        return {"max_shared_mem": 232448}


class _Driver:
    """A driver of a Hopper device that is not there."""

    def __init__(self):
        self.utils = _Utils()
        self.launcher_cls = _Launcher
        self.get_current_device = lambda: 0
        self.get_current_stream = lambda device: 7
        self.set_current_device = lambda device: None
        self.get_device_capability = lambda device: (9, 0)

    def get_current_target(self):
        return GPUTarget("cuda", 90, 32)

    @staticmethod
    def is_active():
        return True


@triton.jit
def kernel(  # type: ignore[no-untyped-def]
    x, taps, y, factor, length, HOPS: tl.constexpr, DESCRIBED: tl.constexpr, BLOCK: tl.constexpr = 16
):  # fmt: skip
    """A tile of nodes times a factor, and taps if there are any."""
    place = tl.arange(0, BLOCK)
    if DESCRIBED:
        nodes = tl.reshape(x.load([0, 0]), (BLOCK,))
    else:
        nodes = tl.load(x + place, mask=place < length, other=0)
    if taps is not None:
        nodes *= tl.load(taps + HOPS[0] + place)
    tl.store(y + place, nodes * factor, mask=place < length)


def cases():
    """Arguments and constants, each of another variant of the kernel, by name."""
    x, taps = torch.zeros(64, dtype=torch.bfloat16), torch.zeros(64)
    plain = {"HOPS": (0, 1), "DESCRIBED": False}
    usual = (x, taps, x, 0.5, 32)
    matrix = x.view(4, 16)
    return {
        "usual": (usual, plain),
        "nodes between multiples of 16 bytes": ((x[1:], *usual[1:]), plain),
        "results between multiples of 16 bytes": ((*usual[:2], x[4:], *usual[3:]), plain),
        "no taps": ((x, None, *usual[2:]), plain),
        "taps in double precision": ((x, taps.double(), *usual[2:]), plain),
        "nodes in float16": ((x.half(), *usual[1:]), plain),
        "a factor that is whole": ((*usual[:3], 2, 32), plain),
        "a factor of 1": ((*usual[:3], 1, 32), plain),
        "a length of 1": ((*usual[:4], 1), plain),
        "a length that is no multiple of 16": ((*usual[:4], 33), plain),
        "a length beyond 32 bits": ((*usual[:4], 2**31 + 16), plain),
        "other hops": (usual, plain | {"HOPS": (1, 0)}),
        "larger tiles": (usual, plain | {"BLOCK": 32}),
        "more warps": (usual, plain | {"num_warps": 8}),
        "more stages": (usual, plain | {"num_stages": 5}),
        "described": (
            (TensorDescriptor(matrix, [4, 16], [16, 1], [1, 16]), *usual[1:]),
            plain | {"DESCRIBED": True},
        ),
        "described in other tiles": (
            (TensorDescriptor(matrix, [4, 16], [16, 1], [2, 16]), *usual[1:]),
            plain | {"DESCRIBED": True, "BLOCK": 32},
        ),
    }


def like_triton(arguments, constants):
    """Whether a launch hands over what Triton's hands over."""
    launches.clear()
    kernel[(3,)](*arguments, **constants)
    launch(kernel, 3, arguments[2], *arguments, **constants)
    expected, found = launches
    return all(
        one is other or (type(one) is type(other) is not torch.Tensor and one == other)
        for one, other in zip(flat(expected), flat(found), strict=True)
    )


def flat(launched):
    """All that a launch hands over."""
    *first, arguments = launched
    return *first, *arguments


def watchers(told):
    """Ways to be told of launches: a name, and what begins and ends it."""

    def note(*_, **__):
        told.append(1)

    runtime = knobs.runtime
    return {
        "enter": (
            lambda: runtime.launch_enter_hook.add(note),
            lambda: runtime.launch_enter_hook.remove(note),
        ),
        "exit": (lambda: runtime.launch_exit_hook.add(note), lambda: runtime.launch_exit_hook.remove(note)),
        "before": (lambda: kernel.add_pre_run_hook(note), kernel.pre_run_hooks.clear),
    }


def _passed_over(case):
    """Return the backends with which Triton does not see a launch of a kernel that is compiled already."""
    arguments, constants = case
    own, found, counts = launch_module.launch_compiled, [], []
    launch_module.launch_compiled = lambda *given: counts.append(given)
    for name in ("auto", "triton", "fused"):
        counts.clear()
        with use_backend(name):
            launch(kernel, 3, arguments[2], *arguments, **constants)
        if counts:
            found.append(name)
    launch_module.launch_compiled = own
    return found


def main():
    """Try everything, in several orders, and write down what went wrong."""
    driver.set_active(_Driver())
    set_backend("fused")
    tried = list(cases().items()) * 3
    random.Random(0).shuffle(tried)
    different = [name for name, case in tried if not like_triton(*case)]
    found = len(compiled._compiled)
    kernels = len({id(each.kernel) for each in compiled._compiled.values()})

    usual = cases()["usual"]
    unheard, told = [], []
    for name, (begin, end) in watchers(told).items():
        told.clear()
        begin()
        launch(kernel, 3, usual[0][2], *usual[0], **usual[1])
        end()
        if not told:
            unheard.append(name)

    knobs.runtime.debug = True
    debugged = like_triton(*usual)
    knobs.runtime.debug = False

    passed_over = _passed_over(usual)
    known = compiled.can_launch(kernel)
    compiled._is_known = False
    unknown = compiled.can_launch(kernel)
    json.dump(
        {
            "different": different, "variants": len(cases()), "found": found, "kernels": kernels,
            "unheard": unheard, "passed_over": passed_over, "debugged": debugged,
            "known": known, "known_in_another_version": unknown,
        },
        sys.stdout,
    )  # fmt: skip


if __name__ == "__main__":
    main()
