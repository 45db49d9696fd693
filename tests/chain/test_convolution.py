"""Filters as convolutions of each feature, in float32 and for half precision, beside the dense matrix."""

import itertools
import math

import pytest
import torch
from chains import CHAINS, name
from closeness import assert_close

from chainhead_plugin.chain.forms import convolution
from chainhead_plugin.chain.forms.convolution import convolution_pays, convolve
from chainhead_plugin.chain.forms.decay import decay_taps
from chainhead_plugin.chain.forms.filter import two_sided_filter
from chainhead_plugin.chain.kinds import Chain
from chainhead_plugin.chain.mix import mix
from chainhead_plugin.chain.reference import interdependence_matrix

WIDTH = 1024
FILTERS = [chain for chain in CHAINS if chain.kind in ("single_hop", "multihop", "exponential")]
DECAYS = [Chain("inverse", bi_directional=True, decay=decay) for decay in (1e-6, 0.1, 0.4, 0.45, 0.49)]


def nodes(batch, length, width=WIDTH):
    torch.manual_seed(length)
    return torch.randn(batch, length, width)


pytestmark = pytest.mark.skipif(
    not convolution_pays(nodes(1, 512), (1.0, 2.0, 1.0, 3.0), (1.0,)),
    reason="oneDNN has no such convolutions here",
)


def plain(x, back, ahead):
    y = torch.zeros_like(x, dtype=torch.float64)
    for j, (k, tap) in itertools.product(
        range(x.size(1)), [*enumerate(back), *((-k, tap) for k, tap in enumerate(ahead) if k)]
    ):
        if 0 <= j - k < x.size(1):
            y[:, j] += tap * x[:, j - k].double()
    return y


@pytest.mark.parametrize("sides", ["back", "ahead", "both"])
@pytest.mark.parametrize("reach", [1, 3, 15, 31])
@pytest.mark.parametrize(("batch", "length", "width"), [(1, 70, 8), (3, 64, 9), (2, 65, 32)])
def test_convolutions_equal_sums(sides, reach, batch, length, width):
    taps = tuple(torch.randn(reach + 1).tolist())
    own = taps[:1]
    back, ahead = {"back": (taps, own), "ahead": (own, taps), "both": (taps, taps)}[sides]
    x = nodes(batch, length, width)
    y = convolve(x, back, ahead)
    assert_close(y, plain(x, back, ahead), torch.float32)
    assert y.is_contiguous()
    assert not y._is_view()  # so that autograd lets callers add to it


@pytest.mark.parametrize("chain", FILTERS, ids=name)
@pytest.mark.parametrize(("batch", "length"), [(2, 128), (1, 161), (3, 64)])
def test_outputs_and_gradients_in_float32(chain, batch, length):
    x, cotangent = nodes(batch, length).requires_grad_(), nodes(batch, length).flip(2)
    y = mix(x, chain)
    (gradient,) = torch.autograd.grad(y, x, cotangent)
    matrix = interdependence_matrix(chain, length)
    assert_close(y.detach(), matrix.T @ x.detach().double(), torch.float32)
    assert_close(gradient, matrix @ cotangent.double(), torch.float32)


def assert_rounded_once(actual, exact):
    """Hardly further from the exact result than that result rounded."""
    assert actual.dtype == torch.bfloat16
    assert actual.shape == exact.shape
    # Every node for itself: ends are mixed apart.
    error = (actual.double() - exact).square().mean((0, 2)).sqrt()
    rounding = (exact.bfloat16().double() - exact).square().mean((0, 2)).sqrt()
    assert (error <= 1.02 * rounding + 1e-6 * exact.square().mean().sqrt()).all()


@pytest.mark.parametrize("chain", [*FILTERS, *DECAYS], ids=name)
@pytest.mark.parametrize(("batch", "length"), [(2, 128), (1, 161), (3, 64)])
def test_outputs_and_gradients_in_bfloat16_are_rounded_once(chain, batch, length):
    x, cotangent = nodes(batch, length).bfloat16().requires_grad_(), nodes(batch, length).flip(2).bfloat16()
    y = mix(x, chain)
    (gradient,) = torch.autograd.grad(y, x, cotangent)
    matrix = interdependence_matrix(chain, length)
    assert_rounded_once(y.detach(), matrix.T @ x.detach().double())
    assert_rounded_once(gradient, matrix @ cotangent.double())


def test_decays_that_reach_further_are_no_filters():
    assert [decay_taps(chain.decay, torch.bfloat16) is not None for chain in DECAYS] == [
        True,
        True,
        True,
        True,
        False,
    ]
    assert decay_taps(0.499999, torch.bfloat16) is None


@pytest.mark.parametrize("chain", FILTERS[::3], ids=name)
def test_strange_layouts(chain):
    wide = torch.randn(160, 2, 2 * WIDTH)
    x = wide.transpose(0, 1)[..., ::2].requires_grad_()
    matrix = interdependence_matrix(chain, 160)
    y = mix(x, chain)
    assert_close(y.detach(), matrix.T @ x.detach().double(), torch.float32)
    # The gradient of a sum is a single number, spread.
    (gradient,) = torch.autograd.grad(y.sum(), x)
    assert_close(gradient, matrix @ torch.ones_like(y).double(), torch.float32)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("value", [math.nan, math.inf, 3e38])
def test_what_is_not_finite_reaches_no_further_than_its_weights(value, dtype):
    for chain in (
        Chain("multihop", hops=3),
        Chain("multihop", hops=3, self_weight=0.0),
        Chain("exponential", bi_directional=True),
    ):
        x = nodes(2, 128).to(dtype)
        before = mix(x, chain)
        x[1, 40, 3] = value
        y, others = mix(x, chain), torch.arange(WIDTH) != 3
        far = (torch.arange(128) - 40).abs() > 12
        assert torch.equal(y[0], before[0])
        # In another order where what is not finite was looked for and found.
        assert_close(y[1][:, others], before[1][:, others].double(), dtype)
        assert_close(y[1][far, 3], before[1][far, 3].double(), dtype)
        if chain.kind == "multihop":  # in float64 the exponential reaches further
            exact = mix(x.double(), chain)[1, :, 3]
            assert torch.equal(y[1, :, 3].isfinite(), exact.to(dtype).isfinite())


def test_what_convolutions_are_left_out_of(monkeypatch):
    taps, own, x = (1.0, 2.0, 3.0, 4.0), (1.0,), nodes(2, 128)
    assert convolution_pays(x, taps, own)
    for other in (x.double(), x.bfloat16(), x[..., :7], x[:, :32], nodes(2**14, 7, 8)):
        assert not convolution_pays(other, taps, own)
    few = nodes(2**15, 7, 8)
    assert convolution_pays(few, taps, taps)
    monkeypatch.setattr(convolution, "_FEWEST", 2**20)
    assert_close(two_sided_filter(x, taps, own), plain(x, taps, own), torch.float32)
