"""Outputs and gradients of the Triton kernels against the dense matrix; without CUDA, in Triton's interpreter."""

import subprocess
import sys

import kernel_checks
import pytest
import torch
from chains import CHAINS, name
from kernel_checks import DEVICE, poisoned_memory, random
from torch.nn import functional as F

from chainhead_plugin import ChainInterdependenceHead
from chainhead_plugin.chain.backend import backend, runs_on_triton, set_backend, use_backend
from chainhead_plugin.chain.kinds import Chain
from chainhead_plugin.chain.mix import mix
from chainhead_plugin.chain.reference import decaying_sum_by_steps, interdependence_matrix

pytest.importorskip("triton", reason="Triton is not installed on this platform")

from chainhead_plugin.chain.kernels.filter import chain_bounds
from chainhead_plugin.chain.kernels.hop_linear import hop_linear
from chainhead_plugin.chain.kernels.scan import scan_chain
from chainhead_plugin.chain.kernels.tiles.copy_engine import TensorDescriptor, has_copy_engine

# Largest error allowed, relative to the largest value of the reference.
TOLERANCE = {torch.float64: 1e-12, torch.float32: 3e-6, torch.bfloat16: 1e-2, torch.float16: 2e-3}
# The interpreter takes a millisecond an instruction, which long loops make many of.
KINDS = [chain for chain in CHAINS if chain.hops < 40 or DEVICE == "cuda"]
LENGTHS = [1, 2, 3, 63, 64, 65, 300] if DEVICE == "cuda" else [1, 2, 65]
SCANNED = (
    [(2, 1, 3), (1, 128, 1), (2, 129, 3), (3, 300, 33)]
    if DEVICE == "cuda"
    else [(2, 1, 3), (2, 129, 3), (1, 300, 1)]
)
PADDINGS = [slice(0, 0), slice(0, 5), slice(-7, None)]


@pytest.fixture(autouse=True)
def _poisoned_memory():
    with poisoned_memory(), use_backend("triton"):
        yield


def assert_close(actual, expected, dtype):
    assert actual.dtype == dtype
    kernel_checks.assert_close(actual, expected, TOLERANCE[dtype])


def check(chain, batch, length, width, dtype, padding=None):
    x, cotangent = random(batch, length, width, dtype=dtype), random(batch, length, width, dtype=dtype)
    mask, real = None, torch.ones(length, dtype=torch.bool)
    if padding is not None:
        real[padding] = False
        mask = real.expand(batch, -1).to(DEVICE)
    y = mix(x, chain, mask)
    (gradient,) = torch.autograd.grad(y, x, cotangent)
    matrix = torch.zeros(length, length, dtype=torch.float64)
    matrix[real.outer(real)] = interdependence_matrix(chain, int(real.sum())).flatten()
    matrix = matrix.to(DEVICE)
    assert_close(y, matrix.T @ x.detach().double(), dtype)
    assert_close(gradient, matrix @ cotangent.detach().double(), dtype)


@pytest.mark.parametrize("chain", KINDS, ids=name)
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_outputs_and_gradients_of_every_kind(chain, dtype):
    # The interpreter sees the ends of short chains in one dtype: where they are does not depend on it.
    for length in LENGTHS if DEVICE == "cuda" or dtype == torch.float64 else LENGTHS[-1:]:
        if interdependence_matrix(chain, length).abs().max() < torch.finfo(dtype).max / 1e3:
            check(chain, 2, length, 3, dtype)


@pytest.mark.parametrize("chain", KINDS, ids=name)
@pytest.mark.parametrize("padding", PADDINGS, ids=["none", "left", "right"])
def test_padding(chain, padding):
    check(chain, 2, 23, 3, torch.float64, padding)


@pytest.mark.parametrize("chain", KINDS, ids=name)
@pytest.mark.parametrize(
    ("batch", "length", "width"), [(0, 7, 3), (1, 63, 1), (1, 64, 33), (1, 300, 2)], ids=str
)
def test_shapes(chain, batch, length, width):
    check(chain, batch, length, width, torch.float64)


def test_padding_may_hold_anything():
    x = random(2, 9, 3, dtype=torch.float32).detach()
    mask = torch.ones(2, 9, dtype=torch.bool, device=DEVICE)
    mask[:, :4] = False
    x[:, :4] = torch.nan
    for chain in KINDS:
        y = mix(x, chain, mask)
        assert y.isfinite().all()
        assert (y[:, :4] == 0).all()


def test_slices_and_transposes():
    x = random(5, 2, 8, dtype=torch.float64).detach().transpose(0, 1)[..., ::2]
    for chain in (Chain(), Chain("inverse"), Chain("exponential", bi_directional=True)):
        assert_close(mix(x, chain), mix(x.contiguous(), chain), torch.float64)


@pytest.mark.parametrize("bi_directional", [False, True], ids=["uni", "bi"])
@pytest.mark.parametrize("self_weight", [1.0, 0.0, -0.5])
@pytest.mark.parametrize(
    "dtype",
    [
        torch.float16,
        pytest.param(
            torch.bfloat16,
            marks=pytest.mark.skipif(DEVICE == "cpu", reason="the interpreter has no bfloat16 products"),
        ),
    ],
    ids=str,
)
def test_hop_and_linear_map_in_one(bi_directional, self_weight, dtype):
    # With rows of whole 16 bytes tiles come by the copy engine, in a narrow and a wide form.
    shapes = [(1, 1, 5, 3), (3, 7, 70, 65), (2, 65, 33, 129), (2, 140, 72, 40), (1, 131, 8, 136)]
    for number, (batch, length, m, n) in enumerate(shapes):
        for relu in (False, True):
            paddings = [None, slice(0, length // 2)]
            if DEVICE == "cpu":
                # In the interpreter by turns, so that over the shapes each goes with ReLU and without.
                paddings = [paddings[(number + relu) % 2]]
            for padding in paddings:
                x, bias = random(batch, length, m, dtype=dtype), random(n, dtype=dtype)
                weight = (random(n, m, dtype=dtype) / m**0.5).detach().requires_grad_()
                mask = torch.ones(batch, length, dtype=torch.bool, device=DEVICE)
                if padding is not None:
                    mask[:, padding] = False
                bounds = chain_bounds(None if padding is None else mask.unsqueeze(-1))
                y = hop_linear(x, weight, bias, self_weight, bi_directional, relu, *bounds)

                exact = [t.detach().double().requires_grad_() for t in (x, weight, bias)]
                chain = Chain(bi_directional=bi_directional, self_weight=self_weight)
                z = F.linear(mix(exact[0], chain, mask), *exact[1:]) * mask.unsqueeze(-1)
                # Where rounding decides whether ReLU lets something through, gradients cannot be compared.
                cotangent = random(batch, length, n, dtype=dtype).detach() * (z.abs() > 0.05)
                z = z.relu() if relu else z
                assert_close(y, z, dtype)
                gradients = torch.autograd.grad(y, (x, weight, bias), cotangent)
                for actual, wanted in zip(
                    gradients, torch.autograd.grad(z, exact, cotangent.double()), strict=True
                ):
                    assert_close(actual, wanted, dtype)


@pytest.mark.parametrize("bi_directional", [False, True], ids=["uni", "bi"])
@pytest.mark.parametrize(
    "options",
    [
        {"enable_bias": True},
        {"with_relu": False, "self_scaling": -0.5},
        {"with_batch_norm": True, "self_dependence": False},
        {"with_residual": True},
        {"channel_num": 2},
        {"with_lorr": True},
    ],
    ids=str,
)
def test_heads_in_half_precision(bi_directional, options):
    head = ChainInterdependenceHead(
        6,
        5,
        9,
        bi_directional=bi_directional,
        with_softmax=False,
        device=DEVICE,
        dtype=torch.float16,
        **options,
    )
    x = random(2, 9, 6, dtype=torch.float16)
    mask = torch.ones(2, 9, dtype=torch.bool, device=DEVICE)
    mask[0, :4] = False
    weights = [x, *head.parameters()]
    for arguments in ((x,), (x, mask)):
        results = []
        for form in ("triton", "torch"):
            with use_backend(form):
                y = head(*arguments)
                cotangent = (torch.arange(y.numel(), device=DEVICE) % 7).view_as(y).half()
                results.append((y, *torch.autograd.grad(y, weights, cotangent)))
        for actual, wanted in zip(*results, strict=True):
            # The kernel rounds the mixed nodes to half precision, the plain form the mapped ones.
            torch.testing.assert_close(actual, wanted, rtol=2e-2, atol=2e-2 * wanted.abs().max().item())


def test_the_fused_kernel_is_what_runs(monkeypatch):
    head = ChainInterdependenceHead(6, 5, 9, device=DEVICE, dtype=torch.float16)
    monkeypatch.setattr(head, "_mix", None)
    assert head(random(2, 9, 6, dtype=torch.float16)).shape == (2, 9, 5)


def test_what_has_a_copy_engine():
    hopper = DEVICE == "cpu" or torch.cuda.get_device_capability()[0] == 9
    assert has_copy_engine(torch.device(DEVICE)) == (hopper and TensorDescriptor is not None)


@pytest.mark.parametrize("reverse", [False, True], ids=["forwards", "backwards"])
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_scans(reverse, dtype):
    # Where blocks begin and end does not depend on the dtype: the interpreter sees all shapes in one.
    for batch, length, width in SCANNED if DEVICE == "cuda" or dtype == torch.float64 else SCANNED[1:2]:
        x = random(batch, length, width, dtype=dtype).detach()
        one_each = torch.rand(1, 1, width, dtype=torch.float64, device=DEVICE)
        per_row = torch.rand(batch, 1, width, dtype=torch.float64, device=DEVICE)
        # The interpreter adds number by number: there every form of decay has one shape of two blocks.
        decays = (
            [None, 0.0, 0.9, 1.0, one_each, per_row] if length == 129 or DEVICE == "cuda" else [None, per_row]
        )
        for decay in decays:
            expected = decaying_sum_by_steps(x.double(), 1.0 if decay is None else decay, reverse)
            assert_close(scan_chain(x, decay, reverse), expected, dtype)


def test_scans_forget_nothing_over_many_blocks():
    length = 40_000 if DEVICE == "cuda" else 3_000
    # Summands of one sign: where they cancel, the rounding of each is no longer small beside their sum.
    x, decay = torch.rand(1, length, 2, device=DEVICE), 1 - 1e-5
    powers = decay ** torch.arange(length, dtype=torch.float64)
    last = (x[0].double().cpu() * powers.flip(0)[:, None]).sum(0)
    assert_close(scan_chain(x, decay, False)[0, -1], last.to(DEVICE), torch.float32)


def test_backends():
    x = torch.zeros(1, device=DEVICE)
    assert backend() == "triton"
    assert runs_on_triton(x)
    with use_backend("torch"):
        assert not runs_on_triton(x)
    with use_backend("auto"):
        assert runs_on_triton(x) == (DEVICE == "cuda")
    assert backend() == "triton"
    assert runs_on_triton(x)
    with pytest.raises(ValueError, match="choose one of auto, torch, triton"):
        set_backend("cuda")
    assert runs_on_triton(x)


@pytest.mark.skipif(DEVICE == "cuda", reason="kernels run here")
def test_where_kernels_cannot_run_it_is_an_error():
    code = """
import torch
from chainhead_plugin import ChainInterdependenceHead
from chainhead_plugin.chain.mix import Chain, mix
from chainhead_plugin.chain.backend import set_backend
set_backend("triton")
mix(torch.zeros(1, 2, 3), Chain())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PATH": ""}, capture_output=True, text=True, check=False
    )
    assert done.returncode
    assert "cannot run" in done.stderr
