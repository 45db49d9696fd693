"""Wait until transformers or timm is imported, and register every installed plugin then.

This file runs by itself at the start of an interpreter, so it imports nothing that is not there already: whoever
imports neither library pays next to nothing.
"""

import sys

_waited_for = {"transformers", "timm"}


def _register(module):  # type: ignore[no-untyped-def]  # `typing` costs time
    """Register all plugins, once; the script goes on whatever happens, and is told."""
    if not _waited_for:
        return
    _waited_for.clear()
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


# A script that the host runs in an environment that registers by itself finds this file run already.
if not any(type(finder).__module__ == __name__ for finder in sys.meta_path):
    _hook = {"__name__": __name__}
    # Who runs this file as text gives it no `__file__`, but its code knows where it is from.
    _place = sys._getframe().f_code.co_filename[: -len("scripts/waiting.py")]
    with open(f"{_place}hooks/when_imported.py", encoding="utf-8") as _file:
        exec(compile(_file.read(), _file.name, "exec"), _hook)  # noqa: S102 - our own file
    for _name in sorted(_waited_for):
        _hook["when_imported"](_name, _register)  # type: ignore[operator]
