"""Wait until transformers or timm is imported, and register every installed plugin then.

This file runs by itself at the start of an interpreter, so it imports nothing that is not there already: whoever
imports neither library pays next to nothing.
"""

import sys

_AWAITED = ("transformers", "timm")


class _Waiting:
    """Finds no module itself: when an awaited module is looked for, it adds a call that follows the module's import."""

    looking = False

    def find_spec(self, name, path=None, target=None):  # type: ignore[no-untyped-def]  # `typing` costs time
        if name not in _AWAITED or self.looking:
            return None
        from importlib.util import find_spec

        self.looking = True
        try:
            spec = find_spec(name)
        finally:
            self.looking = False
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module):  # type: ignore[no-untyped-def]
                execute(module)
                _register(self)  # type: ignore[no-untyped-call]

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _register(waiting):  # type: ignore[no-untyped-def]
    """Register all plugins, once; the script goes on whatever happens, and is told."""
    if waiting not in sys.meta_path:
        return
    sys.meta_path.remove(waiting)
    try:
        import warnings

        from registry.errors import RegistryWarning
        from registry.plugins.load import load_plugins

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RegistryWarning)  # its content is told below, in a line
            failed = load_plugins().failed
        for plugin in failed:
            sys.stderr.write(f"registry: left out: {plugin}\n")
    except Exception as error:  # whatever is wrong with plugins, the script is not at fault
        sys.stderr.write(f"registry: no plugin was registered: {type(error).__name__}: {error!a}\n")


if not any(type(finder).__qualname__ == "_Waiting" for finder in sys.meta_path):
    sys.meta_path.insert(0, _Waiting())
