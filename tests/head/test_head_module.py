"""The head as a torch module: parts, initialisation, dtypes, devices, and hooks and adapters on its linear maps."""

import copy
import math

import pytest
import torch
from chains import HEADS

from chainhead_plugin import ChainInterdependenceHead


def test_batch_norm_statistics_are_over_real_nodes():
    padded = ChainInterdependenceHead(4, 3, 5, with_batch_norm=True, dtype=torch.float64)
    alone = ChainInterdependenceHead(4, 3, 5, with_batch_norm=True, dtype=torch.float64)
    alone.load_state_dict(padded.state_dict())
    mask = torch.tensor([[1, 1, 1, 1, 0, 0], [0, 0, 1, 1, 1, 1]])
    x = torch.randn(2, 6, 4, dtype=torch.float64)
    y = padded(torch.where(mask.bool().unsqueeze(-1), x, math.nan), mask)
    expected = alone(torch.stack([x[0, :4], x[1, 2:]]))
    torch.testing.assert_close(y[mask.bool()], expected.flatten(0, 1), rtol=1e-10, atol=1e-12)
    for key, buffer in padded.batch_norm.named_buffers():
        torch.testing.assert_close(buffer, alone.batch_norm.get_buffer(key))
    before = padded.batch_norm.running_mean.clone()
    padded(x, torch.zeros(2, 6))
    assert torch.equal(padded.batch_norm.running_mean, before)


def test_dropout_is_a_module_that_eval_turns_off():
    head = ChainInterdependenceHead(4, 64, 5, with_dropout=True, p=0.5, with_relu=False, with_softmax=False)
    x = torch.randn(3, 5, 4)
    dropped = (head(x) == 0).float().mean()
    assert 0.4 < dropped < 0.6
    assert (head.eval()(x) != 0).all()


@pytest.mark.parametrize(
    "method", ["xavier_normal", "xavier_uniform", "kaiming_uniform", "fanout_std_uniform"]
)
def test_initialisers_use_the_fans_of_the_real_matrices(method):
    torch.manual_seed(0)
    m, n, r = 300, 500, 40
    variance = {
        "xavier_normal": lambda fan_out, fan_in: 2 / (fan_out + fan_in),
        "xavier_uniform": lambda fan_out, fan_in: 2 / (fan_out + fan_in),
        "kaiming_uniform": lambda fan_out, fan_in: 1 / (3 * fan_in),
        "fanout_std_uniform": lambda fan_out, fan_in: 1 / (3 * fan_out),
    }[method]
    build = {"channel_num": 2, "enable_bias": True, "with_residual": True, "parameters_init_method": method}
    plain = ChainInterdependenceHead(m, n, 5, **build)
    lorr = ChainInterdependenceHead(m, n, 5, with_lorr=True, r=r, **build)
    lphm = ChainInterdependenceHead(m, n, 5, with_dual_lphm=True, r=r, **build)
    for weight, fan_out, fan_in in [
        (plain.reconciliation.linear.weight, n, m),
        (plain.residual.weight, n, m),
        (lorr.reconciliation.up.weight, n, r),
        (lorr.reconciliation.down.weight, r, m),
        (lphm.reconciliation.P, 20, r),
        (lphm.reconciliation.Q, r, 15),
        (lphm.reconciliation.S, 25, r),
        (lphm.reconciliation.T, r, 20),
    ]:
        assert weight.var().item() == pytest.approx(variance(fan_out, fan_in), rel=0.15)
    bound = {"kaiming_uniform": m**-0.5, "fanout_std_uniform": n**-0.5}.get(method, 0.0)
    assert plain.bias.abs().max().item() == pytest.approx(bound, rel=0.02)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("kind", HEADS.values(), ids=HEADS)
def test_dtypes(kind, dtype):
    if kind.get("h", 1) > 10:
        return
    wide = ChainInterdependenceHead(4, 3, 5, with_residual=True, **kind, dtype=torch.float64)
    head = ChainInterdependenceHead(4, 3, 5, with_residual=True, **kind, dtype=dtype)
    head.load_state_dict(wide.state_dict())
    wide.load_state_dict(head.state_dict())
    x = torch.randn(2, 20, 4).to(dtype)
    y = head(x)
    assert y.dtype == dtype
    tolerance = {torch.float64: 1e-12, torch.float32: 1e-5, torch.bfloat16: 0.1, torch.float16: 0.02}[dtype]
    torch.testing.assert_close(y.double(), wide(x.double()), rtol=0, atol=tolerance)


def test_autocast_accumulates_in_float32():
    head = ChainInterdependenceHead(1, 1, 5, with_inverse_approx=True, with_relu=False, with_softmax=False)
    with torch.no_grad():
        head.reconciliation.linear.weight.fill_(1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = head(torch.ones(1, 4096, 1))
    assert y[0, -1, 0] == 4096


def test_construction_on_a_device():
    assert all(
        p.is_meta for p in ChainInterdependenceHead(4, 3, 5, device="meta", enable_bias=True).parameters()
    )
    with torch.device("meta"):
        head = ChainInterdependenceHead(4, 3, 5, device=None)
    assert head(torch.empty(2, 5, 4, device="meta"), torch.ones(2, 5, device="meta")).is_meta


def test_replaced_linear_maps_are_called():
    """An adapter in the place of a linear map must take part, with several channels too."""

    class Doubled(torch.nn.Linear):
        def forward(self, x):
            return 2 * super().forward(x)

    for extra in (
        {},
        {"channel_num": 3},
        {"channel_hops": [0, 2]},
        {"with_lorr": True, "channel_num": 2, "r": 4},
        {"with_lorr": True, "channel_hops": [0, 2], "r": 4},
    ):
        head = ChainInterdependenceHead(4, 3, 5, with_relu=False, with_softmax=False, **extra)
        x = torch.randn(2, 5, 4)
        expected = 2 * head(x)
        which = "up" if "with_lorr" in extra else "linear"
        old = head.reconciliation.get_submodule(which)
        new = Doubled(old.in_features, old.out_features, bias=False)
        new.load_state_dict(old.state_dict())
        setattr(head.reconciliation, which, new)
        torch.testing.assert_close(head(x), expected)


@pytest.mark.parametrize("softmax", ["flat", "nodes"])
def test_no_nan_on_the_way_back(softmax):
    """Not even in between, where anomaly detection looks."""
    head = ChainInterdependenceHead(4, 3, 6)
    x = torch.randn(2, 6, 4)
    x = x.flatten(1) if softmax == "flat" else x
    with torch.autograd.set_detect_anomaly(True):
        head(x, torch.tensor([[0] * 6, [0] * 2 + [1] * 4])).square().sum().backward()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"channel_num": 2},
        {"with_lorr": True, "r": 8},
        {"with_lorr": True, "r": 1},
        {"with_dual_lphm": True},
        {"channel_hops": [0, 2]},
        {"with_inverse_approx": True, "decay": 0.5, "with_learned_decay": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("extra", [{}, {"enable_bias": True, "with_residual": True, "with_batch_norm": True}])
def test_offloaded_weights_are_fetched(options, extra):
    accelerate = pytest.importorskip("accelerate")
    head = ChainInterdependenceHead(8, 8, 5, with_softmax=False, **options, **extra).eval()
    x = torch.randn(2, 5, 8)
    offloaded = accelerate.cpu_offload(copy.deepcopy(head), execution_device=torch.device("cpu"))
    torch.testing.assert_close(offloaded(x), head(x))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"channel_num": 2},
        {"with_lorr": True, "r": 8},
        {"channel_hops": [0, 2], "with_lorr": True, "r": 8},
    ],
)
def test_hooks_on_linear_maps_are_called(options):
    head = ChainInterdependenceHead(8, 8, 5, **options)
    calls = []
    for module in head.modules():
        if isinstance(module, torch.nn.Linear):
            module.register_forward_hook(lambda *_: calls.append(1))
    head(torch.randn(1, 5, 8))
    assert len(calls) == sum(isinstance(module, torch.nn.Linear) for module in head.modules())


def test_constructing_is_silent(capsys):
    ChainInterdependenceHead(4, 3, 5)
    assert capsys.readouterr() == ("", "")


def test_printing_says_what_it_is():
    text = repr(ChainInterdependenceHead(4, 3, 5, with_multihop=True, h=2, with_lorr=True))
    assert "m=4, n=3, chain_length=5" in text
    assert "kind='multihop'" in text
    assert "in_features=4, out_features=3, channels=1" in text
