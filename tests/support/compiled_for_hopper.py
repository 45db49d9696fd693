"""Compile the fused kernels for Hopper's devices, without one: `python -m tests.support.compiled_for_hopper`.

Writes, as JSON, for each variant of each kernel what the device would have to hold and which instructions multiply
matrices. The process must not be told to interpret kernels.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from chainhead_plugin.chain.kernels.banded_nodes import WARPS, WIDEST, banded_nodes_kernel
from chainhead_plugin.chain.kernels.channel_linear_kernel import channel_linear_kernel
from chainhead_plugin.chain.kernels.mixed_products import TILES, mixed_products_kernel
from chainhead_plugin.chain.kernels.tiles.bands import ROWS
from chainhead_plugin.chain.kernels.tiles.copy_engine import tiles_for

ARCHITECTURE = 90
_POINTERS = {
    **dict.fromkeys(("x", "weight", "bands", "bias", "y"), "*bf16"),
    **dict.fromkeys(("starts", "counts"), "*i32"),
    **dict.fromkeys(("scales", "shares", "carries"), "*fp32"),
    "factor": "fp32",
}
# As Triton finds them at a launch whose widths are multiples of 16.
_MULTIPLES = ("m", "n", "width", "weight_stride_n")
# Tensors that are there with a switch alone.
_SWITCHED = {
    "BIASED": ("bias",),
    "MASKED": ("starts", "counts"),
    "SCALED": ("scales",),
    "CARRIED": ("shares", "carries"),
}
_OFF = dict.fromkeys(("MASKED", "BIASED", "RELU", "WIDENED"), False)


def mixed(**switches):
    """A variant of the linear map with a band behind it."""
    constants = {
        "BACK": 0, "AHEAD": 0, "PARTS": 1, "EVEN": True, "weight_stride_m": 1,
        **_OFF, **dict.fromkeys(("REFLECTED", "SCALED", "CARRIED"), False),
        "BLOCK_M": ROWS, "BLOCK_N": TILES.block_n, "BLOCK_K": TILES.block_k, **switches,
    }  # fmt: skip
    return compiled(mixed_products_kernel, {}, constants, TILES.warps, TILES.stages)


def banded(**switches):
    """A variant of nodes times a band."""
    constants = {
        "BACK": 0, "AHEAD": 0, "PARTS": 1, **dict.fromkeys(("MASKED", "WIDENED"), False),
        **dict.fromkeys(("REFLECTED", "SCALED", "SCALED_AFTER", "CARRIED"), False),
        "BLOCK_M": ROWS, "BLOCK_F": WIDEST, **switches,
    }  # fmt: skip
    return compiled(banded_nodes_kernel, {}, constants, WARPS, 3)


def channels(n, hops, chains, **switches):
    """A variant of the channels with hops of their own, whose tiles come by the copy engine."""
    tiles = tiles_for(n, described=True)
    nodes = tiles.block_m // chains
    descriptors = {
        "x": f"tensordesc<bf16[{chains},{nodes},{tiles.block_k}]>",
        "weight": f"tensordesc<bf16[{tiles.block_n},{tiles.block_k}]>",
    }
    constants = {
        "HOPS": hops, "DESCRIBED": True, **_OFF, "CHAINS": chains, "NODES": nodes, "BLOCK_N": tiles.block_n,
        "BLOCK_K": tiles.block_k, "GROUP": 8, **switches,
    }  # fmt: skip
    found = compiled(channel_linear_kernel, descriptors, constants, tiles.warps, tiles.stages)
    return found | {"tiles": tiles.stages * (tiles.block_m + tiles.block_n) * tiles.block_k * 2}


VARIANTS = {
    "filter": lambda: mixed(BACK=6, AHEAD=6, REFLECTED=True),
    "filter in two parts, with everything": lambda: mixed(
        BACK=32,
        AHEAD=32,
        REFLECTED=True,
        PARTS=2,
        MASKED=True,
        SCALED=True,
        BIASED=True,
        RELU=True,
        EVEN=False,
    ),
    "sum": lambda: mixed(CARRIED=True, PARTS=2),
    "nodes alone, filtered": lambda: banded(
        BACK=12, AHEAD=12, REFLECTED=True, PARTS=2, MASKED=True, SCALED=True
    ),
    "nodes alone, summed": lambda: banded(CARRIED=True),
    "channels": lambda: channels(1024, tuple(range(-4, 5)), 1),
    "channels of short chains, with everything": lambda: channels(
        128, (0, 1), 16, MASKED=True, BIASED=True, RELU=True
    ),
}


def compiled(kernel, types, constants, warps, stages):
    """Registers that are spilled, bytes of shared memory, and how many products run on the tensor cores' own.

    Parameters
    ----------
    kernel : triton.JITFunction
    types : dict
        Of arguments that are not what their names say everywhere.
    constants : dict
    warps, stages : int

    Returns
    -------
    dict
    """
    names = kernel.arg_names
    unused = [name for switch, given in _SWITCHED.items() if not constants.get(switch) for name in given]
    constants = constants | {name: None for name in unused if name in names}
    signature = {name: types.get(name, _POINTERS.get(name, "i32")) for name in names}
    signature |= dict.fromkeys(constants, "constexpr")
    aligned = [place for place, name in enumerate(names) if signature[name][0] == "*" or name in _MULTIPLES]
    source = ASTSource(
        kernel,
        signature,
        {(names.index(name),): value for name, value in constants.items()},
        {(place,): [["tt.divisibility", 16]] for place in aligned},
    )
    made = triton.compile(
        source,
        target=GPUTarget("cuda", ARCHITECTURE, 32),
        options={"num_warps": warps, "num_stages": stages},
    )
    text = made.asm["ptx"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "kernel.ptx")
        file.write_text(text, encoding="utf-8")
        assembler = [triton.knobs.nvidia.ptxas.path, "-v", f"--gpu-name=sm_{ARCHITECTURE}a"]
        report = subprocess.run(
            [*assembler, str(file), "-o", str(Path(folder, "kernel.cubin"))],
            capture_output=True,
            text=True,
            check=True,
        ).stderr
    return {
        "spilled": int(re.search(r"(\d+) bytes spill stores", report)[1]),
        "registers": int(re.search(r"Used (\d+) registers", report)[1]),
        "shared": made.metadata.shared,
        "products": text.count("wgmma.mma_async"),
        "copies": text.count("cp.async.bulk.tensor"),
    }


if __name__ == "__main__":
    json.dump({name: compile_variant() for name, compile_variant in VARIANTS.items()}, sys.stdout)
