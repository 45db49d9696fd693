"""The head one node at a time: outputs and gradients equal those of `forward`, and states do not change afterwards."""

import pytest
import torch
from chains import UNI_DIRECTIONAL_HEADS
from torch import nn

from chainhead_plugin import ChainInterdependenceHead

every_stream = pytest.mark.parametrize("kind", UNI_DIRECTIONAL_HEADS.values(), ids=UNI_DIRECTIONAL_HEADS)
every_width = pytest.mark.parametrize("widths", [(4, 3), (4, 4), (3, 4)], ids=str)
RECONCILIATIONS = {
    "identity": {},
    "channels": {"channel_num": 3},
    "lorr": {"with_lorr": True, "r": 1},
    "lorr-channels": {"with_lorr": True, "r": 1, "channel_num": 2},
    "lphm": {"with_dual_lphm": True},
}
every_reconciliation = pytest.mark.parametrize(
    "reconciliation", RECONCILIATIONS.values(), ids=RECONCILIATIONS
)
NODES = 11


def build(widths, kind, **options):
    if "channel_hops" in kind:
        options.pop("channel_num", None)
    return ChainInterdependenceHead(*widths, NODES, with_relu=False, with_softmax=False, **kind, **options)


def stream(head, x):
    state, outputs = None, []
    for node in x.unbind(1):
        y, state = head.step(node, state)
        outputs.append(y)
    return torch.stack(outputs, 1)


@every_stream
@every_width
@every_reconciliation
@pytest.mark.parametrize("batch", [0, 1, 3])
def test_outputs_and_gradients_equal_those_of_the_whole_chain(kind, widths, reconciliation, batch):
    head = build(widths, kind, **reconciliation, dtype=torch.float64)
    x = torch.randn(batch, NODES, widths[0], dtype=torch.float64, requires_grad=True)
    cotangent = torch.randn(batch, NODES, widths[1], dtype=torch.float64)
    inputs = (x, *head.parameters())
    results = [(y, *torch.autograd.grad(y, inputs, cotangent)) for y in (stream(head, x), head(x))]
    with torch.no_grad():
        results.append((stream(head, x),))
    for result in results[::2]:
        for actual, expected in zip(result, results[1], strict=False):
            scale = max(1, expected.abs().max().item()) if expected.numel() else 1
            torch.testing.assert_close(actual, expected, rtol=0, atol=1e-12 * scale)


@every_stream
@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_dtypes(kind, batch, dtype):
    head = build((4, 3), kind)
    x = (torch.randn(batch, NODES, 4) / 4).to(dtype)
    expected = head.double()(x.double())
    y = stream(head.to(dtype), x)
    assert y.dtype == dtype
    scale = max(1, expected.abs().max().item())
    tolerance = {torch.float32: 1e-5, torch.float16: 1e-2, torch.bfloat16: 8e-2}[dtype]
    torch.testing.assert_close(y.double(), expected, rtol=0, atol=tolerance * scale)


@every_stream
@pytest.mark.parametrize("batch", [1, 2])
def test_autocast_rounds_maps_and_no_sums(kind, batch):
    head = build((4, 4), kind)
    x = torch.randn(batch, NODES, 4)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        y, expected = stream(head, x), head(x)
    torch.testing.assert_close(
        y.float(), expected.float(), rtol=0, atol=4e-2 * max(1, expected.abs().max().item())
    )


@every_stream
@every_width
@every_reconciliation
@pytest.mark.parametrize("batch", [1, 2])
def test_states_stay_as_they_are(kind, widths, reconciliation, batch):
    """Whatever is done to nodes and outputs later, one can go back to a state; and steps share no memory with them."""
    head = build(widths, kind, **reconciliation).eval()
    x = torch.randn(batch, NODES, widths[0])
    with torch.no_grad():
        expected = stream(head, x)
        node, state, kept = torch.empty(batch, widths[0]), None, []
        for k in range(NODES):
            kept.append((state, None if state is None else state.clone()))
            node.copy_(x[:, k])
            y, state = head.step(node, state)
            torch.testing.assert_close(y, expected[:, k], rtol=0, atol=1e-6 * max(1, y.abs().max().item()))
            node.fill_(7)
            y.fill_(7)
        for k, (state, copy) in enumerate(kept):
            assert state is None or torch.equal(state, copy)
            y, _ = head.step(x[:, k], state)
            torch.testing.assert_close(y, expected[:, k], rtol=0, atol=1e-6 * max(1, y.abs().max().item()))


class Returning(nn.Module):
    """A module that returns what it is given, having changed it if it can."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        y = self.module(x)
        return x.copy_(y) if x.shape == y.shape else y


@every_stream
@pytest.mark.parametrize("reconciliation", [{}, {"with_lorr": True, "r": 1}], ids=str)
def test_a_map_that_is_replaced_reaches_no_state(kind, reconciliation):
    head = build((4, 4), kind, **reconciliation).eval()
    x = torch.randn(2, NODES, 4)
    with torch.no_grad():
        expected = stream(head, x)
        for name in ("linear",) if not reconciliation else ("down", "up"):
            setattr(head.reconciliation, name, Returning(getattr(head.reconciliation, name)))
        again = stream(head, x.clone())
    torch.testing.assert_close(again, expected)


def test_a_learned_decay_is_called_as_a_module_where_somebody_listens():
    head = build((4, 4), {"with_inverse_approx": True, "decay": 0.9, "with_learned_decay": True})
    x = torch.randn(1, NODES, 4)
    handle = head.learned_decay.register_forward_hook(lambda *arguments: arguments[-1] / 2)
    halved = stream(head, x)
    torch.testing.assert_close(halved, head(x))
    handle.remove()
    assert not torch.allclose(halved, stream(head, x))
    head.learned_decay.forward = lambda: torch.zeros(4)
    torch.testing.assert_close(stream(head, x), head.reconciliation(x))


def test_a_weight_that_changes_counts_at_once():
    """Also where its version stays: nothing is made of weights beforehand."""
    for options in RECONCILIATIONS.values():
        head = build((4, 4), {"with_multihop": True, "h": 2}, **options)
        x = torch.randn(1, NODES, 4)
        with torch.no_grad():
            y, z = stream(head, x), head(x)
            first = next(head.reconciliation.parameters())
            first.data.mul_(2)
            torch.testing.assert_close(stream(head, x), 2 * y)
            torch.testing.assert_close(head(x), 2 * z)


def test_some_chains_of_a_batch_go_on():
    """A state holds nodes below each other, each of all chains."""
    head = build((4, 4), {"with_exponential_approx": True})
    x = torch.randn(3, NODES, 4)
    state = None
    for node in x[:, :-1].unbind(1):
        _, state = head.step(node, state)
    some = state.unflatten(0, (-1, 3))[:, [0, 2]].flatten(0, 1)
    torch.testing.assert_close(head.step(x[[0, 2], -1], some)[0], head(x)[[0, 2], -1])
