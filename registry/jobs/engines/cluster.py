"""Ray, for those who have installed it: a cluster on this machine, or one that runs elsewhere."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_PATIENCE = 5  # seconds


def require(purpose: str, *packages: str) -> None:
    """Check that packages of ``ray[data]`` are installed.

    Parameters
    ----------
    purpose : str
        What needs them: the subject of the message.
    *packages : str

    Raises
    ------
    ModuleNotFoundError
        If one is missing; the message says what to install.
    """
    from importlib.util import find_spec

    if missing := [name for name in packages if find_spec(name) is None]:
        raise ModuleNotFoundError(
            f'{purpose} needs {", ".join(missing)}: pip install "ray[data]", or this project\'s extra "ray"'
        )


def require_ray(purpose: str) -> Any:
    """Return the package ray.

    Parameters
    ----------
    purpose : str
        What needs it: the subject of the message.

    Raises
    ------
    ModuleNotFoundError
        If a package of ``ray[data]`` is missing; the message says what to install.
    """
    require(purpose, "ray", "pyarrow", "pandas")
    # Usage statistics go to a server of Ray's makers, unless the user asks for them.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    return ray


@contextmanager
def connected(purpose: str, address: str | None, processors: int | None = None) -> Iterator[Any]:
    """Within a `with` block, be connected to a cluster.

    A connection that is there already is used and left as it is.

    Parameters
    ----------
    purpose : str
        What needs Ray, for messages.
    address : str or None
        The cluster's address; None for a cluster on this machine alone, which ends with the block.
    processors : int, optional
        For a cluster on this machine: how many CPUs it has, by default all.

    Raises
    ------
    ModuleNotFoundError
        If Ray is not installed.
    ConnectionError
        If there is no cluster at the address.
    """
    ray = require_ray(purpose)
    if ray.is_initialized():
        yield ray
        return
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.WARNING}
    if address is None:
        options |= {"include_dashboard": False, "num_cpus": processors}
    # Ray itself would look for an address in this variable, and in the traces of clusters that ended.
    where = address or os.environ.get("RAY_ADDRESS") or "local"
    if where != "local":
        options = {name: options[name] for name in ("log_to_driver", "logging_level")}
        _check_answers(where)
    try:
        ray.init(address=where, **options)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ConnectionError(f"no cluster of Ray answers at {where}: {error}") from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_answers(address: str) -> None:
    """Check that something listens at an address: Ray tries for a minute, and then ends the whole program."""
    host, _, port = address.rpartition(":")
    if (
        not host or "/" in host or not port.isdecimal()
    ):  # "auto", or a client's address, of which Ray tells at once
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE).close()
    except OSError as error:
        raise ConnectionError(f"no cluster of Ray answers at {address}: {error}") from error
