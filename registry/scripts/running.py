"""Run a script or a module that knows nothing of plugins, as if python had started it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from ..errors import RegistryError

_START = Path(__file__).with_name("start")


def run(arguments: Sequence[str]) -> NoReturn:
    """Replace this process by python with the same options and the given arguments, and with plugins.

    Every plugin is registered when transformers or timm is first imported, in the processes that the script starts
    with python too. All else is as without: `sys.argv`, ``__main__``, tracebacks, signals and the exit status.

    Parameters
    ----------
    arguments : sequence of str
        As for python: a script and its arguments, or ``-m``, a module and its arguments.

    Raises
    ------
    RegistryError
        If there is nothing to run, or python ignores the environment (``-E``, ``-I``), which this works by.
    """
    if not arguments or list(arguments) == ["-m"]:
        raise RegistryError(
            "there is nothing to run: expected a script, or -m and a module, and its arguments"
        )
    if sys.flags.ignore_environment:
        raise RegistryError(
            "python -E and -I ignore the environment, by which plugins reach the script: leave it out"
        )
    if arguments[0] != "-m" and not Path(arguments[0]).exists():
        raise RegistryError(f"there is no script {arguments[0]}")
    paths = [str(_START), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, *subprocess._args_from_interpreter_flags(), *arguments]  # type: ignore[attr-defined]
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "posix":
        os.execve(command[0], command, environment)  # noqa: S606 - the user's own command
    # Elsewhere a process cannot be replaced: its parent would go on at once.
    sys.exit(subprocess.run(command, env=environment, check=False).returncode)  # noqa: S603 - as above
