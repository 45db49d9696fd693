"""Outputs and gradients of the fast forms of Aᵀx against the dense matrix."""

import functools
import math
import time

import pytest
import torch
from chains import CHAINS, UNI_DIRECTIONAL, name
from closeness import LENGTHS, TOLERANCE, assert_close, every_dtype
from hypothesis import given, settings, strategies as st

from chainhead_plugin.chain.kinds import Chain
from chainhead_plugin.chain.mix import mix
from chainhead_plugin.chain.reference import interdependence_matrix
from chainhead_plugin.chain.step import mix_step

every_chain = pytest.mark.parametrize("chain", CHAINS, ids=name)
dense = functools.cache(interdependence_matrix)


def fits(chain, length, dtype):
    """Whether the dense result is representable with room for a sum of it."""
    return dense(chain, length).abs().max() < torch.finfo(dtype).max / 1e3


def check(chain, batch, length, width, dtype):
    matrix = dense(chain, length)
    x = torch.randn(batch, length, width, dtype=dtype, requires_grad=True)
    cotangent = torch.randn_like(x)
    y = mix(x, chain)
    (gradient,) = torch.autograd.grad(y, x, cotangent)
    assert_close(y, matrix.T @ x.detach().double(), dtype)
    assert_close(gradient, matrix @ cotangent.double(), dtype)


@every_chain
@every_dtype
@pytest.mark.parametrize("length", LENGTHS)
def test_outputs_and_gradients_equal_the_dense_form(chain, length, dtype):
    if fits(chain, length, dtype):
        check(chain, 2, length, 3, dtype)


@every_chain
@pytest.mark.parametrize("batch", [0, 1, 9])
def test_any_batch(chain, batch):
    check(chain, batch, 17, 3, torch.float64)


@settings(deadline=None, max_examples=150)
@given(
    kind=st.sampled_from(["single_hop", "multihop", "inverse", "exponential"]),
    bi_directional=st.booleans(),
    hops=st.integers(1, 12),
    accumulative=st.booleans(),
    self_weight=st.floats(0, 2).map(lambda value: round(value, 3)),
    length=st.integers(1, 90),
    batch=st.integers(0, 3),
    seed=st.integers(0, 2**31),
)
def test_any_chain(kind, bi_directional, hops, accumulative, self_weight, length, batch, seed):
    torch.manual_seed(seed)
    accumulative = accumulative and kind == "multihop"
    chain = Chain(kind, bi_directional, hops, accumulative, self_weight)
    check(chain, batch, length, 2, torch.float64)


@every_chain
def test_second_derivatives(chain):
    x = torch.randn(1, 6, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda z: mix(z, chain) ** 2, (x,))


@every_chain
@pytest.mark.parametrize("side", ["left", "right", "both"])
@pytest.mark.parametrize("padding", [math.nan, math.inf, 1e30])
def test_a_padded_chain_is_the_chain_alone(chain, side, padding):
    lengths = [1, 2, 5, 12, 0]
    before = {"left": 7, "right": 0, "both": 3}[side]
    total = 12 + {"left": 7, "right": 7, "both": 8}[side]
    x = torch.full((len(lengths), total, 3), padding)
    mask = torch.zeros(len(lengths), total, dtype=torch.bool)
    for row, length in enumerate(lengths):
        start = total - length if side == "left" else before
        mask[row, start : start + length] = True
        x[row, start : start + length] = torch.randn(length, 3)
    x.requires_grad_()
    cotangent = torch.randn_like(x)
    y = mix(x, chain, mask)
    (gradient,) = torch.autograd.grad(y, x, cotangent)
    assert not y[~mask].any()
    assert not gradient[~mask].any()
    for row, length in enumerate(lengths):
        if length:
            alone = x[row][mask[row]].detach()[None].requires_grad_()
            expected = mix(alone, chain)
            (expected_gradient,) = torch.autograd.grad(expected, alone, cotangent[row][mask[row]][None])
            scale = max(expected.abs().max().item(), 1)
            torch.testing.assert_close(y[row][mask[row]][None], expected, rtol=0, atol=1e-6 * scale)
            scale = max(expected_gradient.abs().max().item(), 1)
            torch.testing.assert_close(
                gradient[row][mask[row]][None], expected_gradient, rtol=0, atol=1e-6 * scale
            )


@pytest.mark.parametrize("chain", UNI_DIRECTIONAL, ids=name)
def test_step_gives_the_same_numbers_with_a_state_of_fixed_size(chain):
    x = torch.randn(2, 50, 3, dtype=torch.float64)
    state, sizes, outputs = None, set(), []
    for node in x.unbind(1):
        y, state = mix_step(node, chain, state)
        sizes.add(state.shape)
        outputs.append(y)
    expected = mix(x, chain)
    assert len(sizes) == 1
    torch.testing.assert_close(
        torch.stack(outputs, 1), expected, rtol=0, atol=1e-12 * expected.abs().max().item()
    )


@pytest.mark.parametrize("chain", UNI_DIRECTIONAL, ids=name)
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_later_nodes_never_reach_earlier_ones(chain, value):
    x = torch.randn(1, 100, 2, requires_grad=True)
    (gradient,) = torch.autograd.grad(mix(x, chain)[:, 40].sum(), x)
    assert not gradient[:, 41:].any()
    tainted = x.detach().clone()
    tainted[:, 41] = value
    # Finite and the same, if not to the last bit: what is not finite is summed in another order.
    assert_close(mix(tainted, chain)[:, :41], mix(x, chain)[:, :41].detach().double(), torch.float32)


@pytest.mark.parametrize("length", [128, 133, 2000])
def test_the_bi_directional_inverse_is_exact_where_its_powers_overflow(length):
    chain = Chain("inverse", bi_directional=True)
    x = torch.rand(1, length, 1) + 0.5
    y = mix(x, chain)
    # The columns sum to one, so every node is a weighted average of all.
    assert y.isfinite().all()
    assert x.min() <= y.min()
    assert y.max() <= x.max()
    # Reference: power iteration of the path's N on x and on ones, rescaled at every step.
    numerator, denominator = _power_sums(x[0, :, 0].double(), length - 1)
    assert ((y[0, :, 0].double() - numerator / denominator).abs() / y[0, :, 0]).max() < TOLERANCE[
        torch.float32
    ]


def _power_sums(x, order):
    values = torch.stack([x, torch.ones_like(x)], 1)
    term, total = values, torch.zeros_like(values)
    for _ in range(order):
        both = total + term
        total = torch.zeros_like(both)
        total[1:] += both[:-1]
        total[:-1] += both[1:]
        size = total.abs().max()
        total, term = total / size, term / size
    return total[:, 0], total[:, 1]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("self_weight", [1.0, 0.0, -0.5, 0.3])
@pytest.mark.parametrize("length", [1, 2, 33, 400])
def test_a_hop_in_half_precision_is_the_rounded_one_of_float32(dtype, self_weight, length):
    chain, x = Chain(self_weight=self_weight), torch.randn(3, length, 7).to(dtype)
    ends = torch.arange(length) < torch.tensor([[length], [length // 2], [1]])
    for mask in (None, ends, ends.flip(1)):
        assert torch.equal(mix(x, chain, mask), mix(x.float(), chain, mask).to(dtype))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_accumulates_in_float32(dtype):
    x = torch.ones(1, 4096, 1, dtype=dtype)
    y = mix(x, Chain("inverse"))
    assert y[0, -1, 0] == 4096  # adding 1 to 2048 in float16, or to 256 in bfloat16, stands still


@every_chain
@pytest.mark.parametrize("length", [20, 300])
def test_autocast_rounds_nothing_that_is_mixed(chain, length):
    x = torch.randn(2, length, 3, requires_grad=True)
    expected = mix(x, chain)
    (expected_gradient,) = torch.autograd.grad(expected.sum(), x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = mix(x, chain)
        (gradient,) = torch.autograd.grad(y.sum(), x)
    assert torch.equal(y, expected)
    assert torch.equal(gradient, expected_gradient)


@every_chain
def test_non_contiguous_and_expanded_inputs(chain):
    x = torch.randn(3, 4, 20, dtype=torch.float64).transpose(1, 2)
    wide = torch.randn(2, 20, 1, dtype=torch.float64).expand(2, 20, 5)
    for strided in (x, wide):
        expected = mix(strided.contiguous(), chain)
        torch.testing.assert_close(
            mix(strided, chain), expected, rtol=0, atol=1e-14 * expected.abs().max().item()
        )


@every_chain
def test_inputs_stay_as_they_are(chain):
    x = torch.randn(2, 9, 3)
    before = x.clone()
    mix(x, chain, torch.ones(2, 9, dtype=torch.bool))
    assert torch.equal(x, before)


@every_chain
def test_meta_device(chain):
    y = mix(torch.empty(2, 9, 3, device="meta"), chain)
    assert y.shape == (2, 9, 3)
    assert y.is_meta


def test_a_filter_beyond_the_dtype_is_an_error():
    with pytest.raises(
        ValueError,
        match="multihop with h=200 and self_scaling=1 weighs nodes beyond the range of float32: use fewer",
    ):
        mix(torch.ones(1, 300, 1), Chain("multihop", hops=200))
    assert mix(torch.ones(1, 300, 1, dtype=torch.float64), Chain("multihop", hops=200)).isfinite().all()


@pytest.mark.parametrize(
    ("chain", "length"),
    [
        (Chain("multihop", bi_directional=True, hops=200), 8),
        (Chain(bi_directional=True, self_weight=1e39), 8),
        (Chain(self_weight=-1e39), 8),
        (Chain("multihop", hops=1000, accumulative=True, self_weight=-3.0), 1200),
    ],
    ids=str,
)
def test_weights_beyond_the_dtype_are_an_error_in_both_directions(chain, length):
    with pytest.raises(ValueError, match="beyond the range of float32"):
        mix(torch.ones(1, length, 1), chain)


def test_many_hops_are_made_quickly():
    start = time.process_time()
    for weight in (0.5, 0.25):
        Chain("multihop", hops=1000, accumulative=True, self_weight=weight)
    assert time.process_time() - start < 2


# torch's own forward mode compiles its decompositions that way.
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:FutureWarning")
@every_chain
@pytest.mark.parametrize("masked", [False, True])
def test_function_transforms(chain, masked):
    """vmap, per-sample gradients, forward mode and Jacobians agree with a loop and with the dense matrix."""
    x = torch.randn(4, 2, 70, 3, dtype=torch.float64)
    mask = torch.ones(2, 70, dtype=torch.bool) if masked else None
    if masked:
        mask[0, :30] = False
    mapped = torch.func.vmap(lambda z: mix(z, chain, mask))(x)
    looped = torch.stack([mix(z, chain, mask) for z in x])
    scale = looped.abs().max().item()
    torch.testing.assert_close(mapped, looped, rtol=0, atol=1e-12 * scale)
    gradients = torch.func.vmap(torch.func.grad(lambda z: mix(z, chain, mask).square().sum()))(x)
    expected = torch.stack([torch.func.grad(lambda z: mix(z, chain, mask).square().sum())(z) for z in x])
    torch.testing.assert_close(gradients, expected, rtol=0, atol=1e-11 * expected.abs().max().item())
    tangent = torch.randn_like(x[0])
    _, forward = torch.func.jvp(lambda z: mix(z, chain, mask), (x[0],), (tangent,))
    torch.testing.assert_close(forward, mix(tangent, chain, mask), rtol=0, atol=1e-12 * scale)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@every_chain
@every_dtype
def test_cuda_equals_the_dense_form(chain, dtype):
    if fits(chain, 65, dtype):
        matrix = dense(chain, 65).cuda()
        x = torch.randn(2, 65, 3, dtype=dtype, device="cuda", requires_grad=True)
        cotangent = torch.randn_like(x)
        y = mix(x, chain)
        (gradient,) = torch.autograd.grad(y, x, cotangent)
        assert_close(y, matrix.T @ x.detach().double(), dtype)
        assert_close(gradient, matrix @ cotangent.double(), dtype)
