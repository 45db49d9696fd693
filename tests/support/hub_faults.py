"""Faults that the loopback Hub produces on request."""

import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

KINDS = {
    "status": "answer with `status` (and `error_code`, `headers`) instead",
    "reset": "reset the connection: before the answer, or after `at` bytes of its body",
    "drop": "promise the whole body, close the connection in order after `at` bytes of it",
    "truncate": "send `at` bytes of the body, with a Content-Length that agrees with them",
    "corrupt": "invert the byte at `at`, everything else as it should be",
    "delay": "wait `seconds` before the answer, or after `at` bytes of its body",
    "no_range": "ignore a Range header: 200 and the whole file",
    "upload_reset": "reset the connection after reading `at` bytes of the request's body; nothing is done",
    "lost_reply": "do what was asked, then reset the connection instead of answering",
}


@dataclass
class Fault:
    """One fault: which requests it hits, how often, and what happens to them."""

    kind: str
    method: str
    path: str
    count: int | None
    skip: int = 0
    at: int | None = None
    status: int = 500
    error_code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    hits: int = 0

    def concerns(self, method: str, path: str) -> bool:
        """Tell whether a request is one of those this fault is for and has hits left for."""
        return (
            (self.count is None or self.hits < self.count)
            and re.fullmatch(self.method, method) is not None
            and re.search(self.path, path) is not None
        )


class Faults:
    """The faults to come. Each request suffers at most one, the oldest that concerns it."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._faults)

    def add(
        self,
        kind: str,
        path: str,
        *,
        method: str = "GET",
        count: int | None = 1,
        skip: int = 0,
        at: int | None = None,
        status: int = 500,
        error_code: str | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = 0.0,
    ) -> Fault:
        """Plan a fault and return it; its `hits` counts the requests it has struck.

        Parameters
        ----------
        kind : str
            One of `KINDS`, where they are explained.
        path : str
            A regular expression searched in the request's unquoted path, without its query.
        method : str
            A regular expression for the whole method.
        count : int or None
            How many requests it strikes; None for every one until `clear`.
        skip : int
            How many matching requests pass before the first is struck.
        at : int, optional
            The place in the body; by default its middle, or for `reset` and `delay` before it.
        status, error_code, headers
            The answer of kind `status`.
        seconds : float
            The wait of kind `delay`.
        """
        if kind not in KINDS:
            raise ValueError(f"no fault is called {kind!r}: {', '.join(KINDS)}")
        fault = Fault(kind, method, path, count, skip, at, status, error_code, headers or {}, seconds)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Plan nothing any more."""
        with self._lock:
            self._faults.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault that strikes a request and count it, or None."""
        with self._lock:
            for fault in self._faults:
                if fault.concerns(method, path):
                    if fault.skip:
                        fault.skip -= 1
                        continue
                    fault.hits += 1
                    return fault
        return None
