"""A linear map and what mixes its products, in one Triton kernel, against the dense matrix."""

import kernel_checks
import pytest
import torch
from chains import CHAINS, name
from kernel_checks import DEVICE, HALF_TOLERANCE, assert_close, check_fused, poisoned_memory
from torch.nn import functional as F

from chainhead_plugin import ChainInterdependenceHead
from chainhead_plugin.chain.backend import use_backend
from chainhead_plugin.chain.forms.half_taps import decay_filter, half_filter
from chainhead_plugin.chain.forms.short import takes_halves
from chainhead_plugin.chain.kinds import Chain
from chainhead_plugin.chain.mix import mix
from chainhead_plugin.chain.reference import decaying_sum_by_steps, interdependence_matrix

pytest.importorskip("triton", reason="Triton is not installed on this platform")

from chainhead_plugin.chain.kernels import banded_nodes
from chainhead_plugin.chain.kernels.filter import chain_bounds
from chainhead_plugin.chain.kernels.filter_linear import filter_linear
from chainhead_plugin.chain.kernels.sum_linear import sum_linear
from chainhead_plugin.chain.kernels.tiles.bands import ROWS

FILTERS = [
    Chain("multihop", hops=3),
    # As far as the kernel reaches, with taps in two parts.
    Chain("multihop", hops=32, accumulative=True, self_weight=0.1),
    Chain(bi_directional=True, self_weight=0.0),
    Chain("multihop", bi_directional=True, hops=9, self_weight=0.3),
    Chain("exponential", bi_directional=True),
    # The strongest decay in the kernel, in half precision of 11 digits.
    Chain("inverse", bi_directional=True, decay=0.47),
]


def half_taps(chain, dtype):
    return decay_filter(chain.decay, dtype) if chain.kind == "inverse" else half_filter(chain, dtype)


@pytest.fixture(autouse=True)
def _poisoned_memory():
    with poisoned_memory(), use_backend("fused"):
        yield


def random(*shape, dtype=torch.float16):
    return kernel_checks.random(*shape, dtype=dtype)


def filtered(x, weight, chain, bias=None, relu=False, scales=None, mask=None):
    found = half_taps(chain, x.dtype)
    reach = len(found.taps) - 1
    ahead = reach if chain.bi_directional else 0
    bounds = chain_bounds(None if mask is None else mask.unsqueeze(-1))
    return filter_linear(
        x, weight, bias, found.taps, found.rest, found.factor, reach, ahead, chain.bi_directional, relu,
        scales, *bounds,
    )  # fmt: skip


def matrices(chain, mask):
    """The dense A of every row's chain, [batch, length, length]."""
    dense = torch.zeros(*mask.shape, mask.size(1), dtype=torch.float64)
    for row, real in zip(dense, mask, strict=True):
        if real.any():
            row[real.outer(real)] = interdependence_matrix(chain, int(real.sum())).flatten()
    return dense.to(DEVICE)


def check(form, x, weight, dense, *, bias=None, relu=False, mask=None):
    """Compare outputs and gradients of `form` with act(Aᵀ x Wᵀ + b), where A is `dense`."""
    given = [tensor for tensor in (x, weight, bias) if tensor is not None]

    def exact(x, weight, bias=0):
        return dense.mT @ F.linear(x, weight) + bias

    check_fused(form, exact, given, relu=relu, mask=mask)


def about(chain):
    """Lengths at which a tile, or the reach of its filter, is just full."""
    reach = len(half_taps(chain, torch.float16).taps) - 1
    step = ROWS - reach * (2 if chain.bi_directional else 1)
    lengths = {1, 2, reach, reach + 1, reach + 2, step - 1, step, step + 1, ROWS, 2 * step + 1} - {0}
    # Of fewer nodes, sums over several hops' reflections cancel.
    shortest = 64 if chain.kind == "multihop" and chain.bi_directional else 1
    return [length for length in sorted(lengths) if length >= shortest]


@pytest.mark.parametrize("chain", FILTERS, ids=name)
def test_filters_at_every_boundary_of_a_tile(chain):
    for length in about(chain):
        x, weight = random(2, length, 5), random(3, 5)
        mask = torch.ones(2, length, dtype=torch.bool)
        check(lambda x=x, weight=weight: filtered(x, weight, chain), x, weight, matrices(chain, mask))


@pytest.mark.parametrize("dtype", HALF_TOLERANCE, ids=str)
@pytest.mark.parametrize("relu", [False, True], ids=["linear", "relu"])
@pytest.mark.parametrize("chain", [FILTERS[0], FILTERS[4]], ids=name)
def test_widths_bias_and_padding(chain, relu, dtype):
    # More features than a tile has; chains to the left and the right, shorter than the filter's reach, and none.
    for m, n in ((70, 130),) if relu else ((64, 3),):
        x, weight, bias = random(4, 140, m, dtype=dtype), random(n, m, dtype=dtype), random(n, dtype=dtype)
        mask = torch.zeros(4, 140, dtype=torch.bool)
        mask[0, 11:], mask[1, :129], mask[2, 60:63] = True, True, True
        x = (x * mask.to(DEVICE).unsqueeze(-1)).detach().requires_grad_()
        weight = (weight / m**0.5).detach().requires_grad_()
        real = mask.to(DEVICE)
        check(
            lambda x=x, weight=weight, bias=bias, real=real: filtered(x, weight, chain, bias, relu, mask=real),
            x, weight, matrices(chain, mask), bias=bias, relu=relu, mask=real,
        )  # fmt: skip


@pytest.mark.parametrize("reverse", [False, True], ids=["forwards", "backwards"])
@pytest.mark.parametrize("decay", [1.0, 0.9])
def test_running_sums_at_every_boundary_of_a_tile(decay, reverse):
    for length in (1, 2, ROWS - 1, ROWS, ROWS + 1, *([2 * ROWS + 1] if decay == 1 else [])):
        x, weight = random(2, length, 5), random(3, 5)
        eye = torch.eye(length, dtype=torch.float64, device=DEVICE).unsqueeze(0)
        dense = decaying_sum_by_steps(eye, decay, reverse)[0].T.expand(2, -1, -1)
        check(
            lambda x=x, weight=weight: sum_linear(x, weight, None, decay, reverse, False), x, weight, dense
        )  # fmt: skip


@pytest.mark.parametrize("dtype", HALF_TOLERANCE, ids=str)
def test_running_sums_with_bias_and_padding(dtype):
    x, weight, bias = random(3, 131, 70, dtype=dtype), random(3, 70, dtype=dtype), random(3, dtype=dtype)
    mask = torch.zeros(3, 131, dtype=torch.bool)
    mask[0, 5:], mask[1, :130] = True, True
    real = mask.to(DEVICE)
    x = (x * real.unsqueeze(-1)).detach().requires_grad_()
    bounds = chain_bounds(real.unsqueeze(-1))
    check(
        lambda: sum_linear(x, weight, bias, 1.0, False, True, *bounds),
        x, weight, matrices(Chain("inverse"), mask), bias=bias, relu=True, mask=real,
    )  # fmt: skip


def test_what_enters_a_tile_is_kept_in_float32():
    # In half precision, adding 1 to 2048 stands still.
    x, weight = torch.ones(1, 17 * ROWS, 1, device=DEVICE).half(), torch.ones(1, 1, device=DEVICE).half()
    assert sum_linear(x, weight, None, 1.0, False, False)[0, -1, 0] == 17 * ROWS
    with torch.autocast(DEVICE, dtype=torch.bfloat16):  # which would round it
        assert sum_linear(x, weight, None, 1.0, True, False)[0, 0, 0] == 17 * ROWS


def test_layouts_and_nothing_at_all():
    chain = FILTERS[0]
    wide = random(130, 2, 12).detach()
    x, weight = wide.transpose(0, 1)[..., ::2], random(6, 4).detach().T
    expected = filtered(x.contiguous(), weight.contiguous(), chain)
    assert torch.equal(filtered(x, weight, chain), expected)
    expected = sum_linear(x.contiguous(), weight.contiguous(), None, 1.0, False, False)
    assert torch.equal(sum_linear(x, weight, None, 1.0, False, False), expected)
    for shape in ((0, 7, 6), (2, 0, 6)):
        assert filtered(x.new_zeros(shape), weight, chain).shape == (*shape[:2], 4)
        assert sum_linear(x.new_zeros(shape), weight, None, 0.9, False, False).shape == (*shape[:2], 4)


SCALED = Chain("multihop", bi_directional=True, hops=3, accumulative=True)
MIXED = [*FILTERS, SCALED, Chain("inverse"), Chain("inverse", decay=0.9)]


@pytest.mark.parametrize("chain", MIXED, ids=name)
def test_nodes_alone_are_mixed_by_bands_at_boundaries_of_tiles(chain, monkeypatch):
    launched = []
    counted = _Counted(banded_nodes.banded_nodes_kernel, launched)
    monkeypatch.setattr(banded_nodes, "banded_nodes_kernel", counted)
    for length in (ROWS - 1, ROWS + 1):
        x, dense = random(2, length, 5), matrices(chain, torch.ones(2, length, dtype=torch.bool))
        check_fused(lambda x=x: mix(x, chain), lambda x, dense=dense: dense.mT @ x, [x])
    # Up to four taps take no longer one by one.
    has_few_taps = chain in (FILTERS[0], FILTERS[2])
    assert len(launched) == (0 if has_few_taps else 4)


class _Counted:
    """A kernel whose launches are counted."""

    def __init__(self, kernel, launched):
        self.kernel = kernel
        self.launched = launched

    def __getitem__(self, grid):
        self.launched.append(grid)
        return self.kernel[grid]


@pytest.mark.parametrize("chain", [FILTERS[1], FILTERS[4], Chain("inverse")], ids=name)
def test_nodes_alone_with_padding(chain):
    mask = torch.zeros(4, 140, dtype=torch.bool)
    mask[0, 11:], mask[1, :129], mask[2, 60:63] = True, True, True
    # More features than a tile has; the interpreter takes long for sums.
    width = 6 if chain.kind == "inverse" else 130
    real, dense, x = mask.to(DEVICE), matrices(chain, mask), random(4, 140, width, dtype=torch.bfloat16)
    with torch.no_grad():
        x[~real] = torch.nan
    y = mix(x, chain, real)
    (gradient,) = torch.autograd.grad(y.float().sum(), x)
    zeroed = torch.where(real.unsqueeze(-1), x.detach().double(), 0)
    assert_close(y, dense.mT @ zeroed, HALF_TOLERANCE[torch.bfloat16])
    wanted = dense @ real.double().unsqueeze(-1).expand_as(x)
    assert_close(gradient, wanted, HALF_TOLERANCE[torch.bfloat16])
    mixed = mix(x.transpose(1, 2).contiguous().transpose(1, 2)[..., ::3], chain, real)
    assert torch.equal(mixed, y[..., ::3])


@pytest.mark.parametrize("chain", CHAINS, ids=name)
@pytest.mark.parametrize("dtype", HALF_TOLERANCE, ids=str)
def test_a_few_short_chains_are_mixed_by_dense_products(chain, dtype):
    for batch, length in ((1, 8), (3, 5), (2, 1)):
        x, cotangent = random(batch, length, 6, dtype=dtype), random(batch, length, 6, dtype=dtype).detach()
        assert takes_halves(x, chain, None)
        y = mix(x, chain)
        dense = interdependence_matrix(chain, length)
        assert_close(y, dense.T @ x.detach().double(), HALF_TOLERANCE[dtype])
        (gradient,) = torch.autograd.grad(y, x, cotangent)
        assert_close(gradient, dense @ cotangent.double(), HALF_TOLERANCE[dtype])


HEADS = {
    "four channels": {"channel_num": 4, "enable_bias": True},
    "hops, summed, both ways": {"with_multihop": True, "h": 3, "accumulative": True, "bi_directional": True},
    "exponential": {"with_exponential_approx": True, "decay": 0.6, "with_relu": False},
    "inverse": {"with_inverse_approx": True, "with_batch_norm": True},
    "exponential, of low rank": {"with_exponential_approx": True, "with_lorr": True, "bi_directional": True},
    "inverse with decay": {"with_inverse_approx": True, "decay": 0.9},
    "inverse with decay, both ways": {"with_inverse_approx": True, "decay": 0.4, "bi_directional": True},
}


@pytest.mark.parametrize("options", HEADS.values(), ids=HEADS)
def test_heads_take_the_kernel_and_give_what_the_plain_form_gives(options, monkeypatch):
    head = ChainInterdependenceHead(
        6, 5, 70, with_softmax=False, device=DEVICE, dtype=torch.float16, **options
    )
    x, weights = random(2, 70, 6), list(head.parameters())
    mask = torch.ones(2, 70, dtype=torch.bool, device=DEVICE)
    mask[0, :4] = False
    served = 0 if "with_lorr" in options else 2 if "with_multihop" not in options else 1
    calls = []
    for form in ("filter_linear", "sum_linear"):
        module = __import__(f"chainhead_plugin.chain.kernels.{form}", fromlist=[form])
        kernel = getattr(module, form)
        monkeypatch.setattr(module, form, lambda *given, kernel=kernel: calls.append(1) or kernel(*given))

    for arguments in ((x,), (x, mask)):
        results = []
        for backend in ("fused", "torch"):
            with use_backend(backend):
                y = head(*arguments)
                cotangent = (torch.arange(y.numel(), device=DEVICE) % 7).view_as(y).half()
                results.append((y, *torch.autograd.grad(y, [x, *weights], cotangent)))
        for actual, wanted in zip(*results, strict=True):
            torch.testing.assert_close(actual, wanted, rtol=2e-2, atol=2e-2 * wanted.abs().max().item())
    assert len(calls) == served


@pytest.mark.parametrize("name", ["hops, summed, both ways", "inverse", "exponential, of low rank"])
def test_compiled_heads_take_the_kernel_without_breaking_the_graph(name):
    head = ChainInterdependenceHead(
        6, 5, 70, with_softmax=False, device=DEVICE, dtype=torch.float16, **HEADS[name]
    )
    x = random(2, 70, 6).detach()
    compiled = torch.compile(head.eval(), backend="aot_eager", fullgraph=True)
    assert torch.equal(compiled(x), head(x))


@pytest.mark.parametrize(
    "options",
    [
        {"with_inverse_approx": True, "bi_directional": True},
        {"with_inverse_approx": True, "decay": 0.5, "with_learned_decay": True},
        {"with_inverse_approx": True, "bi_directional": True, "decay": 0.49},
        {"channel_hops": [0, 1], "with_lorr": True},
        {"with_lorr": True},
        {"with_multihop": True, "h": 40},
    ],
    ids=str,
)
def test_other_heads_are_left_to_other_kernels(options):
    head = ChainInterdependenceHead(
        6, 5, 9, with_softmax=False, device=DEVICE, dtype=torch.float16, **options
    )
    x = random(1, 9, 6).detach() / 1e3
    with use_backend("fused"):
        y = head(x)
    with use_backend("torch"):
        torch.testing.assert_close(y, head(x), rtol=2e-2, atol=1e-2 * y.abs().max().item())
