"""Processes that have imported the plugin's dependencies, but neither the plugin nor its host.

A test in a new process spends half of its time on the import of torch and transformers. A server imports them once for
every test worker, and forks itself for every process.
"""

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

SERVER = Path(__file__).with_name("fresh_process_server.py")

# Those that are not installed are left out. The first read nothing of the environment that concerns the Hub.
LIBRARIES = (
    "torch",
    "torch._dynamo",
    "torchvision",
    "torchao",
    "PIL.Image",
    "scipy.optimize",
    "scipy.spatial",
    "sympy",
    "numpy",
    "pandas",
    # What transformers and the client of the Hub import in their turn.
    "torchvision.transforms.v2",
    "torchvision.ops",
    "httpx",
    "httpx2",
    "anyio",
    "jinja2",
    "yaml",
    "tokenizers",
    "fsspec",
    "regex",
    "safetensors.torch",
    "filelock",
    "psutil",
    "rich.console",
    "typer",
)
OFFLINE_LIBRARIES = (*LIBRARIES, "timm", "transformers.pipelines", "transformers.trainer")


class FreshProcess:
    """A process that is running or has ended.

    Attributes
    ----------
    pid : int
        Its number.
    args : str
        Its code, under the name that `subprocess.CompletedProcess` has for it.
    """

    def __init__(self, connection: socket.socket, code: str, folder: Path):
        self._connection, self._folder = connection, folder
        self._answers = connection.makefile("r")
        self._returncode: int | None = None
        self.args = code
        self.pid = int(self._answers.readline())

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self) -> None:
        """End it at once, as a power failure would."""
        if self.running:
            os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> "subprocess.CompletedProcess[str]":
        """Return how it ended; after `timeout` seconds it is killed, and `subprocess.TimeoutExpired` raised."""
        self._connection.settimeout(timeout)
        try:
            status = int(self._answers.readline())
        except TimeoutError:
            self.kill()
            raise subprocess.TimeoutExpired(self.args, timeout or 0) from None
        finally:
            self._answers.close()
            self._connection.close()
        outputs = [(self._folder / name).read_text("utf-8") for name in ("stdout", "stderr")]
        shutil.rmtree(self._folder)
        return subprocess.CompletedProcess(self.args, status, *outputs)


@cache
def _server(offline: bool, warnings: tuple[str, ...]) -> str:
    """Start a server that ends with this process; return the path of its socket."""
    folder = tempfile.mkdtemp(prefix="fresh-processes-")
    path = f"{folder}/socket"
    environment = os.environ | ({"HF_HUB_OFFLINE": "1", "HF_HOME": f"{folder}/hub"} if offline else {})
    libraries = [
        name for name in (OFFLINE_LIBRARIES if offline else LIBRARIES) if find_spec(name.split(".")[0])
    ]
    flags = [f"-W{option}" for option in warnings]
    process = subprocess.Popen(
        [sys.executable, *flags, str(SERVER), path, *libraries],
        env=environment,
        stdin=subprocess.PIPE,  # closed when this process ends, however it ends
        start_new_session=True,
    )

    def end() -> None:
        process.communicate()
        shutil.rmtree(folder)

    atexit.register(end)
    while not os.path.exists(path):
        assert process.poll() is None, "the server of fresh processes has ended"
        time.sleep(0.05)
    return path


def start_fresh(
    code: str,
    *,
    arguments: Sequence[str] = (),
    folder: Path | str = ".",
    environment: Mapping[str, str] | None = None,
    offline: bool = False,
    warnings: Sequence[str] = (),
    stdin: Path | str = os.devnull,
    script: Path | str = "",
    packages: Path | str = "",
) -> FreshProcess:
    """Start Python code as `python -c` does, and return at once.

    Parameters
    ----------
    code : str
        The code.
    arguments : sequence of str
        What follows the code on the command line.
    folder : path
        Where it runs.
    environment : mapping, optional
        All of its environment; this process's by default.
    offline : bool
        Whether it starts with `HF_HUB_OFFLINE`, an empty cache, and timm and transformers imported. These have
        read the environment already: what `environment` says of the Hub reaches a process that is not offline.
    warnings : sequence of str
        As after Python's `-W`.
    stdin : path
        The file that is its standard input.
    script : path, optional
        Where the code is from: modules next to it are found, and tracebacks name it.
    packages : path, optional
        The folder of packages that is left to import from, besides Python's own.
    """
    path = _server(offline, tuple(warnings))
    stated = {"HF_HUB_OFFLINE": "1"} if offline else {}
    outputs = Path(tempfile.mkdtemp(prefix="fresh-process-"))
    task = {
        "code": textwrap.dedent(code),
        "arguments": [*map(str, arguments)],
        "folder": str(Path(folder).absolute()),
        "environment": dict(os.environ if environment is None else environment) | stated,
        "stdin": str(Path(stdin).absolute()),
        "script": str(Path(script).absolute()) if script else "",
        "packages": str(packages),
        "stdout": str(outputs / "stdout"),
        "stderr": str(outputs / "stderr"),
    }
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    connection.sendall((json.dumps(task) + "\n").encode())
    return FreshProcess(connection, code, outputs)


def run_fresh(code: str, *, timeout: float = 600, **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run Python code as `python -c` does and return how it ended; options as of `start_fresh`."""
    return start_fresh(code, **options).wait(timeout)


def run_script(script: Path, *arguments: object, **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run a file as `python FILE ARGUMENTS` does and return how it ended; options as of `run_fresh`."""
    code = script.read_text("utf-8")
    return run_fresh(code, script=script, arguments=[*map(str, arguments)], **options)
