"""Channels with their own hops, against the dense form: outputs, gradients, masks, streams and weights."""

import math

import pytest
import torch
from closeness import LENGTHS, TOLERANCE

from chainhead_plugin import ChainHeadConfig, ChainInterdependenceHead
from chainhead_plugin.chain.forms.hops import move
from chainhead_plugin.chain.kinds import Chain
from chainhead_plugin.chain.reference import interdependence_matrix
from chainhead_plugin.chain.step import move_step

HOPS = {"one": (1,), "own": (0,), "dilated": (0, 1, 2, 4, 8), "both-ways": (3, -1, 0, -70), "far": (100, 2)}
every_hops = pytest.mark.parametrize("hops", HOPS.values(), ids=HOPS)
every_form = pytest.mark.parametrize("form", [{}, {"add": True}, {"spread": True}], ids=str)


def features(hops, form, width=3):
    return width if form.get("spread") else width * len(hops)


def dense(x, hops, form):
    """The same with the channels' matrices."""
    matrices = interdependence_matrix(Chain("channel_hops", channel_hops=hops), x.size(1))
    groups = [x] * len(hops) if form.get("spread") else x.chunk(len(hops), -1)
    moved = [matrix.T @ group for matrix, group in zip(matrices, groups, strict=True)]
    return sum(moved) if form.get("add") else torch.cat(moved, -1)


@every_hops
@every_form
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("batch", [0, 2])
def test_outputs_and_gradients_equal_the_dense_form(hops, form, dtype, length, batch):
    x = torch.randn(batch, length, features(hops, form), dtype=dtype, requires_grad=True)
    y = move(x, hops, **form)
    cotangent = torch.randn_like(y)
    (gradient,) = torch.autograd.grad(y, x, cotangent)
    wide = x.detach().double().requires_grad_()
    expected = dense(wide, hops, form)
    (expected_gradient,) = torch.autograd.grad(expected, wide, cotangent.double())
    assert y.dtype == gradient.dtype == dtype
    torch.testing.assert_close(y.double(), expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
    torch.testing.assert_close(
        gradient.double(), expected_gradient, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype]
    )


@every_hops
@every_form
@pytest.mark.parametrize("padding", [math.nan, math.inf])
def test_a_padded_chain_is_the_chain_alone(hops, form, padding):
    spans = [(0, 12), (11, 1), (3, 5), (4, 0), (0, 2)]
    mask = torch.zeros(len(spans), 12, dtype=torch.bool)
    for row, (start, count) in enumerate(spans):
        mask[row, start : start + count] = True
    x = torch.where(
        mask[..., None], torch.randn(len(spans), 12, features(hops, form)), padding
    ).requires_grad_()
    y = move(x, hops, mask, **form)
    cotangent = torch.randn_like(y)
    (gradient,) = torch.autograd.grad(y, x, cotangent)
    assert not y[~mask].any()
    assert not gradient[~mask].any()
    for row, (_, count) in enumerate(spans):
        if count:
            alone = x[row][mask[row]].detach()[None].requires_grad_()
            expected = move(alone, hops, **form)
            (expected_gradient,) = torch.autograd.grad(expected, alone, cotangent[row][mask[row]][None])
            assert torch.equal(y[row][mask[row]][None], expected)
            assert torch.equal(gradient[row][mask[row]][None], expected_gradient)


# torch's own forward mode compiles its decompositions that way.
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:FutureWarning")
@every_form
@pytest.mark.parametrize("masked", [False, True])
def test_function_transforms_and_derivatives(form, masked):
    hops = HOPS["both-ways"]
    mask = torch.tensor([[0, 1, 1, 1, 0, 0], [1] * 6]).bool() if masked else None
    xs = torch.randn(3, 2, 6, features(hops, form, 2), dtype=torch.float64)
    call = lambda z: move(z, hops, mask, **form).square()  # noqa: E731
    for transformed in (
        call,
        torch.func.grad(lambda z: call(z).sum()),
        lambda z: torch.func.jvp(call, (z,), (z + 1,))[1],
    ):
        torch.testing.assert_close(
            torch.func.vmap(transformed)(xs), torch.stack([transformed(z) for z in xs])
        )
    x = xs[0].clone().requires_grad_()
    assert torch.autograd.gradcheck(call, (x,), check_forward_ad=True)
    assert torch.autograd.gradgradcheck(call, (x,))


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
@pytest.mark.parametrize("hops", [(0,), (1,), (3, 0, 5)])
@every_form
def test_step_keeps_what_is_to_come(dtype, hops, form):
    x = torch.randn(2, 12, features(hops, form), dtype=dtype)
    state, outputs = None, []
    for node in x.unbind(1):
        y, state = move_step(node, hops, state, **form)
        outputs.append(y)
        assert state.shape == (2 * max(hops), (y if form.get("add") else x).size(-1))
    expected = move(x, hops, **form)
    torch.testing.assert_close(
        torch.stack(outputs, 1), expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype]
    )
    if max(hops):
        with pytest.raises(ValueError, match="start with state=None"):
            move_step(x[:1, 0], hops, state, **form)


@pytest.mark.parametrize("hops", HOPS.values(), ids=HOPS)
@every_form
def test_one_chain_alone_and_among_others(hops, form):
    x = torch.randn(40, 6, features(hops, form))
    cotangent = torch.randn_like(move(x, hops, **form))
    rows = []
    for chains in (x, x[:1]):
        leaf = chains.clone().requires_grad_()
        y = move(leaf, hops, **form)
        rows.append((y[:1], torch.autograd.grad(y, leaf, cotangent[: len(chains)])[0][:1]))
    for among, alone in zip(*rows, strict=True):
        torch.testing.assert_close(alone, among)
    past = tuple(abs(hop) for hop in hops)
    state = states = None
    for node in x.unbind(1):
        y, state = move_step(node[:1], past, state, **form)
        ys, states = move_step(node, past, states, **form)
        torch.testing.assert_close(y, ys[:1])
        torch.testing.assert_close(state, states.unflatten(0, (-1, 40))[:, 0])


def test_half_precision_is_added_up_in_float32():
    x = torch.ones(1, 1200, 1000, dtype=torch.bfloat16)
    assert move(x, tuple(range(1000)), add=True)[0, -1, 0] == 1000  # adding 1 to 256 in bfloat16 stands still


def test_the_number_of_channels_follows():
    for channel_num in (1, 3):
        head = ChainInterdependenceHead(4, 3, 6, channel_num=channel_num, channel_hops=[0, 1, 4])
        assert head.channel_num == 3
        assert head.interdependence_matrix().shape == (3, 6, 6)
        assert torch.equal(head.interdependence_matrix()[2], torch.ones(6, 6).triu(4).tril(4))
    # Channels belong to the chain heads: the perceptrons of a stack keep one matrix.
    config = ChainHeadConfig(m=4, hidden_sizes=[6], channel_hops=[0, 1, 4])
    perceptron, head = config.layer_options(0)
    assert perceptron.channels == 1
    assert not hasattr(perceptron, "channel_hops")
    assert head.channel_hops == (0, 1, 4)


@pytest.mark.parametrize(
    "reconciliation", [{}, {"with_lorr": True, "r": 4}, {"with_dual_lphm": True, "r": 4}]
)
@pytest.mark.parametrize("method", ["xavier_normal", "kaiming_uniform"])
def test_channels_start_smaller_by_the_root_of_their_number(reconciliation, method):
    build = {"parameters_init_method": method, **reconciliation}
    torch.manual_seed(1)
    averaged = ChainInterdependenceHead(30, 40, 5, **build, channel_num=4).reconciliation
    torch.manual_seed(1)
    added = ChainInterdependenceHead(30, 40, 5, **build, channel_hops=[0, 1, 2, 4]).reconciliation
    for channel in range(4):
        torch.testing.assert_close(added.channel_matrix(channel), averaged.channel_matrix(channel) / 2)


def test_the_sum_of_channels_starts_with_the_variance_of_one():
    build = {"with_relu": False, "with_softmax": False}
    one = ChainInterdependenceHead(300, 400, 5, **build, channel_hops=[0])
    many = ChainInterdependenceHead(300, 400, 5, **build, channel_hops=[0, 1, 2, 4])
    x = torch.randn(8, 200, 300)
    assert (many(x)[:, 4:].var() / one(x).var()).item() == pytest.approx(1, rel=0.1)
