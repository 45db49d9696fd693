"""Runs client code in a new process, against a loopback Hub and with a new cache.

The client reads its environment when it is imported, so that each setting needs a new process.
"""

import json
import os
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fresh_processes import FreshProcess, start_fresh
from loopback_hub import LoopbackHub

RUNNER = Path(__file__).with_name("hub_client_main.py")


@dataclass
class Outcome:
    """How a client ended.

    Attributes
    ----------
    rc, stdout, stderr
        Of the process; `stderr` ends in the traceback if the code raised.
    result : object
        What the code left in the variable `result`, after a trip through JSON.
    error, errors, message
        Name of the exception's class, names of all its bases too, and its text; None if nothing was raised.
    network : list of str
        Every look-up and connection attempt over IP, and every IP socket that was opened.
    unpickled : list of str
        Every name a pickle asked for.
    """

    rc: int
    stdout: str
    stderr: str
    result: Any = None
    error: str | None = None
    errors: tuple[str, ...] = ()
    message: str | None = None
    network: tuple[str, ...] = ()
    unpickled: tuple[str, ...] = ()

    @property
    def ok(self) -> Any:
        """The result, of a client that must have succeeded."""
        assert self.rc == 0, self.stderr
        return self.result


class Client:
    """A client that is running."""

    def __init__(self, process: FreshProcess, report: Path):
        self._process, self._report = process, report

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.running

    def kill(self) -> None:
        """End it at once, as a power failure would."""
        self._process.kill()

    def wait(self, timeout: float = 120) -> Outcome:
        """Return how it ended; `subprocess.TimeoutExpired` if it does not, after killing it."""
        return outcome(self._process.wait(timeout), self._report)


def outcome(done: "subprocess.CompletedProcess[str]", report: Path) -> Outcome:
    """Return how a process ended, with what it reported; the report is removed."""
    reported = json.loads(report.read_text("utf-8") or "{}")
    report.unlink()
    return Outcome(done.returncode, done.stdout, done.stderr, **reported)


def empty_report() -> Path:
    """Return a new file that a client can report into."""
    handle, report = tempfile.mkstemp(suffix=".json", prefix="hub-client-")
    os.close(handle)
    return Path(report)


def client_environment(
    hub: LoopbackHub, home: Path, *, token: str | None, offline: bool, env: Mapping[str, str] | None
) -> dict[str, str]:
    """Return this process's environment without anything that concerns the Hub or proxies, plus the given."""
    ours = ("HF_", "HUGGING", "TRANSFORMERS_")
    clean = {
        k: v for k, v in os.environ.items() if not k.startswith(ours) and not k.lower().endswith("_proxy")
    }
    clean |= {"HF_HOME": str(home), "HF_ENDPOINT": hub.endpoint, "HF_HUB_DISABLE_XET": "1"}
    clean |= {
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    if token is not None:
        clean["HF_TOKEN"] = token
    if offline:
        clean["HF_HUB_OFFLINE"] = "1"
    return clean | dict(env or {})


def start_client(
    code: str,
    hub: LoopbackHub,
    *,
    home: Path,
    token: str | None = None,
    offline: bool = False,
    env: Mapping[str, str] | None = None,
    packages: Path | str = "",
) -> Client:
    """Start Python code in a new process and return at once.

    Parameters
    ----------
    code : str
        The code; what it leaves in `result` is reported.
    hub : LoopbackHub
        The Hub that `HF_ENDPOINT` points to; it may be stopped.
    home : Path
        The process's `HF_HOME`. An empty folder for an empty cache.
    token : str, optional
        Put into `HF_TOKEN`.
    offline : bool
        Whether to set `HF_HUB_OFFLINE`.
    env : mapping, optional
        More environment variables.
    packages : path, optional
        The folder that it can import from, as `packages_without_plugin` makes it; without it, everything installed.
    """
    report = empty_report()
    process = start_fresh(
        RUNNER.read_text("utf-8"),
        arguments=[report, textwrap.dedent(code)],
        environment=client_environment(hub, home, token=token, offline=offline, env=env),
        packages=packages,
    )
    return Client(process, report)


def run_client(code: str, hub: LoopbackHub, *, timeout: float = 120, **options: Any) -> Outcome:
    """Run Python code in a new process and return how it ended; options as of `start_client`."""
    return start_client(code, hub, **options).wait(timeout)


def packages_without_plugin(folder: Path) -> Path:
    """Fill a folder with everything that is installed here, except the plugin and its host."""
    folder.mkdir()
    for path in map(Path, sys.path):
        for item in path.iterdir() if path.name == "site-packages" else ():
            ours = item.name.startswith(("chainhead", "registry", "_chainhead", "__editable__"))
            if not ours and item.suffix != ".pth" and not (folder / item.name).exists():
                (folder / item.name).symlink_to(item)
    return folder
