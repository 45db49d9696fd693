"""Promise 8: outputs are those of the formula, in any batch, in any precision and on every call."""

import pytest
import torch
from chains import CHAINS, HEADS, UNI_DIRECTIONAL, name, options

from chainhead_plugin import ChainHeadConfig, ChainHeadForSequenceClassification, ChainInterdependenceHead
from chainhead_plugin.chain.mix import mix

every_chain = pytest.mark.parametrize("chain", CHAINS, ids=name)
# Forms that pick another algorithm by length or width are seen at each.
LENGTHS = (1, 2, 7, 65, 300)


def build_head(chain, m=3, n=5, **extra):
    torch.manual_seed(1)
    return ChainInterdependenceHead(m, n, 8, **options(chain), with_softmax=False, with_relu=False, **extra)


@every_chain
@pytest.mark.parametrize("length", LENGTHS)
def test_nan_reaches_what_the_matrix_says_and_no_other_chain(chain, length):
    head = build_head(chain)
    matrix = head.interdependence_matrix(length)
    for node in {0, length // 2, length - 1}:
        x = torch.randn(3, length, 3)
        x[1, node, 2] = torch.nan
        reached = head(x).isnan().any(-1)
        assert not reached[[0, 2]].any()
        weights = matrix[node].abs()
        if chain.kind == "inverse" and chain.bi_directional and length > 1:
            weights = torch.ones(length)  # a sum over eigenvectors, each of which takes in the whole chain
        assert not reached[1][weights == 0].any()
        assert reached[1][weights > 1e-6 * weights.max()].all() or weights.max() == 0


@pytest.mark.parametrize("chain", UNI_DIRECTIONAL, ids=name)
@pytest.mark.parametrize("length", [7, 300])
@pytest.mark.parametrize("width", [1, 64])
def test_later_nodes_have_exactly_no_gradient(chain, length, width):
    head = build_head(chain, m=width, n=width)
    for node in (0, length // 2, length - 2):
        x = torch.randn(2, length, width, requires_grad=True)
        head(x)[:, node].square().sum().backward()
        assert x.grad[:, node].any() or chain.self_weight == 0
        assert (x.grad[:, node + 1 :] == 0).all()


@every_chain
def test_a_batch_changes_nothing(chain):
    head = build_head(chain, m=16, n=16)
    x = torch.randn(64, 50, 16)
    together = head(x)
    scale = together.abs().max().clamp(min=1)
    for size in (1, 2, 7):
        for start in (0, 33):
            alone = head(x[start : start + size])
            assert (together[start : start + size] - alone).abs().max() <= 1e-5 * scale


@every_chain
@pytest.mark.parametrize("side", ["left", "right", "both"])
@pytest.mark.parametrize("batch", [1, 4])
def test_padding_changes_nothing(chain, side, batch):
    head = build_head(chain)
    for length in (1, 5, 40):
        x = torch.randn(batch, length, 3)
        before, after = {"left": (9, 0), "right": (0, 9), "both": (4, 5)}[side]
        padded = torch.full((batch, before + length + after, 3), torch.nan)
        padded[:, before : before + length] = x
        mask = torch.zeros(padded.shape[:2])
        mask[:, before : before + length] = 1
        y = head(padded, mask)
        expected = head(x)
        assert (y[:, before : before + length] - expected).abs().max() <= 1e-6 * expected.abs().max().clamp(
            min=1
        )
        assert (y[mask == 0] == 0).all()


def stored_as_its_negative(x):
    found = torch.complex(torch.zeros_like(x), -x).conj().imag
    assert found.is_neg()
    return found


@pytest.mark.parametrize("options", HEADS.values(), ids=HEADS)
def test_tensors_that_are_stored_as_their_negatives(options):
    torch.manual_seed(1)
    head = ChainInterdependenceHead(3, 4, 7, with_softmax=False, **options)
    x = torch.randn(2, 7, 3)
    mask = torch.ones(2, 7)
    mask[1, 4:] = 0
    mask[0, :2] = 0
    plain, other = x.clone().requires_grad_(), x.clone().requires_grad_()
    expected = head(plain, mask)
    found = head(stored_as_its_negative(other), stored_as_its_negative(mask))
    torch.testing.assert_close(found, expected)
    found.square().sum().backward()
    expected.square().sum().backward()
    torch.testing.assert_close(other.grad, plain.grad)


@every_chain
@pytest.mark.parametrize("length", [7, 300])
def test_float16_overflows_only_out_of_its_range(chain, length):
    """Where the exact result is within float16's range, so is the float16 one: sums are kept in float32."""
    generator = torch.Generator().manual_seed(2)
    largest = torch.finfo(torch.float16).max
    for scale in (1.0, 1e2, 1e4, 6e4):
        x = (torch.rand(2, length, 4, generator=generator) * 2 - 1).mul(scale).half()
        exact = mix(x.float(), chain)
        y = mix(x, chain)
        within = exact.abs() < largest * 0.999
        assert y[within].isfinite().all()
        torch.testing.assert_close(y[within].float(), exact[within], rtol=2e-3, atol=2e-3 * scale)


@every_chain
def test_deterministic_algorithms(chain):
    config = ChainHeadConfig(
        m=4, hidden_sizes=[8, 8], **options(chain), with_batch_norm=True, with_dropout=True, num_labels=3
    )
    torch.manual_seed(3)
    model = ChainHeadForSequenceClassification(config)
    x = torch.randn(5, 40, 4)
    mask = torch.ones(5, 40)
    mask[1, 30:] = 0

    def gradients():
        torch.manual_seed(4)
        model.zero_grad()
        model(x, mask, labels=torch.tensor([0, 1, 2, 0, 1])).loss.backward()
        return [parameter.grad.clone() for parameter in model.parameters()]

    torch.use_deterministic_algorithms(True)
    try:
        first, second = gradients(), gradients()
    finally:
        torch.use_deterministic_algorithms(False)
    assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))
