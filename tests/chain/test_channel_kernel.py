"""Channels that take nodes at distances of their own, in one Triton kernel, against the dense matrices."""

import kernel_checks
import pytest
import torch
from kernel_checks import DEVICE, HALF_TOLERANCE, check_fused, poisoned_memory

from chainhead_plugin import ChainInterdependenceHead
from chainhead_plugin.chain.backend import use_backend
from chainhead_plugin.chain.kinds import Chain
from chainhead_plugin.chain.reference import interdependence_matrix

pytest.importorskip("triton", reason="Triton is not installed on this platform")

from chainhead_plugin.chain.kernels import channel_linear as module
from chainhead_plugin.chain.kernels.channel_linear import channel_linear, nodes_of_tile
from chainhead_plugin.chain.kernels.filter import chain_bounds

ROWS = 128
BOTH_WAYS = (-4, -1, 0, 2)
# Batch, length, m, n, hops. Rows of whole 16 bytes come by the copy engine, with at most 128 outputs in narrow tiles.
SHAPES = [
    (2, 1, 5, 3, (0, 1)),
    (3, 2, 8, 8, (1, -1)),
    (1, 3, 5, 3, (2, 3, 4)),
    (1, 63, 8, 3, (62, 63, 64)),
    (5, 64, 8, 8, BOTH_WAYS),
    (2, 65, 5, 3, BOTH_WAYS),
    (1, 127, 8, 8, (ROWS - 1, -1)),
    (1, 128, 8, 8, (ROWS - 1, ROWS, 0)),
    (2, 129, 8, 3, (ROWS - 1, ROWS, ROWS + 1, 1)),
    (1, 257, 5, 3, (ROWS, -ROWS)),
    (1, 20, 136, 264, (0, 3)),
]


@pytest.fixture(autouse=True)
def _poisoned_memory():
    with poisoned_memory(), use_backend("fused"):
        yield


def random(*shape, dtype=torch.float16):
    return kernel_checks.random(*shape, dtype=dtype)


def matrices(hops, mask):
    """Every channel's A of every row's chain, [channels, batch, length, length]."""
    dense = torch.zeros(len(hops), *mask.shape, mask.size(1), dtype=torch.float64)
    for row, real in enumerate(mask):
        if real.any():
            whole = interdependence_matrix(Chain("channel_hops", channel_hops=hops), int(real.sum()))
            dense[:, row, real.outer(real)] = whole.flatten(1)
    return dense.to(DEVICE)


def check(batch, length, m, n, hops, dtype, mask=None, relu=False, biased=False):
    x, weight = random(batch, length, m, dtype=dtype), random(len(hops), n, m, dtype=dtype)
    weight = (weight / m**0.5).detach().requires_grad_()
    bias = random(n, dtype=dtype) if biased else None
    real = torch.ones(batch, length, dtype=torch.bool) if mask is None else mask
    dense, bounds = matrices(hops, real), (None, None)
    if mask is not None:
        mask = mask.to(DEVICE)
        x, bounds = (x * mask.unsqueeze(-1)).detach().requires_grad_(), chain_bounds(mask.unsqueeze(-1))

    def exact(x, weight, bias=0):
        return (dense.mT @ x @ weight.mT.unsqueeze(1)).sum(0) + bias

    check_fused(
        lambda: channel_linear(x, weight, bias, hops, relu, *bounds),
        exact, [x, weight, *([bias] if biased else [])], relu=relu, mask=mask,
    )  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_outputs_and_gradients_at_every_boundary_of_a_tile(shape):
    check(*shape, torch.float16)


@pytest.mark.parametrize("dtype", HALF_TOLERANCE, ids=str)
@pytest.mark.parametrize("relu", [False, True], ids=["linear", "relu"])
def test_bias_and_padding(dtype, relu):
    # Chains to the left and the right, shorter than a hop, and none.
    mask = torch.zeros(4, 70, dtype=torch.bool)
    mask[0, 11:], mask[1, :69], mask[2, 40:43] = True, True, True
    check(4, 70, 72 if relu else 5, 10, BOTH_WAYS, dtype, mask, relu, biased=True)


def test_tiles_hold_several_short_chains_and_hardly_go_beyond_any():
    batch = 64
    for length in (5, 33, 64, 65, 100, 129, 1000):
        nodes = nodes_of_tile(batch, length, ROWS)
        chains = ROWS // nodes
        covered = -(-batch // chains) * chains * -(-length // nodes) * nodes
        assert covered <= 1.25 * batch * length
    assert nodes_of_tile(batch, 64, ROWS) == 64
    assert nodes_of_tile(batch, 1024, ROWS) == nodes_of_tile(1, 129, ROWS) == ROWS


def test_layouts_and_nothing_at_all():
    x = random(9, 2, 12).detach().transpose(0, 1)[..., ::2]
    weight = random(6, 4, 2).detach().permute(2, 1, 0)
    expected = channel_linear(x.contiguous(), weight.contiguous(), None, (0, 1), False)
    assert torch.equal(channel_linear(x, weight, None, (0, 1), False), expected)
    # A view that begins between the multiples of 16 bytes which the copy engine takes.
    shifted = torch.cat([x.new_zeros(1), x.flatten()])[1:].view_as(x)
    assert torch.equal(channel_linear(shifted, weight, None, (0, 1), False), expected)
    for shape in ((0, 7, 6), (2, 0, 6)):
        assert channel_linear(x.new_zeros(shape), weight, None, (0, 1), False).shape == (*shape[:2], 4)
    nodes = random(0, 7, 6)
    given = (nodes, weight.requires_grad_())
    gradients = torch.autograd.grad(channel_linear(*given, None, (0, 1), False).sum(), given)
    assert [gradient.abs().sum().item() for gradient in gradients] == [0, 0]


@pytest.mark.parametrize(
    "options",
    [
        {"channel_hops": [0, 1, 4], "enable_bias": True},
        {"channel_hops": [-2, 0, 1], "bi_directional": True, "with_batch_norm": True},
    ],
    ids=str,
)
def test_heads_take_the_kernel_and_give_what_the_plain_form_gives(options, monkeypatch):
    head = ChainInterdependenceHead(
        6, 5, 20, with_softmax=False, device=DEVICE, dtype=torch.float16, **options
    )
    x, weights = random(2, 20, 6), list(head.parameters())
    mask = torch.ones(2, 20, dtype=torch.bool, device=DEVICE)
    mask[0, :4] = False
    calls = []
    kernel = module.channel_linear
    monkeypatch.setattr(module, "channel_linear", lambda *given: calls.append(1) or kernel(*given))
    for arguments in ((x,), (x, mask)):
        results = []
        for backend in ("fused", "torch"):
            with use_backend(backend):
                y = head(*arguments)
                cotangent = (torch.arange(y.numel(), device=DEVICE) % 7).view_as(y).half()
                results.append((y, *torch.autograd.grad(y, [x, *weights], cotangent)))
        for actual, wanted in zip(*results, strict=True):
            torch.testing.assert_close(actual, wanted, rtol=2e-2, atol=2e-2 * wanted.abs().max().item())
    assert len(calls) == 4  # the gradients of nodes take it, too


def test_a_compiled_head_takes_the_kernel_without_breaking_the_graph():
    head = ChainInterdependenceHead(
        6, 5, 20, channel_hops=[0, 1], with_softmax=False, device=DEVICE, dtype=torch.float16
    )
    x = random(2, 20, 6).detach()
    compiled = torch.compile(head.eval(), backend="aot_eager", fullgraph=True)
    assert torch.equal(compiled(x), head(x))
