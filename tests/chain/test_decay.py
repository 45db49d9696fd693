"""Decaying chains, with one γ or a learned γ for each feature, against the dense form and step by step."""

import math

import pytest
import torch
from closeness import TOLERANCE, assert_close, every_dtype

from chainhead_plugin import ChainHeadConfig, ChainHeadModel, ChainInterdependenceHead
from chainhead_plugin.chain.forms.scan import _sum_by_doubling, decaying_sum, short_decaying_sum
from chainhead_plugin.chain.kinds import Chain
from chainhead_plugin.chain.mix import mix
from chainhead_plugin.chain.reference import decaying_sum_by_steps, interdependence_matrix

CHAINS = {
    "inverse-uni": Chain("inverse", decay=0.5),
    "inverse-bi": Chain("inverse", bi_directional=True, decay=0.25),
    "exponential-uni": Chain("exponential", decay=0.5),
    "exponential-bi": Chain("exponential", bi_directional=True, decay=0.5),
}
# torch's own forward mode compiles its decompositions that way.
forward_mode = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:FutureWarning")
every_chain = pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)


def gammas(chain, width, dtype=torch.float64):
    """γ of every feature, over the whole range."""
    limit = 0.5 if chain.kind == "inverse" and chain.bi_directional else 1.0
    return (torch.linspace(0.02, 0.95, width, dtype=torch.float64) * limit).to(dtype)


@pytest.mark.parametrize("length", [1, 2, 15, 16, 17, 31, 32, 33, 64, 97, 300, 1100])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("decay", ["one", "features", "rows"])
def test_scans_equal_the_steps(length, reverse, decay):
    x = torch.randn(2, length, 3, dtype=torch.float64)
    gamma = {"one": 0.9, "features": torch.rand(1, 1, 3).double(), "rows": torch.rand(2, 1, 3).double()}[
        decay
    ]
    expected = decaying_sum_by_steps(x, gamma, reverse)
    torch.testing.assert_close(decaying_sum(x, gamma, reverse), expected, rtol=0, atol=1e-13)
    # The form that graphs take.
    gamma = torch.as_tensor(gamma, dtype=torch.float64).expand(2, 1, 3)
    traced = _sum_by_doubling(x.flip(1) if reverse else x, gamma)
    torch.testing.assert_close(traced.flip(1) if reverse else traced, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("length", [1, 2, 5, 8, 31, 32])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_short_scans_equal_the_steps(length, reverse, batch, dtype):
    x, gamma = (
        torch.randn(batch, length, 4, dtype=dtype),
        torch.tensor([[[1e-30, 0.1, 0.9, 1.0]]], dtype=dtype),
    )
    y = short_decaying_sum(x, gamma, reverse)
    expected = decaying_sum_by_steps(x.double(), gamma.double(), reverse)
    tolerance = 8 * torch.finfo(dtype).eps * expected.abs().max()
    torch.testing.assert_close(y.double(), expected, rtol=0, atol=tolerance)
    if length > 1:
        x[0, 0, 2] = math.inf
        assert short_decaying_sum(x, gamma, reverse) is None
        y = mix(x, CHAINS["inverse-uni"], None, gamma.flatten())
        expected = decaying_sum_by_steps(x.double(), gamma.double(), False)
        torch.testing.assert_close(y.double(), expected, rtol=0, atol=tolerance)


@every_chain
@every_dtype
@pytest.mark.parametrize("length", [1, 2, 3, 8, 32, 63, 64, 65, 130])
def test_outputs_and_gradients_equal_the_dense_form(chain, dtype, length):
    gamma = gammas(chain, 4, torch.float64 if dtype == torch.float64 else torch.float32).requires_grad_()
    x = torch.randn(3, length, 4, dtype=dtype, requires_grad=True)
    cotangent = torch.randn_like(x)
    y = mix(x, chain, None, gamma)
    actual = torch.autograd.grad(y, (x, gamma), cotangent)
    wide, decay = x.detach().double().requires_grad_(), gamma.detach().double().requires_grad_()
    dense = torch.einsum("fij,bif->bjf", interdependence_matrix(chain, length, decay), wide)
    expected = torch.autograd.grad(dense, (wide, decay), cotangent.double())
    assert_close(y, dense.detach(), dtype)
    assert_close(actual[0], expected[0], dtype)
    # A sum over all nodes, whose terms may cancel; rounding of the half-precision nodes counts as of a term each.
    error = (actual[1].double() - expected[1]).abs() / (x.numel() + expected[1].abs())
    assert error.max() < TOLERANCE[dtype]


@every_chain
@pytest.mark.parametrize("batch", [0, 1, 7])
def test_any_batch_gives_every_row_what_it_gets_alone(chain, batch):
    x, gamma = torch.randn(batch, 70, 3), gammas(chain, 3, torch.float32)
    y = mix(x, chain, None, gamma)
    assert y.shape == x.shape
    for row in range(batch):
        torch.testing.assert_close(y[row], mix(x[row : row + 1], chain, None, gamma)[0], rtol=0, atol=1e-6)


@every_chain
def test_autocast_rounds_nothing_that_is_mixed(chain):
    x, gamma = torch.randn(2, 70, 3), gammas(chain, 3, torch.float32)
    expected = mix(x, chain, None, gamma)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(mix(x, chain, None, gamma), expected)


@every_chain
@pytest.mark.parametrize("padding", [math.nan, 1e30])
def test_a_padded_chain_is_the_chain_alone(chain, padding):
    spans = [(0, 12), (11, 1), (3, 5), (4, 0), (0, 2)]
    mask = torch.zeros(len(spans), 12, dtype=torch.bool)
    for row, (start, count) in enumerate(spans):
        mask[row, start : start + count] = True
    x = torch.where(
        mask[..., None], torch.randn(len(spans), 12, 3, dtype=torch.float64), padding
    ).requires_grad_()
    gamma, cotangent = gammas(chain, 3).requires_grad_(), torch.randn(len(spans), 12, 3, dtype=torch.float64)
    y = mix(x, chain, mask, gamma)
    actual = torch.autograd.grad(y, (x, gamma), cotangent)
    assert not y[~mask].any()
    assert not actual[0][~mask].any()
    total = torch.zeros_like(gamma)
    for row, (_, count) in enumerate(spans):
        if count:
            alone = x[row][mask[row]].detach()[None].requires_grad_()
            expected = mix(alone, chain, None, gamma)
            grad_x, grad_gamma = torch.autograd.grad(
                expected, (alone, gamma), cotangent[row][mask[row]][None]
            )
            torch.testing.assert_close(y[row][mask[row]][None], expected, rtol=0, atol=1e-12)
            torch.testing.assert_close(actual[0][row][mask[row]][None], grad_x, rtol=0, atol=1e-12)
            total = total + grad_gamma
    torch.testing.assert_close(actual[1], total, rtol=1e-12, atol=1e-12)


@forward_mode
@every_chain
@pytest.mark.parametrize("masked", [False, True])
def test_derivatives(chain, masked):
    """Reverse, forward and second derivatives against differences."""
    mask = torch.tensor([[0, 1, 1, 1, 0, 0], [1] * 6]).bool() if masked else None
    x = torch.randn(2, 6, 2, dtype=torch.float64, requires_grad=True)
    gamma = gammas(chain, 2).requires_grad_()

    def function(x, gamma):
        return mix(x, chain, mask, gamma) ** 2

    assert torch.autograd.gradcheck(function, (x, gamma), check_forward_ad=True)
    assert torch.autograd.gradgradcheck(function, (x, gamma))


@forward_mode
@every_chain
@pytest.mark.parametrize("mapped", [(0, None), (None, 0), (0, 0)], ids=["x", "decay", "both"])
def test_function_transforms(chain, mapped):
    """vmap, also over an ensemble's γ, and gradients and tangents under it."""
    xs = torch.randn(*([4] if mapped[0] == 0 else []), 2, 40, 3, dtype=torch.float64)
    decays = gammas(chain, 12).view(4, 3) if mapped[1] == 0 else gammas(chain, 3)
    mask = torch.ones(2, 40, dtype=torch.bool)
    mask[1, 25:] = False

    def function(x, gamma):
        return mix(x, chain, mask, gamma)

    def tangent(x, gamma):
        return torch.func.jvp(function, (x, gamma), (x + 1, gamma / 3))[1]

    def gradients(x, gamma):
        return torch.cat(
            [g.flatten() for g in torch.func.grad(lambda *a: function(*a).square().sum(), (0, 1))(x, gamma)]
        )

    for transformed in (function, tangent, gradients):
        actual = torch.func.vmap(transformed, mapped)(xs, decays)
        pick = [
            (lambda i, t=t, dim=dim: t[i] if dim == 0 else t)
            for t, dim in zip((xs, decays), mapped, strict=True)
        ]
        expected = torch.stack([transformed(pick[0](i), pick[1](i)) for i in range(4)])
        torch.testing.assert_close(actual, expected, rtol=1e-10, atol=1e-10)


@every_chain
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_decays_that_round_to_the_ends_of_the_range(chain, dtype):
    limit = 0.5 if chain.kind == "inverse" and chain.bi_directional else 1.0
    x = torch.randn(2, 40, 5, dtype=dtype, requires_grad=True)
    gamma = torch.tensor([0, 1e-30, 1e-9, limit * (1 - 1e-7), limit], dtype=dtype, requires_grad=True)
    y = mix(x, chain, None, gamma)
    gradients = torch.autograd.grad(y, (x, gamma), torch.ones_like(y))
    assert all(g.isfinite().all() for g in gradients)
    dense = torch.einsum(
        "fij,bif->bjf", interdependence_matrix(chain, 40, gamma.detach()), x.detach().double()
    )
    assert_close(y, dense, dtype) if dtype == torch.float32 else torch.testing.assert_close(
        y, dense, rtol=1e-9, atol=1e-9
    )


@every_chain
@pytest.mark.parametrize("learned", [False, True])
def test_rounding_does_not_grow_with_the_chain(chain, learned):
    limit = 0.5 if chain.kind == "inverse" and chain.bi_directional else 1.0
    slow = Chain(chain.kind, bi_directional=chain.bi_directional, decay=0.999 * limit)
    gamma = torch.full((2,), slow.decay) if learned else None
    for x in (torch.randn(1, 100_000, 2), torch.rand(1, 100_000, 2)):
        y = mix(x, slow, None, gamma)
        assert_close(y, mix(x.double(), slow, None, gamma), torch.float32)


def test_decay_is_learned_per_feature_and_starts_where_told():
    head = ChainInterdependenceHead(
        3,
        4,
        5,
        with_taylor=True,
        with_inverse_approx=True,
        bi_directional=True,
        decay=0.3,
        with_learned_decay=True,
    )
    gamma = head.learned_decay()
    assert gamma.shape == (12,)
    torch.testing.assert_close(gamma, torch.full((12,), 0.3))
    assert head.interdependence_matrix().shape == (12, 5, 5)
    optimiser = torch.optim.SGD(head.parameters(), lr=100.0)
    for sign in (1, -1):
        for _ in range(20):
            optimiser.zero_grad()
            (sign * head.calculate_instance_xi_x(torch.ones(1, 9, 3)).sum()).backward()
            optimiser.step()
            assert 0 <= head.learned_decay().min() <= head.learned_decay().max() <= 0.5
    half = head.to(torch.bfloat16)
    assert half.learned_decay().dtype == torch.float32
    assert half(torch.ones(1, 9, 3, dtype=torch.bfloat16)).isfinite().all()


def test_a_decay_that_a_checkpoint_lacks_starts_where_told(tmp_path):
    fields = {"m": 4, "n": 6, "with_exponential_approx": True, "decay": 0.35}
    ChainHeadModel(ChainHeadConfig(**fields)).save_pretrained(tmp_path)
    loaded, info = ChainHeadModel.from_pretrained(tmp_path, with_learned_decay=True, output_loading_info=True)
    assert [key.rpartition(".")[2] for key in info["missing_keys"]] == ["logit"]
    torch.testing.assert_close(loaded.layers[0].head.learned_decay(), torch.full((4,), 0.35))
