"""Outputs are zero at padding, and a mask without padding is dropped."""

import math

import pytest
import torch

from chainhead_plugin import ChainHeadConfig, ChainHeadModel, ChainInterdependenceHead
from chainhead_plugin.chain.masking import CheckedMask, check_mask, needed_mask, zero_padding

MASK = torch.tensor([[1, 1, 0], [0, 1, 1], [0, 0, 0]]).bool()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_padding_becomes_zero_whatever_it_holds_and_all_else_is_kept(dtype):
    values = torch.tensor([1.5, -0.0, math.inf, -math.inf, math.nan, torch.finfo(dtype).tiny], dtype=dtype)
    x = values.repeat(3, 3, 1).requires_grad_()
    for given in (x, x.transpose(0, 1).contiguous().transpose(0, 1), x.expand(3, 3, 6)):
        y = zero_padding(given, MASK)
        expected = torch.where(MASK.unsqueeze(-1), given, 0)
        assert torch.equal(y.nan_to_num(7), expected.nan_to_num(7))
        assert torch.equal(y.signbit(), expected.signbit())
    (gradient,) = torch.autograd.grad(zero_padding(x, MASK), x, torch.full_like(x, math.nan))
    assert gradient[MASK].isnan().all()
    assert not gradient[~MASK].any()


# torch's own forward mode compiles its decompositions that way.
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:FutureWarning")
def test_function_transforms_and_derivatives():
    xs = torch.randn(4, 3, 3, 2, dtype=torch.float64)
    call = lambda z: zero_padding(z, MASK).square()  # noqa: E731
    assert torch.equal(torch.func.vmap(call)(xs), torch.stack([call(x) for x in xs]))
    assert torch.equal(torch.func.grad(lambda z: call(z).sum())(xs[0]), 2 * zero_padding(xs[0], MASK))
    x = xs[0].clone().requires_grad_()
    assert torch.autograd.gradcheck(call, (x,), check_forward_ad=True)
    assert torch.autograd.gradgradcheck(call, (x,))
    assert torch.equal(torch.compile(call, backend="eager", fullgraph=True)(xs[0]), call(xs[0]))


def test_masks_that_are_mapped_over_are_checked_too():
    count = lambda mask: check_mask(mask, *mask.shape).real.sum()  # noqa: E731
    assert torch.func.vmap(count)(torch.stack([MASK, MASK])).tolist() == [MASK.sum()] * 2
    with pytest.raises(ValueError, match="must hold 1 for the real nodes"):
        torch.func.vmap(count)(torch.stack([MASK.long(), 2 * MASK.long()]))


def test_a_mask_of_real_nodes_alone_is_no_mask():
    assert needed_mask(torch.ones(2, 3), 2, 3) is None
    assert needed_mask(torch.ones(0, 3), 0, 3) is None
    assert torch.equal(needed_mask(MASK.long(), 3, 3).real, MASK)
    with pytest.raises(ValueError, match="one value per node"):
        needed_mask(torch.ones(2, 4), 2, 3)
    head = ChainInterdependenceHead(
        4, 5, 6, with_inverse_approx=True, bi_directional=True, with_softmax=False
    )
    x = torch.randn(2, 40, 4)
    assert torch.equal(head(x, torch.ones(2, 40)), head(x))


def test_a_checked_mask_is_taken_as_it_is(monkeypatch):
    checked = check_mask(MASK.long(), 3, 3)
    assert check_mask(checked, 3, 3) is checked
    assert needed_mask(checked, 3, 3) is checked
    assert needed_mask(None, 3, 3) is None
    model = ChainHeadModel(ChainHeadConfig(m=4, hidden_sizes=[4, 4, 4]))
    x, seen = torch.randn(3, 3, 4), []
    for layer in model.layers:
        layer.head.register_forward_pre_hook(lambda _, args: seen.append(args[1]))
    model(x, MASK.long())
    assert len(seen) == 3
    assert all(mask is seen[0] and isinstance(mask, CheckedMask) for mask in seen)


@pytest.mark.parametrize(
    "options", [{}, {"with_batch_norm": True}, {"bi_directional": True, "with_inverse_approx": True}]
)
def test_heads_give_the_same_with_a_mask_checked_before(options):
    head = ChainInterdependenceHead(4, 5, 3, **options)
    x = torch.randn(3, 3, 4)
    x[~MASK] = math.nan
    results = []
    for mask in (MASK, check_mask(MASK, 3, 3)):
        given = x.clone().requires_grad_()
        y = head(given, mask)
        results.append((y, *torch.autograd.grad(y.square().sum(), (given, *head.parameters()))))
        flat = head(given.flatten(1), mask)
        assert not flat.isnan().any()
    for plain, checked in zip(*results, strict=True):
        assert torch.equal(plain, checked)
    compiled = torch.compile(head, backend="eager", fullgraph=True)
    assert torch.equal(compiled(x, check_mask(MASK, 3, 3)), compiled(x, MASK))
