"""Products of few bfloat16 numbers on the CPU, made in float32, beside those of torch in bfloat16."""

import pytest
import torch
from torch.nn import functional as F

from chainhead_plugin import ChainInterdependenceHead
from chainhead_plugin.head.linear.maps import linear_of_few

BARE = {"with_relu": False, "with_softmax": False}


# Below, within and beyond the numbers of products and of weights for which it is made in float32.
@pytest.mark.parametrize(
    ("rows", "m", "n"),
    [
        (1, 64, 64),
        (2, 32, 64),
        (2, 33, 64),
        (8, 64, 64),
        (64, 64, 64),
        (65, 64, 64),
        (1, 256, 256),
        (1, 128, 256),
    ],
)
@pytest.mark.parametrize("bias", [False, True])
def test_products_are_rounded_once_with_gradients_for_all(rows, m, n, bias):
    x, weight, shift = (torch.randn(size).bfloat16() for size in ((3, rows, m), (n, m), (n,)))
    given = [x, weight, shift] if bias else [x, weight]
    cotangent = torch.randn(3, rows, n).bfloat16()
    leaves = [tensor.clone().requires_grad_() for tensor in given]
    y = linear_of_few(*leaves)
    exact = [tensor.double().requires_grad_() for tensor in given]
    expected = F.linear(*exact)
    actual = (y, *torch.autograd.grad(y, leaves, cotangent))
    for half, wide in zip(
        actual, (expected, *torch.autograd.grad(expected, exact, cotangent.double())), strict=True
    ):
        assert half.dtype == torch.bfloat16
        # Half a unit in the last place, and the rounding of float32 sums.
        torch.testing.assert_close(half.double(), wide.detach(), rtol=2**-8, atol=1e-4)


def test_a_small_head_in_bfloat16_is_compiled_to_the_same():
    head = (
        ChainInterdependenceHead(64, 64, 8, with_multihop=True, h=3, channel_num=2, **BARE).bfloat16().eval()
    )
    x = torch.randn(1, 8, 64).bfloat16()
    exported = torch.export.export(head, (x,)).module()
    torch.testing.assert_close(exported(x), head(x), rtol=2**-6, atol=2**-5)
