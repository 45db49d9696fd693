"""All forms of the bi-directional inverse against each other, at lengths at which each form is chosen."""

import pytest
import torch

from chainhead_plugin.chain.forms import power_sum
from chainhead_plugin.chain.forms.power_sum import endless_power_sum
from chainhead_plugin.chain.kinds import Chain
from chainhead_plugin.chain.mix import mix
from chainhead_plugin.chain.reference import interdependence_matrix

CHAIN = Chain("inverse", bi_directional=True)
TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-5}


def normalised(form, x):
    """Each node's weighted average, which no common factor of a form changes."""
    return form(x) / form(torch.ones_like(x[:1, :, :1]))


def by_fourier(x):
    return normalised(lambda z: power_sum.by_fourier(z, None), x)


def assert_close(actual, expected, dtype):
    assert actual.dtype == dtype
    error = (actual.double() - expected).abs().amax((0, 2))
    size = expected.abs().max()
    assert error.max() <= TOLERANCE[dtype] * size
    # The ends are scaled up by the chain length.
    assert error[:4].max() <= TOLERANCE[dtype] * size
    assert error[-4:].max() <= TOLERANCE[dtype] * size


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("length", [2501, 6000, 6001, 20_003])
def test_polynomials_blocks_and_fourier_transforms(length, dtype):
    x = torch.randn(2, length, 3, dtype=torch.float64)
    blocks = power_sum._block_size(length, dtype)
    assert (blocks is None) == (length < 3000 and dtype == torch.float64)
    before = x.clone()
    expected = by_fourier(x)
    assert_close(normalised(power_sum._by_eigenvectors, x.to(dtype)), expected, dtype)
    if blocks is not None:
        assert_close(
            normalised(lambda z: power_sum._by_smooth_eigenvectors(z, *blocks), x.to(dtype)),
            expected,
            dtype,
        )
    assert torch.equal(x, before)


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_long_chains_and_the_dense_matrix(dtype):
    length = 4099
    x = torch.randn(1, length, 2, dtype=dtype, requires_grad=True)
    cotangent = torch.randn_like(x)
    y = mix(x, CHAIN)
    (gradient,) = torch.autograd.grad(y, x, cotangent)
    matrix = interdependence_matrix(CHAIN, 400).T
    short = torch.randn(1, 400, 2, dtype=dtype)
    assert_close(mix(short, CHAIN), matrix @ short.double(), dtype)
    # The transposed form, from the symmetry of the unscaled one.
    ones = power_sum.by_fourier(torch.ones(1, length, 1, dtype=torch.float64), None)
    assert_close(y.detach(), by_fourier(x.detach().double()), dtype)
    wanted = power_sum.by_fourier(cotangent.double() / ones, None)
    assert (gradient.double() - wanted).abs().max() <= 10 * TOLERANCE[dtype] * wanted.abs().max()


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_rows_of_different_lengths(dtype):
    length = 3000
    mask = torch.zeros(5, length, 1, dtype=torch.bool)
    bounds = [(0, 3000), (17, 2500), (17, 2500), (2990, 1), (5, 0)]
    for row, (start, count) in enumerate(bounds):
        mask[row, start : start + count] = True
    x = torch.where(mask, torch.randn(5, length, 2, dtype=dtype), 0)
    y = endless_power_sum(x, mask)
    assert (y[~mask.expand_as(y)] == 0).all()
    for row, (start, count) in enumerate(bounds):
        if count:
            alone = endless_power_sum(x[row : row + 1, start : start + count], None)
            torch.testing.assert_close(y[row : row + 1, start : start + count], alone)


def test_a_million_nodes_are_finite():
    x = torch.ones(1, 2**20, 1)
    torch.testing.assert_close(mix(x, CHAIN), x, rtol=1e-4, atol=1e-4)
