"""The bi-directional inverse on its visible eigenvectors, with the linear map, against the dense matrix."""

import pytest
import torch
from torch.nn import functional as F

from chainhead_plugin import ChainInterdependenceHead
from chainhead_plugin.chain.backend import use_backend
from chainhead_plugin.chain.forms.waves import linear_through_waves, waves
from chainhead_plugin.chain.kinds import Chain
from chainhead_plugin.chain.reference import interdependence_matrix
from chainhead_plugin.head import chain_head

CHAIN = Chain("inverse", bi_directional=True)
# Of the largest value; half precision rounds what passes from product to product, too.
TOLERANCE = {torch.bfloat16: 1.2e-2, torch.float32: 2e-6, torch.float64: 1e-14}


def assert_close(actual, wanted, dtype):
    error = (actual.double() - wanted).abs().max() / wanted.abs().max()
    assert error <= TOLERANCE[dtype], error.item()


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("length", [2, 3, 33, 34, 129, 500])
def test_outputs_and_gradients_are_those_of_the_dense_matrix(length, dtype):
    torch.manual_seed(0)
    x, weight = torch.randn(2, length, 6), torch.randn(4, 6)
    # Where rounding shows most: waves cancel behind a single node and next to the ends of a level chain.
    x[1, :, 1], x[1, :, 0], x[1, length // 2, 0] = 1, 0, 1
    given = [tensor.to(dtype).requires_grad_() for tensor in (x, weight)]
    exact = [tensor.detach().double().requires_grad_() for tensor in given]
    y = linear_through_waves(*given, waves(length, dtype, x.device))
    wanted = interdependence_matrix(CHAIN, length).T @ F.linear(*exact)
    assert_close(y, wanted, dtype)
    cotangent = torch.randn_like(wanted).to(dtype)
    for gradient, right in zip(
        torch.autograd.grad(y, given, cotangent),
        torch.autograd.grad(wanted, exact, cotangent.double()),
        strict=True,
    ):
        assert_close(gradient, right, dtype)


def test_every_node_of_a_level_chain_keeps_its_level():
    x = torch.ones(1, 3000, 1)
    for dtype in TOLERANCE:
        y = linear_through_waves(x.to(dtype), torch.ones(1, 1, dtype=dtype), waves(3000, dtype, x.device))
        assert_close(y, x.double(), dtype)


def served(monkeypatch, head, x, mask=None):
    """The head's output, and whether it was made on waves."""
    results = []
    form = chain_head.wave_linear
    with monkeypatch.context() as patched:
        patched.setattr(chain_head, "wave_linear", lambda *given: results.append(form(*given)) or results[-1])
        y = head(x, mask)
    return y, any(result is not None for result in results)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32], ids=str)
def test_heads_take_waves_and_give_what_other_forms_give(dtype, monkeypatch):
    torch.manual_seed(0)
    options = {"with_inverse_approx": True, "bi_directional": True, "with_softmax": False, "dtype": dtype}
    head = ChainInterdependenceHead(
        32, 32, 64, channel_num=2, enable_bias=True, with_residual=True, with_taylor=True, **options
    )
    x = torch.randn(2, 64, 32).to(dtype).requires_grad_()
    y, on_waves = served(monkeypatch, head, x)
    assert on_waves
    exact = ChainInterdependenceHead(
        32, 32, 64, channel_num=2, enable_bias=True, with_residual=True, with_taylor=True,
        **options | {"dtype": torch.float64},
    )  # fmt: skip
    exact.load_state_dict(head.state_dict())
    monkeypatch.setattr(chain_head, "wave_linear", lambda *_: None)
    wide = x.detach().double().requires_grad_()
    wanted = exact(wide)
    assert_close(y, wanted, dtype)
    # The residual's sum in bfloat16 decides whether ReLU lets a number near zero through.
    cotangent = torch.ones_like(y) * (wanted > 0.05 * wanted.max())
    (gradient,) = torch.autograd.grad(y, x, cotangent.to(dtype))
    assert_close(gradient, torch.autograd.grad(wanted, wide, cotangent.double())[0], dtype)


def test_other_heads_take_other_forms(monkeypatch):
    options = {"with_inverse_approx": True, "bi_directional": True, "with_softmax": False}
    head = ChainInterdependenceHead(64, 64, 64, **options)
    x, mask = torch.randn(2, 64, 64), torch.ones(2, 64, dtype=torch.bool)
    mask[0, 0] = False
    assert served(monkeypatch, head, x)[1]
    assert not served(monkeypatch, head, x, mask)[1]
    assert not served(monkeypatch, head, x[:, :32])[1]
    assert not served(monkeypatch, head.half(), x.half())[1]
    for others in ({"decay": 0.4}, {"with_lorr": True}):
        assert not served(monkeypatch, ChainInterdependenceHead(64, 64, 64, **options, **others), x)[1]
    # So many waves cost more than a map of all nodes to a few features.
    assert not served(monkeypatch, ChainInterdependenceHead(64, 2, 64, **options), x)[1]

    head = ChainInterdependenceHead(64, 64, 64, **options)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y, on_waves = served(monkeypatch, head, x)
    assert on_waves
    assert y.dtype == torch.bfloat16
    with use_backend("torch"):
        assert_close(y, head.double()(x.double()), torch.bfloat16)
