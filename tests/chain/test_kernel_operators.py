"""The kernels as operators of torch: every one of them, however it is called."""

import importlib
import pkgutil

import pytest
import torch
from kernel_checks import DEVICE, poisoned_memory, random
from torch.fx.experimental.proxy_tensor import make_fx

from chainhead_plugin import ChainInterdependenceHead
from chainhead_plugin.chain.backend import use_backend
from chainhead_plugin.chain.forms import half_taps

pytest.importorskip("triton", reason="Triton is not installed on this platform")

from chainhead_plugin.chain import kernels
from chainhead_plugin.chain.kernels.launching.operators import KernelOperator

OPERATORS = {
    each.operator._name: each
    for module in pkgutil.walk_packages(kernels.__path__, f"{kernels.__name__}.")
    for each in vars(importlib.import_module(module.name)).values()
    if isinstance(each, KernelOperator)
}
BOUNDS = (torch.tensor([0, 2], device=DEVICE).int(), torch.tensor([9, 5], device=DEVICE).int())
# Weights of the maps, and all that follows; between them comes a bias, or none.
MAPS = {
    "hop_linear": ((3, 4), {"self_weight": 0.5, "bi_directional": True}),
    "filter_linear": (
        (3, 4),
        {"taps": [2.0, 1.0], "rest": [], "factor": 0.5, "back": 1, "ahead": 1, "reflected": True},
    ),
    "sum_linear": ((3, 4), {"decay": 0.5, "reverse": False}),
    "channel_linear": ((2, 3, 4), {"hops": [1, -2]}),
}
FILTER = {"factor": 0.5, "back": 2, "ahead": 2, "reflected": True}


def calls(name):
    """Nodes, and ways to call an operator on them: [positional arguments], {named arguments}."""
    x = random(2, 9, 4, dtype=torch.float16)
    bounds = dict(zip(("starts", "counts"), BOUNDS, strict=True))
    if name in MAPS:
        shape, options = MAPS[name]
        weight, bias = random(*shape, dtype=torch.float16), random(3, dtype=torch.float16)
        padded = torch.zeros(2, 9, 1, dtype=torch.bool, device=DEVICE)
        padded[0], padded[1, 2:7] = True, True
        real = (x * padded).detach().requires_grad_()
        scaled = {"scales": torch.rand(1, 9, device=DEVICE)} if name == "filter_linear" else {}
        return [
            ([x, weight, bias], options | {"relu": True} | scaled),
            ([real, weight, None], options | {"relu": False} | bounds),
        ]
    scales = torch.rand(1, 9, device=DEVICE)
    return {
        "filter_chain": [
            ([x.float()], {"taps": [1.0, 2.0, 3.0], "ahead": 1, "reflected": True}),
            ([x.float()], {"taps": [1.0, 2.0], "ahead": 0, "reflected": False, **bounds}),
        ],
        "scan_chain": [
            ([x.float()], {"decay": None, "reverse": True}),
            ([x], {"decay": torch.rand(1, 1, 4, dtype=torch.float64, device=DEVICE), "reverse": False}),
        ],
        "banded_filter": [
            ([x], {"taps": [3.0, 2.0, 1.0], "rest": [], **FILTER, "scales": scales, "scaled_after": True}),
            ([x], {"taps": [3.0, 2.0, 1.0], "rest": [], **FILTER, **bounds}),
            # Few enough taps for the other kernel of filters.
            ([x], {"taps": [3.0, 2.0], "rest": [], **FILTER, "back": 1, "ahead": 0, "reflected": False}),
        ],
        "banded_sum": [
            ([x], {"decay": 0.5, "reverse": True}),
            ([x], {"decay": 1.0, "reverse": False, **bounds}),
        ],
    }[name]


@pytest.fixture(autouse=True)
def _poisoned_memory():
    with poisoned_memory():
        yield


def test_the_tables_know_every_operator():
    assert set(OPERATORS) == {*MAPS, "filter_chain", "scan_chain", "banded_filter", "banded_sum"}


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning")
@pytest.mark.parametrize("name", OPERATORS)
def test_operators_are_registered_as_torch_wants_them(name):
    given, named = calls(name)[0]
    torch.library.opcheck(OPERATORS[name].operator, tuple(given), named, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("name", OPERATORS)
def test_every_way_to_call_gives_the_same(name):
    operator = OPERATORS[name]
    for given, named in calls(name):
        wanted = operator(*given, **named)
        assert wanted.requires_grad
        with torch.no_grad():
            assert torch.equal(operator(*given, **named), wanted)
        by_name = operator(**dict(zip(("x", "weight", "bias"), given, strict=False)), **named)
        assert by_name.requires_grad
        assert torch.equal(by_name, wanted)


@pytest.mark.parametrize("name", OPERATORS)
def test_what_records_operators_finds_them(name):
    given, named = calls(name)[0]
    given = [tensor.detach() for tensor in given]
    graph = make_fx(lambda *tensors: OPERATORS[name](*tensors, **named))(*given)
    called = [node.target for node in graph.graph.nodes if node.op == "call_function"]
    assert getattr(torch.ops.chainhead, name).default in called
    assert torch.equal(graph(*given), OPERATORS[name](*given, **named))


@pytest.mark.parametrize("name", [name for name in OPERATORS if name not in MAPS])
def test_gradients_of_gradients(name):
    for given, named in calls(name):
        (x,) = given
        y = OPERATORS[name](x, **named)
        cotangent = torch.randn_like(y).requires_grad_()
        (first,) = torch.autograd.grad(y, x, cotangent, create_graph=True)
        # The gradient is linear in the cotangent, by the transposed function, whose transposed function is the first.
        (second,) = torch.autograd.grad(first, cotangent, x.detach())
        assert torch.equal(second, y)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("hop_linear", {}),
        ("filter_linear", {"with_exponential_approx": True, "bi_directional": True}),
        ("filter_linear", {"with_inverse_approx": True, "bi_directional": True, "decay": 0.41}),
        ("sum_linear", {"with_inverse_approx": True, "decay": 0.9}),
        ("channel_linear", {"channel_hops": [0, 1]}),
        ("banded_filter", {"with_exponential_approx": True, "with_lorr": True}),
        ("banded_sum", {"with_inverse_approx": True, "with_lorr": True}),
        ("filter_chain", {"with_lorr": True}),
        ("scan_chain", {"with_inverse_approx": True, "decay": 0.5, "with_learned_decay": True}),
    ],
    ids=str,
)
def test_exported_heads_call_the_operators(name, options):
    half_taps._found.cache_clear()
    half_taps._decay_found.cache_clear()
    head = ChainInterdependenceHead(
        4, 3, 40, with_softmax=False, device=DEVICE, dtype=torch.float16, **options
    ).eval()
    x = random(2, 40, 4, dtype=torch.float16).detach()
    with use_backend("triton" if name in ("hop_linear", "filter_chain") else "fused"):
        program = torch.export.export(head, (x,), dynamic_shapes=({0: torch.export.Dim("batch", min=2)},))
        assert f"chainhead.{name}" in program.graph_module.code
        nodes = x.repeat(2, 1, 1)
        assert torch.equal(program.module()(nodes), head(nodes))
