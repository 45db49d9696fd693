"""Calls as CUDA graphs, so that the device's work is timed and not Python's."""

from collections.abc import Callable, Sequence

import torch

# Inputs that take turns: together they are larger than the caches of today's devices.
INPUTS = 4
_WARM_UPS = 3


class CapturedCalls:
    """Calls that are captured into a graph when they are first wanted, and replayed from then on.

    Parameters
    ----------
    calls : sequence of callable
        The same work on different inputs. Their results are kept, so that none is written where another is.
    """

    def __init__(self, calls: Sequence[Callable[[], object]]) -> None:
        self._calls = calls
        self._graph: torch.cuda.CUDAGraph | None = None
        self._results: list[object] = []

    def __call__(self) -> None:
        """Do all the work once."""
        if self._graph is None:
            self._graph = self._capture()
        self._graph.replay()

    def _capture(self) -> torch.cuda.CUDAGraph:
        # Kernels are compiled, tuned and given their scratch space before; on a stream of their own, as capturing asks.
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UPS):
                self._calls[0]()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._results = [call() for call in self._calls]
        return graph
