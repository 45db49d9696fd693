"""Where the nodes of a tile are taken from, on a chain that goes on beyond its ends."""

try:
    import triton
    import triton.language as tl
except ImportError as error:
    raise ImportError("the Triton kernels need Triton: pip install triton") from error


@triton.jit
def sources(  # type: ignore[no-untyped-def]
    node, start, count, reach_start, reach_stop, REFLECTED: tl.constexpr, BLOCK_M: tl.constexpr
):  # fmt: skip
    """The nodes whose features stand at places of an endless chain, whether there are such, and their signs."""
    source = node - start
    sign = tl.full((BLOCK_M,), 1, tl.float32)
    if REFLECTED:  # noqa: SIM102 (known to the compiler, unlike the other)
        if (reach_start < start) | (reach_stop > start + count):
            # Odd reflection about a zero next to either end, again and again: period 2·count + 2.
            period = 2 * count + 2
            phase = (source % period + period) % period
            mirrored = phase > count
            source = tl.where(mirrored, 2 * count - phase, phase)
            sign = tl.where(mirrored, -1, 1).to(tl.float32)
    inside = (source >= 0) & (source < count)
    return tl.where(inside, source + start, 0), inside, sign
