"""The head's options against its formula, and its methods, masks, streams and layouts."""

import inspect
import math

import pytest
import torch
from chains import HEADS, UNI_DIRECTIONAL_HEADS
from hypothesis import given, settings, strategies as st

import chainhead_plugin
from chainhead_plugin import ChainInterdependenceHead
from chainhead_plugin.chain.reference import interdependence_matrix

every_kind = pytest.mark.parametrize("kind", HEADS.values(), ids=HEADS)
every_stream = pytest.mark.parametrize("kind", UNI_DIRECTIONAL_HEADS.values(), ids=UNI_DIRECTIONAL_HEADS)


def reference(head, x, mask=None):
    """y = act((Aᵀ κ(x)) W̄ᵀ + b + x W_rᵀ), chain by chain, with dense matrices, in evaluation mode."""
    outputs = torch.zeros(*x.shape[:2], head.n, dtype=x.dtype)
    for row, nodes in enumerate(x):
        real = torch.ones(len(nodes), dtype=torch.bool) if mask is None else mask[row].bool()
        if not real.any():
            continue
        chain = nodes[real]
        learned = None if head.learned_decay is None else head.learned_decay()
        matrix = interdependence_matrix(head.chain, len(chain), learned)
        powers = [chain]
        for _ in range(head.degree - 1):
            powers.append(torch.einsum("la,lb->lab", powers[-1], chain).flatten(1))
        kappa = torch.cat(powers, 1)
        weights = [head.reconciliation.channel_matrix(c) for c in range(head.channel_num)]
        if head.chain.channel_hops:
            y = sum(a.T @ kappa @ w.T for a, w in zip(matrix, weights, strict=True))
        else:
            mixed = matrix.T @ kappa if learned is None else torch.einsum("fij,if->jf", matrix, kappa)
            y = mixed @ (sum(weights) / len(weights)).T
        if head.bias is not None:
            y = y + head.bias
        if head.residual is not None:
            y = y + chain @ head.residual.weight.T
        if head.batch_norm is not None:
            norm = head.batch_norm
            y = (y - norm.running_mean) / torch.sqrt(norm.running_var + norm.eps) * norm.weight + norm.bias
        if head.relu is not None:
            y = y.clamp(min=0)
        if head.with_softmax:
            y = y.softmax(-1)
        outputs = outputs.index_put((torch.tensor(row), real.nonzero()[:, 0]), y)
    return outputs


def channels(kind, number):
    """Options of several channels, where their number is free."""
    return kind if "channel_hops" in kind else kind | {"channel_num": number}


def randomise(head):
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.uniform_(-1, 1)
        if head.batch_norm is not None:
            head.batch_norm.running_mean.uniform_(-1, 1)
            head.batch_norm.running_var.uniform_(0.5, 2)
    return head


head_options = st.fixed_dictionaries(
    {
        "m": st.integers(1, 5),
        "n": st.integers(1, 6),
        "channel_num": st.integers(1, 3),
        "enable_bias": st.booleans(),
        "with_residual": st.booleans(),
        "with_batch_norm": st.booleans(),
        "with_relu": st.booleans(),
        "with_softmax": st.booleans(),
    }
)


reconciliations = st.one_of(
    st.just({}),
    st.builds(lambda r: {"with_lorr": True, "r": r}, st.integers(1, 4)),
    st.builds(lambda r: {"with_dual_lphm": True, "r": r}, st.integers(1, 4)),
)


expansions = st.one_of(st.just({}), st.builds(lambda d: {"with_taylor": True, "d": d}, st.integers(1, 3)))


@settings(deadline=None, max_examples=150)
@given(
    base=head_options,
    reconciliation=reconciliations,
    expansion=expansions,
    kind=st.sampled_from(list(HEADS)),
    spans=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9), st.integers(0, 3)), max_size=4),
    seed=st.integers(0, 2**31),
)
def test_any_head_equals_its_formula(base, reconciliation, expansion, kind, spans, seed):
    """Outputs and the gradients of inputs and weights, for padded batches of any composition."""
    torch.manual_seed(seed)
    options = reconciliation | expansion | base | HEADS[kind]
    if "channel_hops" in options:
        options["channel_num"] = len(options["channel_hops"])
    head = ChainInterdependenceHead(**options, chain_length=5, dtype=torch.float64)
    randomise(head).eval()
    length = max([1, *(sum(span) for span in spans)])
    mask = torch.zeros(len(spans), length, dtype=torch.int64)
    for row, (before, count, _) in enumerate(spans):
        mask[row, before : before + count] = 1
    real = mask.bool().unsqueeze(-1)
    x = torch.where(real, torch.rand(len(spans), length, head.m, dtype=torch.float64) - 0.5, 1e3)
    padded, clean = x.clone().requires_grad_(), x.clone().requires_grad_()
    y, expected = head(padded, mask), reference(head, clean, mask)
    cotangent = torch.randn_like(y)
    inputs, named = [*head.parameters()], dict(head.named_parameters())
    scale = 1e-10 * max([1.0, *(expected.abs().max().item() for _ in range(expected.numel() > 0))])
    torch.testing.assert_close(y, expected, rtol=1e-10, atol=scale)
    if not real.any():
        return
    actual_gradients = torch.autograd.grad(y, [padded, *inputs], cotangent, allow_unused=True)
    expected_gradients = torch.autograd.grad(
        expected, [clean, *inputs], cotangent, allow_unused=True, materialize_grads=True
    )
    assert not actual_gradients[0][~real.squeeze(-1)].any()
    for label, actual, wanted in zip(["x", *named], actual_gradients, expected_gradients, strict=True):
        size = max(wanted.abs().max().item(), 1.0)
        torch.testing.assert_close(
            actual, wanted, rtol=1e-9, atol=1e-9 * size, msg=lambda m, k=label: f"{k}: {m}"
        )


def test_the_constructor_has_tinybigs_arguments_in_its_order():
    parameters = inspect.signature(ChainInterdependenceHead).parameters
    own = {key for key, parameter in parameters.items() if parameter.kind is parameter.KEYWORD_ONLY}
    assert all(parameters[key].default in (None, False) for key in own)
    defaults = {key: parameter.default for key, parameter in parameters.items() if key not in own}
    assert defaults == {
        "m": inspect.Parameter.empty,
        "n": inspect.Parameter.empty,
        "chain_length": inspect.Parameter.empty,
        "channel_num": 1,
        "name": "chain_interdependence_head",
        "bi_directional": False,
        "with_multihop": False,
        "h": 1,
        "accumulative": False,
        "with_inverse_approx": False,
        "with_exponential_approx": False,
        "self_dependence": True,
        "self_scaling": 1.0,
        "with_taylor": False,
        "d": 2,
        "with_dual_lphm": False,
        "with_lorr": False,
        "r": 3,
        "enable_bias": False,
        "with_residual": False,
        "with_batch_norm": False,
        "with_relu": True,
        "with_softmax": True,
        "with_dropout": False,
        "p": 0.25,
        "parameters_init_method": "xavier_normal",
        "device": "cpu",
        "dtype": None,
    }
    assert list(parameters)[:8] == [
        "m", "n", "chain_length", "channel_num", "name", "bi_directional", "with_multihop", "h",
    ]  # fmt: skip
    assert chainhead_plugin.chain_interdependence_head is ChainInterdependenceHead


@pytest.mark.parametrize("softmax", [False, True])
def test_flat_and_three_dimensional_layouts(softmax):
    head = ChainInterdependenceHead(4, 3, 6, enable_bias=True, with_relu=False, with_softmax=softmax)
    x = torch.randn(2, 6, 4)
    mask = torch.tensor([[1] * 6, [0] * 2 + [1] * 4])
    nodes, flat = head(x, mask), head(x.flatten(1), mask)
    assert nodes.shape == (2, 6, 3)
    assert flat.shape == (2, 18)
    if not softmax:
        assert torch.equal(nodes.flatten(1), flat)
        return
    torch.testing.assert_close(nodes.sum(-1), mask.float())
    torch.testing.assert_close(flat.sum(-1), torch.ones(2))
    assert not flat[1, :6].any()
    short = ChainInterdependenceHead(4, 3, 4, enable_bias=True, with_relu=False)
    short.load_state_dict(head.state_dict())
    torch.testing.assert_close(flat[1:, 6:], short(x[1:, 2:].flatten(1)))


@every_kind
@pytest.mark.parametrize("layout", ["flat", "nodes"])
def test_the_documented_methods_make_up_forward(kind, layout):
    head = ChainInterdependenceHead(
        4, 3, 6, with_taylor=True, enable_bias=True, with_residual=True, **channels(kind, 2)
    )
    x = torch.randn(2, 6, 4) / 4
    x = x.flatten(1) if layout == "flat" else x
    kappa_x = head.calculate_kappa_x(x)
    mixed = [head.calculate_instance_xi_x(x, c, kappa_x=kappa_x) for c in range(head.channel_num)]
    torch.testing.assert_close(mixed[1], head.calculate_instance_xi_x(x, channel_index=1))
    products = [
        head.calculate_inner_product(xi_x, head.calculate_phi_w(D=xi_x.size(-1), channel_index=c))
        for c, xi_x in enumerate(mixed)
    ]
    result = head.process_output(head.fusion(products) + head.calculate_pi_x(x))
    torch.testing.assert_close(result, head(x), rtol=1e-5, atol=1e-6)


def test_methods_refuse_what_does_not_fit():
    head = ChainInterdependenceHead(4, 3, 6, channel_num=2)
    with pytest.raises(ValueError, match="D is 5, but nodes have 4"):
        head.calculate_phi_w(5, 0)
    with pytest.raises(ValueError, match="channel_index is 2, but there are 2 channels"):
        head.calculate_phi_w(4, 2)
    with pytest.raises(ValueError, match="expected 2 inner products"):
        head.fusion([torch.ones(1, 6, 3)])
    assert head.calculate_pi_x(torch.ones(1, 6, 4)) is None
    with pytest.raises(ValueError, match="length must be a whole number between 1 and"):
        head.interdependence_matrix(0)


@pytest.mark.parametrize("shape", [(2, 5, 4), (2, 20)])
@pytest.mark.parametrize("batch", [0, 1])
def test_small_batches(shape, batch):
    head = ChainInterdependenceHead(4, 3, 5, with_batch_norm=True)
    y = head.eval()(torch.randn(batch, *shape[1:]))
    assert y.shape == (batch, 5, 3) if len(shape) == 3 else (batch, 15)
    head.train()(torch.randn(batch, *shape[1:]))


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (torch.ones(2, 7, 5), ValueError, r"shape \(2, 7, 5\), expected \[batch, length, 4\]"),
        (torch.ones(2, 0, 4), ValueError, "length ≥ 1"),
        (torch.ones(2, 19), ValueError, r"flat layout \[batch, 20\] = \[batch, chain_length·4\]"),
        (torch.ones(4), ValueError, "expected"),
        (torch.ones(1, 2, 5, 4), ValueError, "expected"),
        (torch.ones(2, 5, 4, dtype=torch.int64), TypeError, "floating point, got torch.int64"),
    ],
)
def test_inputs_that_do_not_fit(x, error, message):
    with pytest.raises(error, match=message):
        ChainInterdependenceHead(4, 3, 5)(x)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (torch.ones(2, 4), r"shape \(2, 4\), expected one value per node: \(2, 5\)"),
        (torch.ones(5), "expected one value per node"),
        (torch.ones(2, 5, 1), "expected one value per node"),
        (torch.tensor([[1, 0, 1, 0, 0], [1, 1, 1, 1, 1]]), "no holes"),
        (torch.tensor([[0, 1, 0, 0, 1], [1, 1, 1, 1, 1]]).bool(), "no holes"),
        (torch.full((2, 5), 2), "other values"),
        (torch.tensor([[0.0, 0.0, -1e9, -1e9, -1e9]] * 2), "other values"),
        (torch.full((2, 5), math.nan), "other values"),
    ],
)
def test_masks_that_do_not_fit(mask, message):
    with pytest.raises(ValueError, match=message):
        ChainInterdependenceHead(4, 3, 5)(torch.ones(2, 5, 4), mask)


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.uint8, torch.float32, torch.float16])
def test_mask_dtypes(dtype):
    head = ChainInterdependenceHead(4, 3, 5)
    mask = torch.tensor([[1, 1, 1, 0, 0], [0, 0, 0, 0, 1]])
    x = torch.randn(2, 5, 4)
    assert torch.equal(head(x, mask.to(dtype)), head(x, mask))


@every_stream
@pytest.mark.parametrize("reconciliation", [{}, {"with_lorr": True, "r": 1}, {"with_dual_lphm": True}])
def test_streaming(kind, reconciliation):
    head = ChainInterdependenceHead(
        4,
        3,
        9,
        enable_bias=True,
        with_residual=True,
        with_batch_norm=True,
        **kind,
        **reconciliation,
        dtype=torch.float64,
    )
    randomise(head).eval()
    x = torch.randn(2, 30, 4, dtype=torch.float64) / 4
    expected = head(x)
    state, outputs = None, []
    for node in x.unbind(1):
        y, state = head.step(node, state)
        outputs.append(y)
    scale = max(1.0, expected.abs().max().item())
    torch.testing.assert_close(torch.stack(outputs, 1), expected, rtol=0, atol=1e-11 * scale)


def test_streaming_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="uni-directional"):
        ChainInterdependenceHead(4, 3, 5, bi_directional=True).step(torch.ones(1, 4))
    head = ChainInterdependenceHead(4, 3, 5)
    with pytest.raises(ValueError, match=r"expected floating point \[batch, 4\]"):
        head.step(torch.ones(1, 5))
    _, state = head.step(torch.ones(2, 4))
    with pytest.raises(ValueError, match=r"shape \(2, 3\), expected \(3, 3\) for 3 chains"):
        head.step(torch.ones(3, 4), state)
    with pytest.raises(ValueError, match=r"state has shape \(2, 5, 3\), expected \(2, 3\)"):
        head.step(torch.ones(2, 4), torch.zeros(2, 5, 3))
    with pytest.raises(ValueError, match=r"x_t is torch\.int64 of shape"):
        head.step(torch.ones(2, 4, dtype=torch.int64))
    with pytest.raises(ValueError, match="eval mode"):
        ChainInterdependenceHead(4, 3, 5, with_batch_norm=True).step(torch.ones(2, 4))
