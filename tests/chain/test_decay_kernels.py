"""A learned decay for every feature in half precision, with the backend "fused", against sums step by step."""

import kernel_checks
import pytest
import torch
from chains import name
from kernel_checks import DEVICE, HALF_TOLERANCE, assert_close, poisoned_memory
from torch.nn import functional as F

from chainhead_plugin import ChainInterdependenceHead
from chainhead_plugin.chain.backend import use_backend
from chainhead_plugin.chain.kinds import Chain
from chainhead_plugin.chain.mix import mix

pytest.importorskip("triton", reason="Triton is not installed on this platform")

from chainhead_plugin.chain.kernels import scan
from chainhead_plugin.chain.kernels.gradients.decay_gradient import neighbour_products

CHAIN = Chain("inverse", decay=0.9)
CHAINS = [CHAIN, Chain("exponential", decay=0.9), Chain("exponential", bi_directional=True, decay=0.9)]


@pytest.fixture(autouse=True)
def _poisoned_memory():
    with poisoned_memory(), use_backend("fused"):
        yield


def check(chain, batch, length, width, dtype, mask=None):
    x = kernel_checks.random(batch, length, width, dtype=dtype)
    if mask is not None:
        with torch.no_grad():
            x[~mask] = torch.nan
    gamma = torch.linspace(0.2, 0.99, width, device=DEVICE).requires_grad_()
    y = mix(x, chain, mask, gamma)
    assert y.dtype == dtype
    cotangent = torch.randn(y.shape, device=DEVICE).to(dtype)
    gradients = torch.autograd.grad(y, (x, gamma), cotangent)

    exact, decay = x.detach().double().requires_grad_(), gamma.detach().double().requires_grad_()
    with use_backend("torch"):
        z = mix(exact, chain, mask, decay)
        expected = torch.autograd.grad(z, (exact, decay), cotangent.double())
    assert_close(y, z, HALF_TOLERANCE[dtype])
    assert_close(gradients[0], expected[0], HALF_TOLERANCE[dtype])
    # A sum of products of rounded nodes, as a weight's gradient is, but one that may cancel.
    factor = expected[0] if chain.kind == "inverse" else cotangent.double()
    around = F.pad(z, (0, 0, 1, 0))[:, :length] + (
        F.pad(z, (0, 0, 0, 1))[:, 1:] if chain.bi_directional else 0
    )
    size = (factor * around).square().sum((0, 1)).sqrt()
    assert ((gradients[1] - expected[1]).abs() <= 2 * HALF_TOLERANCE[dtype] * size).all()


@pytest.mark.parametrize("chain", CHAINS, ids=name)
@pytest.mark.parametrize("shape", [(0, 5, 3), (2, 1, 3), (1, 2, 3), (2, 127, 2), (1, 129, 2)], ids=str)
def test_outputs_and_gradients_at_boundaries_of_blocks(shape, chain):
    check(chain, *shape, torch.float16)


@pytest.mark.parametrize("chain", CHAINS, ids=name)
@pytest.mark.parametrize("dtype", HALF_TOLERANCE, ids=str)
def test_padding_may_hold_anything(dtype, chain):
    mask = torch.zeros(4, 9, dtype=torch.bool, device=DEVICE)
    mask[0, 4:], mask[1, :8], mask[2, 3:5] = True, True, True
    check(chain, 4, 9, 3, dtype, mask)


@pytest.mark.parametrize("transposed", [False, True], ids=["before", "after"])
def test_products_with_neighbours(transposed):
    a, y = (kernel_checks.random(2, 130, 70, dtype=torch.bfloat16).detach() for _ in range(2))
    a = a.transpose(1, 2).contiguous().transpose(1, 2)
    left, right = (a[:, :-1], y[:, 1:]) if transposed else (a[:, 1:], y[:, :-1])
    expected = (left.double() * right.double()).sum(1)
    assert_close(neighbour_products(a, y, None, False, transposed), expected, 1e-6)


def test_a_head_scans_half_precision_and_gives_what_the_plain_form_gives(monkeypatch):
    head = ChainInterdependenceHead(
        4,
        5,
        20,
        with_inverse_approx=True,
        decay=0.8,
        with_learned_decay=True,
        with_softmax=False,
        device=DEVICE,
    ).bfloat16()
    x, weights = kernel_checks.random(2, 20, 4, dtype=torch.bfloat16), list(head.parameters())
    scanned, scan_chain = [], scan.scan_chain
    monkeypatch.setattr(
        scan, "scan_chain", lambda x, *given: scanned.append(x.dtype) or scan_chain(x, *given)
    )
    results = []
    for backend in ("fused", "torch"):
        with use_backend(backend):
            y = head(x)
            cotangent = (torch.arange(y.numel(), device=DEVICE) % 7).view_as(y).bfloat16()
            results.append((y, *torch.autograd.grad(y, [x, *weights], cotangent)))
    assert scanned == [torch.bfloat16] * 2
    for actual, wanted in zip(*results, strict=True):
        torch.testing.assert_close(actual, wanted, rtol=3e-2, atol=3e-2 * wanted.abs().max().item())


@pytest.mark.parametrize("chain", CHAINS, ids=name)
def test_second_derivatives_take_the_plain_form(chain):
    x, gamma = kernel_checks.random(1, 5, 2, dtype=torch.float16), torch.full((2,), 0.5, device=DEVICE)
    gamma.requires_grad_()
    (first,) = torch.autograd.grad(
        mix(x, chain, None, gamma).float().square().sum(), gamma, create_graph=True
    )
    (second,) = torch.autograd.grad(first.sum(), gamma)

    decay = gamma.detach().double().requires_grad_()
    with use_backend("torch"):
        z = mix(x.detach().double(), chain, None, decay)
        (wanted,) = torch.autograd.grad(z.square().sum(), decay, create_graph=True)
        (wanted,) = torch.autograd.grad(wanted.sum(), decay)
    assert_close(second, wanted, 1e-2)


@pytest.mark.parametrize("chain", CHAINS, ids=name)
def test_transforms_of_functions_take_the_plain_form(chain):
    x, gamma = (
        kernel_checks.random(1, 5, 2, dtype=torch.float16).detach(),
        torch.full((2,), 0.5, device=DEVICE),
    )

    def gradient(x, gamma):
        return torch.func.grad(lambda gamma: mix(x, chain, None, gamma).double().sum())(gamma)

    with use_backend("torch"):
        expected = gradient(x.double(), gamma.double())
    assert_close(gradient(x, gamma), expected, HALF_TOLERANCE[torch.float16])


def test_a_compiled_head_does_not_break_the_graph():
    head = ChainInterdependenceHead(
        4,
        5,
        9,
        with_inverse_approx=True,
        decay=0.8,
        with_learned_decay=True,
        with_softmax=False,
        device=DEVICE,
    ).half()
    x = kernel_checks.random(2, 9, 4, dtype=torch.float16)
    compiled = torch.compile(head, backend="aot_eager", fullgraph=True)
    gradients = [
        torch.autograd.grad(form(x).float().sum(), [x, *head.parameters()]) for form in (compiled, head)
    ]
    for actual, wanted in zip(*gradients, strict=True):
        torch.testing.assert_close(actual, wanted, rtol=1e-2, atol=1e-2 * wanted.abs().max().item())
