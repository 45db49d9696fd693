"""Register plugins in every script of an environment: by a ``.pth`` file, if the user asks for it."""

from __future__ import annotations

import sys
import sysconfig
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from ..errors import RegistryError

NAME = "registry-autoload.pth"
_WAITING = Path(__file__).with_name("waiting.py")


@dataclass(frozen=True)
class Autoload:
    """Whether scripts of an environment register plugins by themselves.

    Attributes
    ----------
    interpreter : str
        Whose environment it is.
    file : Path
        The ``.pth`` file that does it, whether it is there or not.
    enabled : bool
    """

    interpreter: str
    file: Path
    enabled: bool


def status() -> Autoload:
    """Tell whether scripts of this interpreter's environment register plugins by themselves."""
    file = Path(sysconfig.get_path("purelib")) / NAME
    return Autoload(sys.executable, file, file.is_file())


def enable() -> Autoload:
    """Let every script of this interpreter's environment register plugins when it imports transformers or timm.

    The file is entered among those of the distribution that brings `registry`, so that uninstalling that, or
    installing another version, removes it.

    Raises
    ------
    RegistryError
        If the environment cannot be written.
    """
    file = status().file
    line = (
        f"import os; p = {str(_WAITING)!r}; os.path.exists(p) and "
        "exec(compile(open(p, encoding='utf-8').read(), p, 'exec'), {'__name__': 'registry.scripts.waiting'})\n"
    )
    try:
        file.write_text(line, "utf-8")
        _enter(file)
    except OSError as error:
        with suppress(OSError):
            file.unlink()
        raise RegistryError(f"{_refusal(error)}; or run a single script by python -m registry run") from error
    return status()


def disable() -> Autoload:
    """Undo `enable`; nothing is left behind.

    Raises
    ------
    RegistryError
        If the environment cannot be written.
    """
    try:
        status().file.unlink(missing_ok=True)
        _enter(None)
    except OSError as error:
        raise RegistryError(_refusal(error)) from error
    return status()


def _refusal(error: OSError) -> str:
    return (
        f"{error.filename} cannot be written ({error.strerror}): this is the environment of {sys.executable}. Use the "
        "python of an environment that is yours, for example made by python -m venv"
    )


def _enter(file: Path | None) -> None:
    """Put the file into the list of its distribution's files, or take it out."""
    record = _record()
    if record is None:
        return
    before = record.read_text("utf-8").splitlines(keepends=True)
    after = [line for line in before if not line.startswith(f"{NAME},")]
    if file is not None:
        after.append(f"{NAME},,\n")
    if after != before:
        record.write_text("".join(after), "utf-8")


def _record() -> Path | None:
    """Return the list of files that pip removes with the distribution, if it is in this environment."""
    package = __package__.partition(".")[0]
    for name in metadata.packages_distributions().get(package, ()):
        for file in metadata.distribution(name).files or ():
            place = Path(str(file.locate()))
            if place.name == "RECORD" and place.parent.parent == status().file.parent:
                return place
    return None
