"""A head built in one mode works in the other modes: inference mode, meta tensors, global hooks."""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.modules.module import register_module_forward_hook

from chainhead_plugin import ChainInterdependenceHead

# Of a length to each test, so that none finds what another has built.
KINDS = {
    "single-hop": {},
    "multihop": {"with_multihop": True, "h": 3},
    "exponential": {"with_exponential_approx": True},
    "inverse": {"with_inverse_approx": True},
    "inverse-bi": {"with_inverse_approx": True, "bi_directional": True},
    "hops": {"channel_hops": [0, 1, 3]},
    "hops-lorr": {"channel_hops": [0, 1, 3], "with_lorr": True, "r": 2},
}
every_kind = pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)


def build(options):
    return ChainInterdependenceHead(4, 8, 8, **options, with_relu=False, with_softmax=False)


def run(head, length):
    """A call, and where the chain allows it three steps."""
    x = torch.randn(2, length, 4)
    outputs = [head(x)]
    state = None
    for node in [] if head.chain.bi_directional else x.unbind(1)[:3]:
        y, state = head.step(node, state)
        outputs.append(y)
    return outputs


@every_kind
@pytest.mark.parametrize("length", [11, 75, 201])
def test_gradients_after_inference_mode(options, length):
    head = build(options)
    with torch.inference_mode():
        run(head, length)
    sum(y.sum() for y in run(head, length)).backward()
    assert all(parameter.grad is not None for parameter in head.parameters())


@every_kind
@pytest.mark.parametrize("length", [13, 77, 203])
def test_tensors_without_data_have_the_shapes_and_leave_nothing_behind(options, length):
    with FakeTensorMode():
        shapes = [y.shape for y in run(build(options), length)]
    outputs = run(build(options), length)
    assert shapes == [y.shape for y in outputs]
    assert all(type(y) is torch.Tensor for y in outputs)


def test_linear_maps_are_called_as_modules_where_somebody_listens():
    head = build({"with_lorr": True, "r": 2})
    heard = []
    x = torch.randn(2, 5, 4, requires_grad=True)
    handle = head.reconciliation.down.register_full_backward_hook(lambda *_: heard.append("backward"))
    head(x).sum().backward()
    handle.remove()
    handle = register_module_forward_hook(lambda module, *_: heard.append(type(module).__name__))
    try:
        head(x)
    finally:
        handle.remove()
    assert heard == ["backward", "Linear", "Linear", "ChainInterdependenceHead"]
