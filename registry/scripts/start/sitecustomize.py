"""Python imports this at its start where `python -m registry run` has put this folder on its path."""

import os
import sys

_here = os.path.dirname(__file__)
with open(os.path.join(os.path.dirname(_here), "waiting.py"), encoding="utf-8") as _file:
    exec(compile(_file.read(), _file.name, "exec"), {"__name__": "registry.scripts.waiting"})  # noqa: S102 - our own file

# The script's path is as it would be without this file, and the environment's own sitecustomize runs too.
sys.path[:] = [_place for _place in sys.path if _place != _here]
_ours = sys.modules.pop("sitecustomize")
try:
    import sitecustomize  # type: ignore[import-not-found]  # noqa: F401 - the next on the path
except ModuleNotFoundError as error:
    if error.name != "sitecustomize":
        raise
sys.modules.setdefault("sitecustomize", _ours)
