"""Calls that follow the import of a module.

An environment that registers plugins by itself runs this file at the start of every interpreter, so it imports
nothing that is not there already.
"""

import sys
from _thread import RLock

TYPE_CHECKING = False  # type checkers take the name for True; `typing` costs time
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

_lock = RLock()
_awaited: "dict[str, list[Callable[[Any], object]]]" = {}
# Modules that run now, and whose calls follow.
_running: set[str] = set()


def when_imported(name: str, call: "Callable[[Any], object]") -> None:
    """Make a call with a module: now if it is imported, else as the last step of its import.

    Importing threads get the module when its calls are made. The call is made once: a module that is reloaded does
    not make it again. A module that this thread is importing, and that nobody awaited before, counts as imported.

    Parameters
    ----------
    name : str
        The module's full name. It is not imported, and need not exist.
    call : callable
        Takes the module. Its error is the error of the import, which leaves no module then; all calls of this module
        wait for the next import.
    """
    with _lock:
        module = sys.modules.get(name)
        if module is None or name in _running:
            _awaited.setdefault(name, []).append(call)
            _look_first()
            return

    if getattr(getattr(module, "__spec__", None), "_initializing", False):
        __import__(name)  # waits for the thread that imports it
        module = sys.modules[name]
    call(module)


def _look_first() -> None:
    # In a single step, since other threads may be going through the list.
    if _finder not in sys.meta_path[:1]:
        sys.meta_path[:] = [_finder, *(finder for finder in sys.meta_path if finder is not _finder)]


class _Finder:
    """Finds awaited modules by the finders behind it, and has their calls follow."""

    def find_spec(
        self, name: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        if name not in _awaited:
            return None

        finders: list[Any] = sys.meta_path.copy()
        behind = finders[finders.index(self) + 1 :] if self in finders else finders
        for find in filter(None, (getattr(finder, "find_spec", None) for finder in behind)):
            spec: ModuleSpec | None = find(name, path, target)
            if spec is not None:
                return _with_calls(spec)
        return None


_finder = _Finder()


def _with_calls(spec: "ModuleSpec") -> "ModuleSpec":
    module = None
    if spec.loader is None:
        from importlib.util import module_from_spec

        module = module_from_spec(spec)  # a namespace package gets its loader with its module
    elif not hasattr(spec.loader, "exec_module"):
        return spec  # a loader of Python 2, which makes the module itself: no calls follow

    spec.loader = _Loader(spec.name, spec.loader, module)  # type: ignore[assignment]
    return spec


class _Loader:
    """The loader of an awaited module until that runs; the module then has its own loader again."""

    def __init__(self, name: str, loader: "Any", module: "ModuleType | None") -> None:
        self._name, self._loader, self._module = name, loader, module

    def __getattr__(self, name: str) -> "Any":
        if name == "_loader":  # while it is copied
            raise AttributeError(name)
        return getattr(self._loader, name)

    def create_module(self, spec: "ModuleSpec") -> "ModuleType | None":
        created: ModuleType | None = self._module or self._loader.create_module(spec)
        return created

    def exec_module(self, module: "ModuleType") -> None:
        spec: Any = getattr(module, "__spec__", None)
        if getattr(spec, "loader", None) is self:
            spec.loader = self._loader
        if getattr(module, "__loader__", None) is self:
            module.__loader__ = self._loader

        with _lock:
            _running.add(self._name)
        try:
            self._loader.exec_module(module)
            _make_calls(self._name)
        finally:
            with _lock:
                _running.discard(self._name)


def _make_calls(name: str) -> None:
    made = 0
    while name in sys.modules:  # a copy that somebody runs on the side is not imported
        with _lock:
            calls = _awaited.get(name, [])
            if made == len(calls):
                _awaited.pop(name, None)
                _running.discard(name)
                return
            call = calls[made]

        # The module may have put another into its place.
        call(sys.modules[name])
        made += 1
