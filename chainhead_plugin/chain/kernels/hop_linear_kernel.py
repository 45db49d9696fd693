"""The Triton program of a single hop after a linear map, which `hop_linear` launches."""

try:
    import triton
    import triton.language as tl
except ImportError as error:
    raise ImportError("the Triton kernels need Triton: pip install triton") from error


@triton.jit
def _halves(products, ROWS: tl.constexpr, WIDTH: tl.constexpr):  # type: ignore[no-untyped-def]
    """The left and the right half of the columns."""
    return tl.split(tl.permute(tl.reshape(products, (ROWS, 2, WIDTH // 2)), (0, 2, 1)))


@triton.jit
def _every_fourth(products, ROWS: tl.constexpr, WIDTH: tl.constexpr):  # type: ignore[no-untyped-def]
    """Rows 4i, 4i + 1, 4i + 2 and 4i + 3, each [ROWS / 4, WIDTH]."""
    even, odd = tl.split(tl.permute(tl.reshape(products, (ROWS // 4, 2, 2, WIDTH)), (0, 3, 1, 2)))
    row_0, row_2 = tl.split(even)
    row_1, row_3 = tl.split(odd)
    return row_0, row_1, row_2, row_3


@triton.jit
def _woven(row_0, row_1, row_2, row_3, ROWS: tl.constexpr, WIDTH: tl.constexpr):  # type: ignore[no-untyped-def]
    """The inverse of `_every_fourth`."""
    joined = tl.join(tl.join(row_0, row_2), tl.join(row_1, row_3))
    return tl.reshape(tl.permute(joined, (0, 2, 3, 1)), (ROWS, WIDTH))


@triton.jit
def _store_mixed(  # type: ignore[no-untyped-def]
    products, y, bias, self_weight, row, first_column, kept, real, has_before, has_after, n,
    BOTH_WAYS: tl.constexpr, OWN: tl.constexpr, BIASED: tl.constexpr, RELU: tl.constexpr,
    ROWS: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    """Let every row take in its neighbours, and store those that have both at hand."""
    row_0, row_1, row_2, row_3 = _every_fourth(products, ROWS, WIDTH)
    FOURTH: tl.constexpr = ROWS // 4
    fourth = tl.arange(0, FOURTH)[:, None]
    before = tl.gather(row_3, tl.broadcast_to(tl.maximum(fourth - 1, 0), (FOURTH, WIDTH)), 0)
    mixed = tl.where(has_before[:, None], _woven(before, row_0, row_1, row_2, ROWS, WIDTH), 0)
    if BOTH_WAYS:
        after = tl.gather(row_0, tl.broadcast_to(tl.minimum(fourth + 1, FOURTH - 1), (FOURTH, WIDTH)), 0)
        mixed += tl.where(has_after[:, None], _woven(row_1, row_2, row_3, after, ROWS, WIDTH), 0)
    if OWN:
        mixed += self_weight * _woven(row_0, row_1, row_2, row_3, ROWS, WIDTH)

    column = first_column + tl.arange(0, WIDTH)
    if BIASED:
        mixed += tl.load(bias + column, mask=column < n, other=0).to(tl.float32)[None, :]
    if RELU:
        mixed = tl.maximum(mixed, 0)

    tl.store(
        y + row.to(tl.int64)[:, None] * n + column[None, :],
        tl.where(real[:, None], mixed, 0).to(y.dtype.element_ty),
        mask=kept[:, None] & (column < n)[None, :],
    )


@triton.jit
def _load_tile(  # type: ignore[no-untyped-def]
    matrix, first_row, first_column, rows, columns,
    DESCRIBED: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr,
):  # fmt: skip
    """A tile of a matrix [rows, columns]; beyond its columns zeros, beyond its rows anything."""
    if DESCRIBED:
        tile = matrix.load([first_row, first_column])
    else:
        row = tl.minimum(tl.maximum(first_row + tl.arange(0, ROWS), 0), rows - 1)
        column = first_column + tl.arange(0, COLUMNS)
        place = matrix + row.to(tl.int64)[:, None] * columns + column[None, :]
        tile = tl.load(place, mask=(column < columns)[None, :], other=0)
    return tile


@triton.jit
def hop_linear_kernel(  # type: ignore[no-untyped-def]
    x, weight, bias, y, starts, counts, self_weight, rows, length, m, n, programs,
    DESCRIBED: tl.constexpr, MASKED: tl.constexpr, BOTH_WAYS: tl.constexpr, OWN: tl.constexpr,
    BIASED: tl.constexpr, RELU: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr, GROUP: tl.constexpr = 8,
):  # fmt: skip
    """Tiles [BLOCK_M nodes, BLOCK_N outputs] in turn, in groups that stay in the cache."""
    STEP: tl.constexpr = BLOCK_M - 1 - BOTH_WAYS
    HALF: tl.constexpr = BLOCK_N // 2
    blocks_m, blocks_n = tl.cdiv(rows, STEP), tl.cdiv(n, BLOCK_N)
    for tile in tl.range(tl.program_id(0), blocks_m * blocks_n, programs, flatten=True):
        first = tile // (GROUP * blocks_n) * GROUP
        group = min(blocks_m - first, GROUP)
        first_row = (first + tile % (GROUP * blocks_n) % group) * STEP - 1
        first_column = tile % (GROUP * blocks_n) // group * BLOCK_N
        products = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
        for k in range(0, m, BLOCK_K):
            nodes = _load_tile(x, first_row, k, rows, m, DESCRIBED, BLOCK_M, BLOCK_K)
            weights = _load_tile(weight, first_column, k, n, m, DESCRIBED, BLOCK_N, BLOCK_K)
            products = tl.dot(nodes, weights.T, products)

        index = tl.arange(0, BLOCK_M)
        row = first_row + index
        inside = (row >= 0) & (row < rows)
        node = row % length
        start = tl.zeros((BLOCK_M,), tl.int32)
        end = start + length
        if MASKED:
            start = tl.load(starts + row // length, mask=inside, other=0)
            end = start + tl.load(counts + row // length, mask=inside, other=0)
        real = inside & (node >= start) & (node < end)
        has_before, has_after = real & (node > start), real & (node + 1 < end)
        kept = inside & (index > 0)
        if BOTH_WAYS:
            kept = kept & (index < BLOCK_M - 1)
        # In parts, so that registers do for products and neighbours.
        left, right = _halves(products, BLOCK_M, BLOCK_N)
        if HALF == 128:
            part_0, part_1 = _halves(left, BLOCK_M, HALF)
            part_2, part_3 = _halves(right, BLOCK_M, HALF)
            for number in tl.static_range(4):
                _store_mixed(
                    part_0 if number == 0 else part_1 if number == 1 else part_2 if number == 2 else part_3,
                    y, bias, self_weight, row, first_column + number * 64, kept, real, has_before, has_after, n,
                    BOTH_WAYS, OWN, BIASED, RELU, BLOCK_M, 64,
                )  # fmt: skip
        else:
            for number in tl.static_range(2):
                _store_mixed(
                    left if number == 0 else right,
                    y, bias, self_weight, row, first_column + number * HALF, kept, real, has_before, has_after, n,
                    BOTH_WAYS, OWN, BIASED, RELU, BLOCK_M, HALF,
                )  # fmt: skip
