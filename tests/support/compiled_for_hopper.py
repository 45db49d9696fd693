"""Compile the fused kernel for Hopper's devices, without one: `python -m tests.support.compiled_for_hopper`.

Writes, as JSON, for each variant what the device would have to hold and which instructions multiply matrices. The
process must not be told to interpret kernels.
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

from chainhead_plugin.chain.kernels.bands import ROWS
from chainhead_plugin.chain.kernels.mixed_products import TILES, mixed_products_kernel

ARCHITECTURE = 90
_POINTERS = {"x": "*bf16", "weight": "*bf16", "bands": "*bf16", "bias": "*bf16", "y": "*bf16"}
_POINTERS |= {"starts": "*i32", "counts": "*i32", "scales": "*fp32", "shares": "*fp32", "carries": "*fp32"}
VARIANTS = {
    "filter": {"BACK": 6, "AHEAD": 6, "REFLECTED": True},
    "filter in two parts, with everything": {
        "BACK": 32, "AHEAD": 32, "REFLECTED": True, "PARTS": 2, "MASKED": True, "SCALED": True, "BIASED": True,
        "RELU": True, "EVEN": False,
    },
    "sum": {"CARRIED": True, "PARTS": 2},
}  # fmt: skip
_UNUSED = {
    "BIASED": ("bias",),
    "MASKED": ("starts", "counts"),
    "SCALED": ("scales",),
    "CARRIED": ("shares", "carries"),
}


def compiled(variant):
    """Registers that are spilled, bytes of shared memory, and how many products run on the tensor cores' own."""
    constants = {
        "BACK": 0, "AHEAD": 0, "PARTS": 1, "EVEN": True, "WIDENED": False,
        **dict.fromkeys(("REFLECTED", "MASKED", "SCALED", "CARRIED", "BIASED", "RELU"), False),
        "BLOCK_M": ROWS, "BLOCK_N": TILES.block_n, "BLOCK_K": TILES.block_k, "weight_stride_m": 1, **variant,
    }  # fmt: skip
    constants |= {name: None for switch, names in _UNUSED.items() if not constants[switch] for name in names}
    names = mixed_products_kernel.arg_names
    signature = {name: _POINTERS.get(name, "fp32" if name == "factor" else "i32") for name in names}
    signature |= dict.fromkeys(constants, "constexpr")
    # As Triton finds them at a launch whose widths are multiples of 16.
    multiples = ("m", "n", "weight_stride_n")
    aligned = [place for place, name in enumerate(names) if signature[name][0] == "*" or name in multiples]
    source = ASTSource(
        mixed_products_kernel,
        signature,
        {(names.index(name),): value for name, value in constants.items()},
        {(place,): [["tt.divisibility", 16]] for place in aligned},
    )
    kernel = triton.compile(
        source,
        target=GPUTarget("cuda", ARCHITECTURE, 32),
        options={"num_warps": TILES.warps, "num_stages": TILES.stages},
    )
    text = kernel.asm["ptx"]
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
        "shared": kernel.metadata.shared,
        "products": text.count("wgmma.mma_async"),
    }


if __name__ == "__main__":
    json.dump({name: compiled(variant) for name, variant in VARIANTS.items()}, sys.stdout)
