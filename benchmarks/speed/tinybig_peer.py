"""tinyBIG's own chain head, where tinyBIG can be imported: a peer to be measured, never a dependency."""

import contextlib
import importlib
import importlib.util
import io
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from torch import Tensor, nn

# Packages that tinyBIG imports for data, downloads and configurations, and that a head never uses.
_UNUSED = (
    "torchvision",
    "torchvision.transforms",
    "torchvision.datasets",
    "torchtext",
    "torchtext.datasets",
    "torchtext.vocab",
    "torchtext.data",
    "requests",
    "yaml",
    "tqdm",
)
# One f-string in it is no Python before 3.12.
_NEW_SYNTAX = "tinybig.data.time_series_dataloader"


class _StandIn(ModuleType):
    """An empty module from which any name can be imported."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


@contextlib.contextmanager
def _stand_ins() -> Iterator[None]:
    """Let missing modules be imported as empty modules; tinyBIG keeps them, other code sees none afterwards."""
    missing = [
        name
        for name in _UNUSED
        if name not in sys.modules and importlib.util.find_spec(name.partition(".")[0]) is None
    ]
    if sys.version_info < (3, 12):
        missing.append(_NEW_SYNTAX)
    for name in missing:
        stand_in = _StandIn(name)
        stand_in.__path__ = []
        sys.modules[name] = stand_in
    try:
        yield
    finally:
        for name in missing:
            sys.modules.pop(name, None)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def import_tinybig() -> tuple[ModuleType | None, str]:
    """Import tinyBIG's chain heads without its printing.

    Returns
    -------
    module : module or None
    status : str
        Its version, or why it is not there.
    """
    try:
        if importlib.util.find_spec("tinybig") is None:
            return None, "not installed"
        with _stand_ins(), _silence():
            module = importlib.import_module("tinybig.head.chain_based_heads")
        return module, str(sys.modules["tinybig"].__version__)
    except Exception as error:  # whatever a foreign package raises, the benchmark goes on without it
        return None, f"cannot be imported: {type(error).__name__}: {error}".splitlines()[0]


class TinyBigHead(nn.Module):
    """tinyBIG's head behind the interface of all contestants: [batch, length, m] to [batch, length, n].

    Parameters
    ----------
    m, n, length : int
    options : mapping
        Options of the head, under the names it shares with chainhead's.

    Attributes
    ----------
    first_call_seconds : float or None
        Seconds of the first call, which builds A.

    Raises
    ------
    ImportError
        If tinyBIG cannot be imported.
    """

    def __init__(self, m: int, n: int, length: int, options: Mapping[str, Any]) -> None:
        super().__init__()
        module, status = import_tinybig()
        if module is None:
            raise ImportError(f"tinyBIG: {status}")
        with _silence():
            self.head = module.chain_interdependence_head(m=m, n=n, chain_length=length, **options)
        self.length, self.n = length, n
        self.first_call_seconds: float | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Run the head through flat rows; its first prints and warnings are silenced."""
        rows = x.flatten(1)
        if self.first_call_seconds is None:
            start = time.perf_counter()
            with _silence():
                y: Tensor = self.head(rows)
            self.first_call_seconds = time.perf_counter() - start
        else:
            y = self.head(rows)
        return y.view(x.size(0), self.length, self.n)
