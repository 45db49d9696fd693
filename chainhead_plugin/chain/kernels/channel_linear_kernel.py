"""The Triton program of channels that take nodes at distances of their own, which `channel_linear` launches."""

from .tiles.products import product

try:
    import triton
    import triton.language as tl
except ImportError as error:
    raise ImportError("the Triton kernels need Triton: pip install triton") from error


@triton.jit
def _moved_nodes(  # type: ignore[no-untyped-def]
    x, first_chain, first_node, hop, feature, batch, length, m,
    DESCRIBED: tl.constexpr, CHAINS: tl.constexpr, NODES: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    """The nodes `hop` before those of a tile, [CHAINS · NODES, BLOCK_K]; beyond the ends of chains zeros."""
    ROWS: tl.constexpr = CHAINS * NODES
    if DESCRIBED:
        tile = tl.reshape(x.load([first_chain, first_node - hop, feature]), (ROWS, BLOCK_K))
    else:
        index = tl.arange(0, ROWS)
        chain, node = first_chain + index // NODES, first_node + index % NODES - hop
        column = feature + tl.arange(0, BLOCK_K)
        inside = (chain < batch) & (node >= 0) & (node < length)
        place = (chain.to(tl.int64) * length + node)[:, None] * m + column[None, :]
        tile = tl.load(x + place, mask=inside[:, None] & (column < m)[None, :], other=0)
    return tile


@triton.jit
def _channel_weights(  # type: ignore[no-untyped-def]
    weight, first_row, feature, rows, m,
    DESCRIBED: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    """Rows of the channels' matrices, which lie below each other; beyond the last row anything."""
    if DESCRIBED:
        tile = weight.load([first_row, feature])
    else:
        row, column = tl.minimum(first_row + tl.arange(0, BLOCK_N), rows - 1), feature + tl.arange(0, BLOCK_K)
        place = weight + row.to(tl.int64)[:, None] * m + column[None, :]
        tile = tl.load(place, mask=(column < m)[None, :], other=0)
    return tile


@triton.jit
def channel_linear_kernel(  # type: ignore[no-untyped-def]
    x, weight, bias, y, starts, counts, batch, length, m, n, programs,
    HOPS: tl.constexpr,
    DESCRIBED: tl.constexpr, MASKED: tl.constexpr, BIASED: tl.constexpr, RELU: tl.constexpr, WIDENED: tl.constexpr,
    CHAINS: tl.constexpr, NODES: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr, GROUP: tl.constexpr = 8,
):  # fmt: skip
    """Tiles of NODES nodes of CHAINS chains and BLOCK_N outputs in turn, in groups that stay in the cache.

    A tile's products are added up over channels and features in a single loop, so that loads of the next channel are on
    their way while the last products of a channel are made.
    """
    ROWS: tl.constexpr = CHAINS * NODES
    blocks_t, blocks_n = tl.cdiv(length, NODES), tl.cdiv(n, BLOCK_N)
    blocks_m = tl.cdiv(batch, CHAINS) * blocks_t
    parts = tl.cdiv(m, BLOCK_K)
    for tile in tl.range(tl.program_id(0), blocks_m * blocks_n, programs, flatten=True):
        first = tile // (GROUP * blocks_n) * GROUP
        group = min(blocks_m - first, GROUP)
        block = first + tile % (GROUP * blocks_n) % group
        first_chain, first_node = block // blocks_t * CHAINS, block % blocks_t * NODES
        first_column = tile % (GROUP * blocks_n) // group * BLOCK_N

        products = tl.zeros((ROWS, BLOCK_N), tl.float32)
        for step in range(len(HOPS) * parts):
            channel, feature = step // parts, step % parts * BLOCK_K
            # Not looked up: a load that others wait for would leave them half of their stages.
            hop = HOPS[0]
            for number in tl.static_range(1, len(HOPS)):
                hop = tl.where(channel == number, HOPS[number], hop)
            nodes = _moved_nodes(
                x, first_chain, first_node, hop, feature, batch, length, m, DESCRIBED, CHAINS, NODES, BLOCK_K
            )
            # Columns beyond n, which are another channel's, are not stored.
            weights = _channel_weights(
                weight, channel * n + first_column, feature, len(HOPS) * n, m, DESCRIBED, BLOCK_N, BLOCK_K
            )
            products = product(nodes, weights.T, products, WIDENED)

        index = tl.arange(0, ROWS)
        chain, node = first_chain + index // NODES, first_node + index % NODES
        exists = (chain < batch) & (node < length)
        column = first_column + tl.arange(0, BLOCK_N)
        within = column < n
        if BIASED:
            products += tl.load(bias + column, mask=within, other=0).to(tl.float32)[None, :]
        if RELU:
            products = tl.maximum(products, 0)
        if MASKED:
            start = tl.load(starts + chain, mask=exists, other=0)
            real = (node >= start) & (node < start + tl.load(counts + chain, mask=exists, other=0))
            products = tl.where(real[:, None], products, 0)
        tl.store(
            y + (chain.to(tl.int64) * length + node)[:, None] * n + column[None, :],
            products.to(y.dtype.element_ty),
            mask=exists[:, None] & within[None, :],
        )
