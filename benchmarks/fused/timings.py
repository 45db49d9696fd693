"""Times of chain heads by both kinds of kernels, and of tiles, in turns with `nn.Linear`."""

import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import nn

from chainhead_plugin.chain.backend import Backend, use_backend
from chainhead_plugin.chain.forms.decay import rounds_once
from chainhead_plugin.chain.forms.half_taps import half_filter
from chainhead_plugin.chain.kinds import Chain
from chainhead_plugin.head.wave_linear import has_waves, wave_linear

from ..speed.contestants import FLOOR, Shape, build
from ..speed.cuda_graph import INPUTS, CapturedCalls
from ..speed.work import Work, calls_of
from ..timing import interleave, quartiles, ratios
from .contestants import contestant

Timing = dict[str, Any]
Call = Callable[[], object]


class Timer:
    """Times calls in turns.

    Parameters
    ----------
    device : {"cuda", "cpu"}
        On the CPU nothing is captured into graphs: for trying a run out in Triton's interpreter.
    seed, rounds : int
    least_seconds : float
    """

    def __init__(self, device: str, seed: int, rounds: int, least_seconds: float) -> None:
        self.device = device
        self.seed = seed
        self._rounds = rounds
        self._least_seconds = least_seconds

    @property
    def on_cuda(self) -> bool:
        """Whether a device is timed, and not the interpreter."""
        return self.device == "cuda"

    def times(self, calls: Mapping[str, Sequence[Call]], floor: str, captured: bool) -> dict[str, Timing]:
        """Time calls, each on several inputs if they are captured into a CUDA graph.

        Returns
        -------
        dict of name to dict
            With `microseconds` and `ratio` to the floor, each lower quartile, median and upper quartile; or `failure`.
        """
        captured = captured and self.on_cuda
        seconds, failures = interleave(
            {name: CapturedCalls(each) if captured else each[0] for name, each in calls.items()},
            self._rounds,
            random.Random(self.seed),  # noqa: S311 - no secret depends on it
            least_seconds=self._least_seconds,
            synchronise=torch.cuda.synchronize if self.on_cuda else lambda: None,
        )
        scale = 1e6 / (INPUTS if captured else 1)
        return {
            **{name: {"failure": words} for name, words in failures.items()},
            **{
                name: {
                    "microseconds": [value * scale for value in quartiles(taken)],
                    "ratio": list(quartiles(ratios(taken, seconds[floor]))),
                }
                for name, taken in seconds.items()
            },
        }


def time_shape(timer: Timer, names: Sequence[str], shape: Shape, work: Work) -> list[Timing]:
    """Time heads by the kernels that are chosen automatically, and by the fused ones where these serve.

    Returns
    -------
    list of dict
        For nn.Linear and each head: `shape`, `work`, `contestant`, and what `Timer.times` says of "auto" and "fused".
    """
    torch.manual_seed(timer.seed)
    inputs = [_random(shape, timer.device) for _ in range(INPUTS if timer.on_cuda else 1)]
    calls: dict[str, list[Call]] = {}
    served: dict[str, list[str]] = {}
    for name in (FLOOR, *names):
        module = build(contestant(name), shape, torch.bfloat16, timer.device)
        served[name] = ["auto", *(["fused"] if name != FLOOR and is_served(module, inputs[0]) else [])]
        plain = [calls_of(module, x, shape[3], work) for x in inputs]
        for backend in served[name]:
            calls[f"{name}: {backend}"] = [partial(_under, backend, call) for call in plain]
    with torch.set_grad_enabled(work != "forward"):
        times = timer.times(calls, f"{FLOOR}: auto", captured=True)
    return [
        {
            "shape": list(shape),
            "work": work,
            "contestant": name,
            **{backend: times[f"{name}: {backend}"] for backend in served[name]},
        }
        for name in served
    ]


def is_served(head: Any, x: torch.Tensor) -> bool:
    """Whether the fused backend has a form of its own for a head's products and its mixing."""
    with torch.no_grad(), use_backend("fused"):
        if head._fused(x[:1], None, False) is not None:
            return True
        if has_waves(head.chain):
            return wave_linear(x[:1], head._expand, head.reconciliation) is not None
        return head.learned_decay is not None and rounds_once(x, head.chain.kind, head.chain.bi_directional)


def time_small_calls(timer: Timer, names: Sequence[str]) -> list[Timing]:
    """Time calls on 8 nodes and steps, called singly and in a CUDA graph, with both backends.

    Returns
    -------
    list of dict
        For nn.Linear and each head: `way`, "called" or "captured", `work`, `contestant`, and what `Timer.times` says of
        "auto" and "fused".
    """
    rows = []
    works: tuple[Work, ...] = ("forward", "step")
    backends: tuple[Backend, ...] = ("auto", "fused")
    shape = (1, 8, 64, 64)
    for work in works:
        torch.manual_seed(timer.seed)
        among = [FLOOR, *(name for name in names if work != "step" or contestant(name).streams)]
        x = _random(shape, timer.device)
        modules = {name: build(contestant(name), shape, torch.bfloat16, timer.device) for name in among}
        with torch.no_grad():
            calls = {name: [calls_of(module, x, 64, work)] * INPUTS for name, module in modules.items()}
            for way in ("called", "captured"):
                times = {}
                for backend in backends:
                    with use_backend(backend):
                        times[backend] = timer.times(calls, FLOOR, captured=way == "captured")
                rows += [
                    {
                        "way": way,
                        "work": work,
                        "contestant": name,
                        **{each: times[each][name] for each in backends},
                    }
                    for name in among
                ]
    return rows


def time_tiles(timer: Timer, shape: Shape) -> list[Timing]:
    """Time an exponential filter both ways behind a linear map in tiles of several sizes.

    Returns
    -------
    list of dict
        `shape`, `contestant`, the tiles in words, and what `Timer.times` says of "fused".
    """
    from chainhead_plugin.chain.kernels.mixed_products import Tiles, mixed_products
    from chainhead_plugin.chain.kernels.tiles.bands import filter_bands

    torch.manual_seed(timer.seed)
    found = half_filter(Chain("exponential", bi_directional=True), torch.bfloat16)
    assert found is not None
    reach = len(found.taps) - 1
    inputs = [_random(shape, timer.device) for _ in range(INPUTS if timer.on_cuda else 1)]
    weight = torch.randn(shape[3], shape[2], device=timer.device).bfloat16()
    bands = filter_bands(found.taps, found.rest, reach, reach, torch.bfloat16, inputs[0].device)

    def call(x: torch.Tensor, tiles: Tiles) -> object:
        return mixed_products(x, weight, None, bands, reach, reach, reflected=True, tiles=tiles)

    sizes = [Tiles(n, k, warps, stages) for n, k, warps, stages in _TILES]
    calls: dict[str, list[Call]] = {
        FLOOR: [partial(nn.functional.linear, x, weight) for x in inputs],
        **{_in_words(tiles): [partial(call, x, tiles) for x in inputs] for tiles in sizes},
    }
    with torch.no_grad():
        times = timer.times(calls, FLOOR, captured=True)
    return [{"shape": list(shape), "contestant": name, "fused": times[name]} for name in calls]


# Columns, features at a time, warps, stages.
_TILES = (
    (128, 64, 8, 3),
    (128, 64, 8, 4),
    (128, 64, 4, 3),
    (64, 64, 4, 3),
    (256, 64, 8, 3),
    (128, 32, 8, 4),
)


def _in_words(tiles: tuple[int, ...]) -> str:
    n, k, warps, stages = tiles
    return f"{n} columns, {k} features at a time, {warps} warps, {stages} stages"


def _random(shape: Shape, device: str) -> torch.Tensor:
    return torch.randn(*shape[:3], device=device).bfloat16()


def _under(backend: Backend, call: Call) -> object:
    with use_backend(backend):
        return call()
