"""A single hop and the linear map before it as a single Triton kernel: every input and output moves once.

The plain form is `nn.functional.linear`, then `mix`. Here each program multiplies a tile of nodes
that begins one node early (and for bi-directional chains ends one late), and adds up neighbours while the products are
still in registers, in float32: of every four rows, three find the row before in their own thread, and the fourth in
the next thread. On Hopper's devices tiles come by the copy engine (TMA), and programs go on from tile to tile. The
backward pass is made of the plain parts.
"""

from collections.abc import Sequence

from torch import Tensor

from .filter import filter_chain
from .gradients.linear_gradients import linear_gradients
from .hop_linear_kernel import hop_linear_kernel
from .launching.launch import launch
from .launching.operators import map_operator
from .tiles.copy_engine import described, programs_at_once, takes, tiles_for
from .tiles.sizes import cdiv


def _gradients(
    needed: Sequence[bool],
    grad: Tensor,
    y: Tensor | None,
    x: Tensor,
    weight: Tensor,
    self_weight: float,
    bi_directional: bool,
    _: bool,
    *bounds: Tensor | None,
) -> tuple[Tensor | None, ...]:
    def transposed(grad: Tensor) -> Tensor:
        # The transposed hop takes from the node after.
        taps = [1.0, self_weight, *([1.0] if bi_directional else [])]
        return filter_chain(grad, taps, 1, False, *bounds)

    return linear_gradients(needed, grad, x, weight, y, transposed, *bounds)


@map_operator("hop_linear", _gradients)
def hop_linear(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    self_weight: float,
    bi_directional: bool,
    relu: bool,
    starts: Tensor | None = None,
    counts: Tensor | None = None,
) -> Tensor:
    """act((N + σI)ᵀ x Wᵀ + b) of every chain.

    Parameters
    ----------
    x : bfloat16 or float16 Tensor [batch, length, m]
        Zero beside the chains.
    weight : Tensor [n, m], in the dtype of `x`
    bias : Tensor [n], optional
    self_weight : float
        σ.
    bi_directional : bool
        Whether N reaches the nodes after a node too.
    relu : bool
        Whether act is ReLU, or nothing.
    starts, counts : int32 Tensor [batch], optional
        Where each row's chain lies; by default all of it.

    Returns
    -------
    Tensor [batch, length, n], in the dtype of `x`
        Zero beside the chains.
    """
    x, weight = x.resolve_neg().contiguous(), weight.resolve_neg().contiguous()
    batch, length, m = x.shape
    n, rows = weight.size(0), batch * length
    y = x.new_empty(batch, length, n)
    if y.numel() == 0:
        return y

    by_engine = takes(x, weight)
    sizes = tiles_for(n, by_engine)
    step = sizes.block_m - 1 - bi_directional
    programs = cdiv(rows, step) * cdiv(n, sizes.block_n)
    nodes, weights = x, weight
    if by_engine:
        programs = min(programs, programs_at_once(x.device))
        nodes = described(x.view(rows, m), [sizes.block_m, sizes.block_k])
        weights = described(weight, [sizes.block_n, sizes.block_k])

    launch(
        hop_linear_kernel, programs, y,
        nodes, weights, bias, y, starts, counts, self_weight, rows, length, m, n, programs,
        DESCRIBED=by_engine, MASKED=starts is not None, BOTH_WAYS=bi_directional, OWN=self_weight != 0,
        BIASED=bias is not None, RELU=relu,
        BLOCK_M=sizes.block_m, BLOCK_N=sizes.block_n, BLOCK_K=sizes.block_k,
        num_warps=sizes.warps, num_stages=sizes.stages,
    )  # fmt: skip
    return y
