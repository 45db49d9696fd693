"""A time limit for the code of plugins, and a lock for threads that wait for it.

The limit of an import is 60 seconds, or the number in the environment variable `REGISTRY_PLUGIN_SECONDS`: 0 for no
limit.
"""

from __future__ import annotations

import ctypes
import math
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ..errors import PluginError

VARIABLE = "REGISTRY_PLUGIN_SECONDS"
_DEFAULT = 60.0
# Registering may import torch from a slow disk, and threads that wait for it are patient.
_PATIENCE = 5
_LOOK = 0.05  # seconds between two looks at a lock


class PluginTimeoutError(PluginError):
    """A plugin takes longer than it may."""


def seconds_allowed() -> float:
    """Return the limit of an import in seconds, infinity for none.

    Raises
    ------
    PluginError
        If the environment variable is no number of at least 0.
    """
    stated = os.environ.get(VARIABLE, "")
    try:
        seconds = float(stated) if stated else _DEFAULT
    except ValueError:
        seconds = math.nan
    if not seconds >= 0:
        raise PluginError(f"{VARIABLE} must be a number of seconds, 0 for no limit, got {stated!r}")
    return seconds or math.inf


class OneAtATime:
    """A lock that a single thread holds, as often as it likes, for a named purpose; waiting for it ends.

    A plugin may start a thread that asks the registry, and wait for that thread, which waits for the plugin: the
    thread is told so after a while, and neither hangs.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._held: list[tuple[str, float, float]] = []

    @contextmanager
    def held(self, purpose: str, *, patience: float = _PATIENCE) -> Iterator[None]:
        """Hold it.

        Parameters
        ----------
        purpose : str
            The holder and its purpose, for the messages of waiting threads.
        patience : float
            How many times the limit of an import other threads wait for it.

        Raises
        ------
        PluginError
            If another thread holds it for too long.
        """
        limit = seconds_allowed()
        while not self._lock.acquire(timeout=_LOOK):
            self._require_soon(limit)
        try:
            self._held.append((purpose, time.monotonic(), patience))
            try:
                yield
            finally:
                self._held.pop()
        finally:
            self._lock.release()

    def _require_soon(self, limit: float) -> None:
        # The other thread changes the list meanwhile.
        for purpose, since, patience in self._held[-1:]:
            if time.monotonic() - since > limit * patience + 1:
                raise PluginError(
                    f"{purpose} has not ended after {time.monotonic() - since:.0f} seconds: it hangs, or waits for "
                    f"this thread, which waits for it ({VARIABLE} sets the limit, {limit:g} now)"
                )


@contextmanager
def time_limit(label: str) -> Iterator[None]:
    """Raise in the code within, where it takes longer than an import may.

    In the main thread whatever it waits for is broken off; in other threads, and on Windows, Python code alone is, as
    soon as it runs.

    Parameters
    ----------
    label : str
        The plugin, for the message.

    Raises
    ------
    PluginTimeoutError
        If the time is over.
    """
    limit = seconds_allowed()
    if math.isinf(limit):
        yield
    elif threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer"):
        with _alarm(_message(label, limit), limit):
            yield
    else:
        with _raised_from_outside(limit):
            try:
                yield
            except PluginTimeoutError as error:
                raise PluginTimeoutError(_message(label, limit)) from error


def _message(label: str, limit: float) -> str:
    return f"{label} has not been imported after {limit:g} seconds: it hangs, or {VARIABLE} has to be larger"


@contextmanager
def _alarm(message: str, limit: float) -> Iterator[None]:
    def ring(_: int, __: FrameType | None) -> None:
        raise PluginTimeoutError(message)

    start, before = time.monotonic(), signal.signal(signal.SIGALRM, ring)
    left, interval = signal.setitimer(signal.ITIMER_REAL, limit, 1.0)  # again, where a plugin catches it
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        # None is a handler that was not made in Python, which cannot be put back.
        signal.signal(signal.SIGALRM, signal.SIG_DFL if before is None else before)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(1e-3, left - (time.monotonic() - start)), interval)


@contextmanager
def _raised_from_outside(limit: float) -> Iterator[None]:
    thread, ended = threading.get_ident(), threading.Lock()

    def ring() -> None:
        with ended:
            if timer.finished.is_set():
                return
            raised = ctypes.py_object(PluginTimeoutError)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), raised)

    timer = threading.Timer(limit, ring)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with ended:
            timer.cancel()
