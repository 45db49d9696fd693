"""torch.export and ONNX: one graph for any batch size, length and padding."""

import onnxruntime
import pytest
import torch
from chains import CHAINS, HEADS, name, options
from torch._dynamo.testing import CompileCounter

from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadForSequenceClassification,
    ChainHeadForTokenClassification,
    ChainHeadModel,
    ChainInterdependenceHead,
)
from chainhead_plugin.chain.forms.power_sum import by_fourier, by_sines

ANY = torch.export.Dim.DYNAMIC
ANY_BATCH_AND_LENGTH = {"input_features": {0: ANY, 1: ANY}, "attention_mask": {0: ANY, 1: ANY}}
FEW_HOPS = [chain for chain in CHAINS if chain.hops < 10]
# One of each form: kind, direction and accumulation.
FORMS = {
    name(chain): options(chain)
    for chain in {(c.kind, c.bi_directional, c.accumulative): c for c in FEW_HOPS if c.decay is None}.values()
}
# exp(γN) of one γ is the same filter as exp(N), and (I − γN)⁻¹ of one γ as of one a feature.
FORMS |= {
    kind: fields
    for kind, fields in HEADS.items()
    if kind.endswith("-learned") or "hops" in kind or kind == "inverse-uni-d0.9"
}
BI_DIRECTIONAL_INVERSE = {"with_inverse_approx": True, "bi_directional": True}
WHOLE_MODELS = {
    "all-parts": (
        ChainHeadForTokenClassification,
        {
            "n": 6,
            "channel_num": 3,
            "enable_bias": True,
            "with_residual": True,
            "with_batch_norm": True,
            "with_dropout": True,
            "with_softmax": True,
        },
    ),
    "stack-max": (
        ChainHeadForSequenceClassification,
        {"hidden_sizes": [6, 5], "with_lorr": True, "r": 2, "with_taylor": True, "pooling": "max"},
    ),
    "dual-lphm-last": (
        ChainHeadForSequenceClassification,
        {"n": 6, "with_dual_lphm": True, "channel_num": 2, "pooling": "last", **BI_DIRECTIONAL_INVERSE},
    ),
    "stack-hops-lorr": (
        ChainHeadForTokenClassification,
        {"hidden_sizes": [6, 5], "channel_hops": [0, 1, 4], "with_lorr": True, "r": 2, "enable_bias": True},
    ),
}


def build(model_class, fields):
    model = model_class(ChainHeadConfig(m=4, num_labels=3, **fields)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.uniform_(-1, 1)
    return model


def batch(size, length):
    """Chains padded on the left, on the right, and whole; what is padded is not zero."""
    position = torch.arange(length)
    mask = torch.ones(size, length, dtype=torch.int64)
    mask[0] = position >= length // 3
    if size > 1:
        mask[1] = position < length - length // 4
    return torch.randn(size, length, 4), mask


def check_everywhere(model, tmp_path):
    """Export once; compare with the model at several batches and lengths, in torch and in onnxruntime."""
    x, mask = batch(2, 24)
    program = torch.export.export(model, (x, mask), dynamic_shapes=ANY_BATCH_AND_LENGTH, strict=False)
    path = tmp_path / "model.onnx"
    torch.onnx.export(program, dynamo=True).save(path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert [i.name for i in session.get_inputs()] == ["input_features", "attention_mask"]
    exported = program.module()
    for size, length in ((2, 24), (3, 2), (4, 37), (2, 300)):
        x, mask = batch(size, length)
        expected = model(x, mask)[0]
        torch.testing.assert_close(exported(x, mask)[0], expected, rtol=1e-4, atol=1e-5)
        check_session(session, x, mask, expected)
    x, mask = batch(1, 1)
    check_session(session, x, mask, model(x, mask)[0])


def check_session(session, x, mask, expected):
    (y,) = session.run(None, {"input_features": x.numpy(), "attention_mask": mask.numpy()})
    torch.testing.assert_close(torch.from_numpy(y), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("fields", FORMS.values(), ids=FORMS)
def test_every_kind_at_any_batch_and_length(fields, tmp_path):
    check_everywhere(build(ChainHeadModel, {"n": 6, **fields}), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("model_class", "fields"), WHOLE_MODELS.values(), ids=WHOLE_MODELS)
def test_whole_models(model_class, fields, tmp_path):
    check_everywhere(build(model_class, fields), tmp_path)


def test_flatten_pooling_up_to_its_longest_chain():
    model = build(ChainHeadForSequenceClassification, {"n": 6, "pooling": "flatten", "chain_length": 32})
    length = torch.export.Dim("length", max=32)
    program = torch.export.export(
        model,
        batch(2, 24),
        dynamic_shapes={"input_features": {0: ANY, 1: length}, "attention_mask": {0: ANY, 1: length}},
        strict=False,
    )
    x, mask = batch(3, 32)
    torch.testing.assert_close(program.module()(x, mask).logits, model(x, mask).logits)
    with pytest.raises((AssertionError, RuntimeError), match="32"):  # by version of torch
        program.module()(*batch(3, 33))


def test_an_exported_mask_with_holes_is_an_error():
    model = build(ChainHeadModel, {"n": 6})
    program = torch.export.export(model, batch(2, 5), strict=False)
    with pytest.raises(RuntimeError, match="no holes"):
        program.module()(torch.ones(2, 5, 4), torch.tensor([[1, 0, 1, 0, 0]] * 2))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 8, 17, 64, 129, 5000])
def test_sines_are_the_fourier_form(length, dtype):
    x = torch.rand(2, length, 1, dtype=dtype)
    real = batch(2, length)[1].bool().unsqueeze(-1)
    for mask in (None, real):
        inside = torch.ones_like(real) if mask is None else mask
        ones = inside.to(dtype)
        wanted = by_fourier((x * ones).double(), mask)
        wanted = torch.where(inside, wanted / by_fourier(ones.double(), mask), 0).nan_to_num()
        actual = by_sines(x * ones, mask)
        actual = torch.where(inside, actual / by_sines(ones, mask), 0).nan_to_num()
        tolerance = 2e-5 if dtype == torch.float32 else 1e-12
        torch.testing.assert_close(actual.double(), wanted, rtol=tolerance, atol=1e-12 if length > 1 else 0)


@pytest.mark.filterwarnings("ignore:Torchinductor does not support code generation for complex")
@pytest.mark.parametrize("chain", FEW_HOPS, ids=name)
def test_two_compilations_serve_all_shapes(chain):
    """The first for its own shape, the second, once another is seen, for any."""
    head = ChainInterdependenceHead(4, 3, 9, **options(chain)).eval()
    counter = CompileCounter()
    compiled = torch.compile(head, backend=counter, fullgraph=True)
    for size, length in ((3, 30), (2, 8), (5, 40), (4, 5), (7, 6), (3, 3)):
        x, mask = batch(size, length)
        torch.testing.assert_close(compiled(x, mask), head(x, mask), rtol=1e-4, atol=1e-5)
    assert counter.frame_count <= 2
