"""Products of tiles, in Triton."""

try:
    import triton
    import triton.language as tl
except ImportError as error:
    raise ImportError("the Triton kernels need Triton: pip install triton") from error


@triton.jit
def product(left, right, total, WIDENED: tl.constexpr):  # type: ignore[no-untyped-def]
    """`total` + left · right, in float32."""
    if WIDENED:  # for the interpreter, which has no products of bfloat16
        total = tl.dot(left.to(tl.float32), right.to(tl.float32), total, input_precision="ieee")
    else:
        total = tl.dot(left, right, total)
    return total
