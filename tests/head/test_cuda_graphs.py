"""What a CUDA graph asks of a head, without a device: no wait for results, no copies, nothing built meanwhile.

Tensors are fake, and say that they are on a CUDA device: kernels are not launched, their operators tell shapes.
"""

import importlib.util
import inspect

import pytest
import torch
from chains import HEADS, UNI_DIRECTIONAL_HEADS
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from chainhead_plugin import ChainInterdependenceHead
from chainhead_plugin.chain import cached_tensors
from chainhead_plugin.chain.backend import use_backend

_WAITING = {"aten::_local_scalar_dense", "aten::item", "aten::equal", "aten::nonzero", "aten::masked_select"}
_MORE = {
    "batch norm": {"with_batch_norm": True},
    "low rank": {"with_lorr": True},
    "residual": {"with_residual": True},
    "channels": {"channel_num": 3},
    "channel-hops of low rank": {"channel_hops": [0, 1], "with_lorr": True},
}


class _Captured(TorchDispatchMode):
    """Refuses what cannot be captured. What is built once is there before a graph is captured."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert _is_building() or func.name() not in _WAITING
        result = func(*args, **(kwargs or {}))
        if _is_building():
            return result
        devices = {
            tensor.device.type
            for tensor in tree_leaves((args, kwargs, result))
            if isinstance(tensor, torch.Tensor)
        }
        assert func.name() not in ("aten::_to_copy", "aten::copy_") or devices == {"cuda"}
        return result


def _is_building():
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_code.co_filename == cached_tensors.__file__:
            return True
        frame = frame.f_back
    return False


def _head(options, dtype):
    return ChainInterdependenceHead(6, 8, 40, device="cuda", dtype=dtype, **options).eval()


@pytest.mark.parametrize("options", [*UNI_DIRECTIONAL_HEADS.values(), *_MORE.values()], ids=str)
def test_steps_can_be_captured(options):
    with FakeTensorMode(), torch.no_grad():
        for dtype in (torch.float32, torch.bfloat16):
            head, node = _head(options, dtype), torch.empty(2, 6, device="cuda", dtype=dtype)
            with _Captured():
                y, state = head.step(node)
                y, state = head.step(node, state)
            assert y.shape == (2, 8)
            assert y.is_cuda
            assert state.is_cuda


@pytest.mark.parametrize(
    "options", [each for each in (*HEADS.values(), *_MORE.values()) if each.get("h", 0) < 40], ids=str
)
def test_calls_can_be_captured(options):
    ways = [("auto", torch.float32)]
    if importlib.util.find_spec("triton"):
        ways.append(("fused", torch.bfloat16))
    for backend, dtype in ways:
        with use_backend(backend), FakeTensorMode(), torch.no_grad():
            head, x = _head(options, dtype), torch.empty(2, 40, 6, device="cuda", dtype=dtype)
            mask = torch.ones(2, 40, device="cuda", dtype=torch.bool)
            with _Captured():
                assert head(x).shape == head(x, mask).shape == (2, 40, 8)


def test_what_would_wait_is_refused():
    with FakeTensorMode(), _Captured():
        x = torch.ones(3)
        with pytest.raises(AssertionError):
            x.to("cuda")
        with pytest.raises(AssertionError):
            x.sum().item()


@pytest.mark.parametrize("options", UNI_DIRECTIONAL_HEADS.values(), ids=UNI_DIRECTIONAL_HEADS)
def test_a_state_of_zeros_begins_chains(options):
    head = ChainInterdependenceHead(6, 8, 40, dtype=torch.float64, **options).eval()
    with torch.no_grad():
        node = torch.randn(2, 6, dtype=torch.float64)
        begun = head.step(node)
        for actual, expected in zip(head.step(node, torch.zeros_like(begun[1])), begun, strict=True):
            assert torch.equal(actual, expected)


def test_tensors_are_built_before_a_graph_is_captured_and_kept_after(monkeypatch):
    built = cached_tensors.built_once(maxsize=1)(lambda value: torch.full((2,), value))
    kept = {}
    monkeypatch.setattr(cached_tensors, "_read_by_graphs", kept)
    first = built(1.0)
    monkeypatch.setattr(cached_tensors, "_captures_a_graph", lambda: True)
    assert built(1.0) is first
    with pytest.raises(RuntimeError, match="call the module once"):
        built(2.0)
    assert list(kept.values()) == [first]

    monkeypatch.setattr(cached_tensors, "_captures_a_graph", lambda: False)
    assert built(2.0).tolist() == [2.0, 2.0]
    assert built(1.0) is not first
    assert list(kept.values()) == [first]
