"""Products with a banded matrix in bfloat16, beside the plain form in float32 and the dense matrix."""

import math

import pytest
import torch
from chains import CHAINS, name

from chainhead_plugin.chain.forms.bfloat16 import banded_pays
from chainhead_plugin.chain.kinds import Chain
from chainhead_plugin.chain.mix import mix
from chainhead_plugin.chain.reference import interdependence_matrix

WIDTH = 1024


def nodes(batch, length):
    torch.manual_seed(length)
    return torch.randn(batch, length, WIDTH).bfloat16()


pytestmark = pytest.mark.skipif(
    not banded_pays(nodes(1, 512), Chain("exponential"), None),
    reason="the processor has no bfloat16 products",
)
SERVED = [
    chain for chain in CHAINS if chain.kind == "exponential" or (chain.kind == "multihop" and chain.hops < 16)
]


def root_mean_square(x):
    return x.square().mean().sqrt()


def assert_rounded_once(actual, exact):
    """Hardly further from the exact result than that result rounded."""
    assert actual.dtype == torch.bfloat16
    assert actual.shape == exact.shape
    # Every node for itself: ends are mixed apart.
    error = (actual.double() - exact).square().mean((0, 2)).sqrt()
    rounding = (exact.bfloat16().double() - exact).square().mean((0, 2)).sqrt()
    assert (error <= 1.2 * rounding + 1e-6 * root_mean_square(exact)).all()


@pytest.mark.parametrize("chain", SERVED, ids=name)
@pytest.mark.parametrize(("batch", "length"), [(2, 128), (1, 161)])
def test_outputs_and_gradients_are_rounded_once(chain, batch, length):
    x, cotangent = nodes(batch, length).requires_grad_(), nodes(batch, length)
    assert banded_pays(x, chain, None)
    y = mix(x, chain)
    (gradient,) = torch.autograd.grad(y, x, cotangent)
    matrix = interdependence_matrix(chain, length)
    assert_rounded_once(y.detach(), matrix.T @ x.detach().double())
    assert_rounded_once(gradient, matrix @ cotangent.double())


@pytest.mark.parametrize(
    ("chain", "length"),
    [
        (Chain("multihop", bi_directional=True, hops=3), 64),
        (Chain("multihop", bi_directional=True, hops=3), 65),
        (Chain("multihop", hops=12), 128),
        (Chain("exponential", decay=1e-6), 64),
    ],
    ids=str,
)
def test_lengths_about_those_of_blocks(chain, length):
    x = nodes(3, length)
    assert banded_pays(x, chain, None)
    assert_rounded_once(mix(x, chain), interdependence_matrix(chain, length).T @ x.double())


@pytest.mark.parametrize("chain", SERVED[::3], ids=name)
def test_strange_layouts(chain):
    wide = torch.randn(160, 2, 2 * WIDTH).bfloat16()
    x = wide.transpose(0, 1)[..., ::2].requires_grad_()
    same = x.detach().contiguous().requires_grad_()
    y, expected = mix(x, chain), mix(same, chain)
    assert torch.equal(y, expected)
    # The gradient of a sum is a single number, spread.
    assert torch.equal(torch.autograd.grad(y.sum(), x)[0], torch.autograd.grad(expected.sum(), same)[0])


@pytest.mark.parametrize("value", [math.nan, math.inf, 3e38])
def test_what_is_not_finite_spreads_no_further_than_in_float32(value):
    x = nodes(1, 128)
    x[0, 40, 3] = value
    for chain in (Chain("multihop", hops=3), Chain("inverse"), Chain("exponential", bi_directional=True)):
        plain = mix(x.float(), chain).bfloat16()
        torch.testing.assert_close(mix(x, chain), plain, rtol=0, atol=0, equal_nan=True)


def test_small_calls_padding_and_taps_that_do_not_fit_are_left_to_float32():
    hops, x = Chain("multihop", hops=3), nodes(1, 128)
    assert banded_pays(x, hops, None)
    assert not banded_pays(x.float(), hops, None)
    assert not banded_pays(x[..., :64], hops, None)
    assert not banded_pays(x, hops, torch.ones(1, 128, 1, dtype=torch.bool))
    assert not banded_pays(x, Chain("multihop", hops=90, bi_directional=True), None)
    assert not banded_pays(x, Chain("multihop", hops=13, accumulative=True, self_weight=0.3), None)
    assert not banded_pays(x, Chain("inverse", decay=0.5), None)
