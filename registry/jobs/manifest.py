"""What a job's output was made of, so that only the same job goes on with it, and the list of its parts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .parts import Store, is_part

MANIFEST, COMPLETE = "_manifest.json", "_complete.json"
_VERSION = 1


class OutputError(ValueError):
    """The output's folder holds something that this job may not touch or go on with."""


def belongs(store: Store, wanted: Mapping[str, Any], *, overwrite: bool) -> bool:
    """Return whether a job's output was begun before, so that the same job goes on with it. Nothing is changed.

    Parameters
    ----------
    store : Store
    wanted : mapping
        All that the predictions depend on, ready for JSON.
    overwrite : bool
        Whether the output of another job may be removed.

    Raises
    ------
    OutputError
        If the folder holds other files, or the output of a job with other inputs, model or options.
    """
    names = store.names()
    if foreign := store.foreign():
        raise OutputError(
            f"{store.address} holds {', '.join(foreign[:3])}, which no job wrote: choose another output"
        )
    if MANIFEST not in names:
        if names and not overwrite:
            raise OutputError(f"{store.address} holds parts without {MANIFEST}: choose another output")
        return False

    before, now = _object(store, MANIFEST), json.loads(_bytes(_stamped(wanted)))
    changed = sorted(name for name in now.keys() | before.keys() if before.get(name) != now.get(name))
    if changed and not overwrite:
        raise OutputError(
            f"{store.address} holds predictions of something else ({', '.join(changed)} changed): choose another "
            "output, or replace them with overwrite=True (--overwrite)"
        )
    return not changed


def begin(store: Store, wanted: Mapping[str, Any]) -> None:
    """Start a job's output, in place of what another job left there.

    Parameters
    ----------
    store : Store
    wanted : mapping
        All that the predictions depend on, ready for JSON.
    """
    names = store.names()
    # The list of parts goes first: parts without it are only an unfinished job.
    for doomed in ({COMPLETE}, {MANIFEST}, {name for name in names if is_part(name)}):
        store.remove(doomed & names)
    store.create()
    store.write(MANIFEST, _bytes(_stamped(wanted)))


def finish(store: Store, summary: Mapping[str, Any]) -> None:
    """Write the list of parts, which says that the output is complete."""
    store.write(COMPLETE, _bytes(summary))


def summary_of(store: Store) -> dict[str, Any] | None:
    """Return the list of parts of a complete output, or None."""
    if COMPLETE not in store.names():
        return None
    return _object(store, COMPLETE)


def _stamped(wanted: Mapping[str, Any]) -> dict[str, Any]:
    return {"version": _VERSION, **wanted}


def _object(store: Store, name: str) -> dict[str, Any]:
    try:
        found = json.loads(store.read(name))
    except ValueError as error:
        raise OutputError(f"{store.address}/{name} is damaged: {error}") from error
    if not isinstance(found, dict):
        raise OutputError(f"{store.address}/{name} is damaged: it holds no object")
    return found


def _bytes(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()
