"""Half precision on the CPU, which is widened a few chains or nodes at a time, beside float32 and the dense matrix."""

import functools
import math

import pytest
import torch
from chains import CHAINS, name
from closeness import assert_close

from chainhead_plugin.chain.forms import halves, sum_in_blocks
from chainhead_plugin.chain.kinds import Chain
from chainhead_plugin.chain.mix import mix
from chainhead_plugin.chain.reference import interdependence_matrix

HALVES = [torch.bfloat16, torch.float16]
LENGTH = 600
dense = functools.cache(interdependence_matrix)


@pytest.fixture(params=[2**10, 2**19])
def _pieces(request, monkeypatch):
    """Pieces of so many numbers: parts of a chain, or whole chains."""
    monkeypatch.setattr(sum_in_blocks, "_PIECE", request.param)


def nodes(batch, length, dtype, width=16):
    torch.manual_seed(length)
    return torch.randn(batch, length, width).to(dtype)


def padding(batch, length):
    """Nothing, padding before, behind, and no real node at all."""
    starts, ends = torch.tensor([0, 7, 0, 0, 300]), torch.tensor([length, length, 90, 0, 420])
    node = torch.arange(length)
    mask = (node >= starts[:, None]) & (node < ends[:, None])
    return mask[:batch]


@pytest.mark.usefixtures("_pieces")
@pytest.mark.parametrize("dtype", HALVES, ids=str)
@pytest.mark.parametrize("chain", CHAINS, ids=name)
def test_outputs_and_gradients_are_those_of_float32_rounded_once(chain, dtype):
    x, cotangent = nodes(5, LENGTH, dtype), nodes(5, LENGTH, dtype).flip(2)
    for mask in (None, padding(5, LENGTH)):
        exact, half = x.float().requires_grad_(), x.clone().requires_grad_()
        expected, y = mix(exact, chain, mask), mix(half, chain, mask)
        (expected_gradient,) = torch.autograd.grad(expected, exact, cotangent.float())
        (gradient,) = torch.autograd.grad(y, half, cotangent)
        # Sums may be made in another order, which now and then rounds a result to the other side; and of a filter that
        # never ends, weights are left out that come to a 64th of what half precision can tell, on either side.
        endless = chain.kind == "exponential" or (chain.kind == "inverse" and chain.decay is not None)
        beyond = (
            torch.finfo(dtype).eps / 24 * max(x.abs().max(), cotangent.abs().max()).item() if endless else 0.0
        )
        for actual, wide in ((y, expected), (gradient, expected_gradient)):
            assert actual.dtype == dtype
            rounded = wide.detach().to(dtype).float()
            torch.testing.assert_close(
                actual.float(),
                torch.where(rounded.isinf(), rounded, wide.detach()),
                rtol=0.505 * torch.finfo(dtype).eps,
                atol=1e-6 * wide.abs().max().item() + beyond,
            )


@pytest.mark.usefixtures("_pieces")
@pytest.mark.parametrize("dtype", HALVES, ids=str)
@pytest.mark.parametrize("bi_directional", [False, True])
@pytest.mark.parametrize("kind", ["inverse", "exponential"])
def test_learned_decays_equal_the_dense_form(kind, bi_directional, dtype):
    chain = Chain(kind, bi_directional, decay=0.4)
    gamma = torch.linspace(0.02, 0.48, 16).requires_grad_()
    x, cotangent = nodes(3, LENGTH, dtype), nodes(3, LENGTH, dtype).flip(2)
    for mask in (None, padding(3, LENGTH)):
        half = x.clone().requires_grad_()
        y = mix(half, chain, mask, gamma)
        gradient, gradient_of_decay = torch.autograd.grad(y, (half, gamma), cotangent)
        exact, decay = x.double().requires_grad_(), gamma.detach().double().requires_grad_()
        expected = mix(exact, chain, mask, decay)
        expected_gradients = torch.autograd.grad(expected, (exact, decay), cotangent.double())
        assert_close(y, expected.detach(), dtype)
        assert_close(gradient, expected_gradients[0], dtype)
        assert gradient_of_decay.dtype == torch.float32
        assert_close(gradient_of_decay.to(dtype), expected_gradients[1], dtype)


@pytest.mark.parametrize("dtype", [*HALVES, torch.float32])
@pytest.mark.parametrize("length", [1, 16, 17, 255, 256, 257, 511, 513, 1100])
@pytest.mark.parametrize("reverse", [False, True])
def test_sums_at_the_ends_of_parts(length, reverse, dtype, monkeypatch):
    monkeypatch.setattr(sum_in_blocks, "_PIECE", 2**9)
    chain = Chain("inverse", decay=0.9)
    x = nodes(3, length, dtype, 4)
    y = sum_in_blocks.sum_in_blocks(x, 0.9, reverse)
    matrix = dense(chain, length)
    assert_close(y, (matrix if reverse else matrix.T) @ x.double(), dtype)
    rows = torch.tensor([0.1, 0.9, 1.0], dtype=torch.float64).view(3, 1, 1)
    of_rows = sum_in_blocks.sum_in_blocks(x, rows, reverse)
    for row in range(3):
        alone = sum_in_blocks.sum_in_blocks(x[row : row + 1], rows[row].item(), reverse)
        assert_close(of_rows[row : row + 1], alone.double(), dtype)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_reaches_no_earlier_part(value, monkeypatch):
    monkeypatch.setattr(sum_in_blocks, "_PIECE", 2**10)
    x = nodes(2, LENGTH, torch.bfloat16)
    x[1, 300, 3] = value
    for decay in (None, 0.9):
        y = mix(x, Chain("inverse", decay=decay))
        assert y[0].isfinite().all()
        assert y[1, :300].isfinite().all()
        assert not y[1, 300:, 3].isfinite().any()
        assert y[1][:, torch.arange(16) != 3].isfinite().all()


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:FutureWarning")
@pytest.mark.parametrize("dtype", HALVES, ids=str)
@pytest.mark.parametrize("length", [8, 300])
def test_function_transforms_keep_half_precision(length, dtype):
    gamma, chain = torch.linspace(0.1, 0.45, 16), Chain("inverse", bi_directional=True, decay=0.4)
    x, tangent = nodes(2, length, dtype), nodes(2, length, dtype).flip(2)

    def function(z, decay):
        return mix(z, chain, None, decay)

    y, forward = torch.func.jvp(function, (x, gamma), (tangent, torch.ones_like(gamma)))
    assert y.dtype == forward.dtype == dtype
    wide = x.double(), gamma.double()
    _, expected = torch.func.jvp(function, wide, (tangent.double(), torch.ones_like(gamma).double()))
    assert_close(forward, expected, dtype)
    mapped = torch.func.vmap(lambda z: function(z[None], gamma)[0])(x)
    assert_close(mapped, y.double(), dtype)


def test_any_number_of_chains_and_nodes():
    for shape in ((0, 5, 3), (2, 5, 0), (1, 1, 1)):
        x = torch.ones(shape).bfloat16().requires_grad_()
        for chain in CHAINS:
            y = mix(x, chain)
            assert y.shape == shape
            assert y.dtype == torch.bfloat16
            y.sum().backward()
    assert [piece.stop for piece in halves.pieces(torch.empty(3, 2**20, 2**6, device="meta"))] == [1, 2, 3]
