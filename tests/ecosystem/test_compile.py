"""torch.compile without graph breaks, torch.export, and models in DataLoader workers."""

import warnings

import pytest
import torch
from chains import HEADS

from chainhead_plugin import ChainHeadConfig, ChainHeadForSequenceClassification, ChainInterdependenceHead

# The spectral form goes through a Fourier transform, which the compiler leaves to the library, with a warning.
pytestmark = pytest.mark.filterwarnings("ignore:Torchinductor does not support code generation for complex")

# Chains that make the same graphs as another one, with other numbers: those that decay by one γ or by one a feature,
# filters of other taps (where taps are zero as those of a single hop), and hops that are repeated oftener.
SAME_GRAPH = (
    "single_hop-uni-s-0.7",
    "multihop-uni-h1-s1",
    "multihop-uni-h4-s0",
    "multihop-uni-h3acc-s1",
    "multihop-bi-h2-s-0.7",
    "multihop-bi-h5acc-s0",
    "exponential-uni-d0.6",
    "exponential-uni-d0.6-learned",
    "exponential-bi-d0.7",
    "inverse-uni-d0.9",
    "inverse-bi-d0.45",
)
COMPILED = {
    name: options for name, options in HEADS.items() if options.get("h", 1) < 10 and name not in SAME_GRAPH
}


@pytest.mark.slow
@pytest.mark.parametrize("options", COMPILED.values(), ids=COMPILED)
def test_one_graph_with_the_same_outputs_and_gradients(options):
    head = ChainInterdependenceHead(4, 3, 9, enable_bias=True, with_residual=True, **options)
    # "aot_eager" traces forward and backward whole, as every backend does; the next test generates code.
    compiled = torch.compile(head, fullgraph=True, backend="aot_eager", dynamic=True)
    for length in (9, 14):
        x = torch.randn(2, length, 4)
        mask = torch.ones(2, length)
        mask[0, : length // 2] = 0
        for arguments in ((x,), (x, mask)):
            weights = list(head.parameters())
            y, expected = compiled(*arguments), head(*arguments)
            torch.testing.assert_close(y, expected, rtol=1e-4, atol=1e-5)
            for actual, wanted in zip(
                torch.autograd.grad(y.square().sum(), weights),
                torch.autograd.grad(expected.square().sum(), weights),
                strict=True,
            ):
                torch.testing.assert_close(actual, wanted, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_generated_code_of_a_whole_model():
    config = ChainHeadConfig(
        m=4, hidden_sizes=[6, 5], with_multihop=True, h=2, enable_bias=True, with_residual=True
    )
    model = ChainHeadForSequenceClassification(config).eval()
    compiled = torch.compile(model, fullgraph=True)
    x, mask = torch.randn(2, 9, 4), torch.tensor([[1] * 9, [0] * 4 + [1] * 5])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        y = compiled(x, mask).logits
    torch.testing.assert_close(y, model(x, mask).logits, rtol=1e-4, atol=1e-5)


def test_a_compiled_mask_with_holes_is_an_error():
    head = ChainInterdependenceHead(4, 3, 5)
    compiled = torch.compile(head, fullgraph=True, backend="aot_eager")
    with pytest.raises(RuntimeError, match="no holes"):
        compiled(torch.ones(1, 5, 4), torch.tensor([[1, 0, 1, 0, 0]]))


SPECTRAL = "inverse-bi"
# Heads alone; test_export.py exports models with every kind of chain.
EXPORTED = {name: HEADS[name] for name in ("exponential-uni", "multihop-bi-h3acc-s1", "channel-hops-uni")}


@pytest.mark.parametrize("options", EXPORTED.values(), ids=EXPORTED)
def test_export_with_dynamic_batch_and_length(options):
    head = ChainInterdependenceHead(4, 3, 9, **options).eval()
    batch, length = torch.export.Dim("batch", max=2**20), torch.export.Dim("length", min=16, max=2**20)
    exported = torch.export.export(
        head, (torch.randn(2, 24, 4),), dynamic_shapes=({0: batch, 1: length},), strict=False
    )
    x = torch.randn(3, 40, 4)
    torch.testing.assert_close(exported.module()(x), head(x), rtol=1e-4, atol=1e-5)


def test_export_of_the_spectral_form_at_one_length():
    """torch cannot trace the reshaping inside its own Fourier transforms for any length."""
    head = ChainInterdependenceHead(4, 3, 9, **HEADS[SPECTRAL]).eval()
    exported = torch.export.export(
        head, (torch.randn(2, 24, 4),), dynamic_shapes=({0: torch.export.Dim("batch")},), strict=False
    )
    x = torch.randn(3, 24, 4)
    torch.testing.assert_close(exported.module()(x), head(x), rtol=1e-4, atol=1e-5)
