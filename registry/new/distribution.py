"""Write a distribution that brings a model to the zoo, with weights, card and tests, to be changed into one's own."""

from __future__ import annotations

import json
import keyword
import re
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from ..errors import RegistryError
from ..files.hashes import sha256

TEMPLATE = Path(__file__).with_name("template")


class NewDistributionError(RegistryError):
    """A distribution cannot be written under this name, or at this place."""


def new_distribution(folder: Path, *, plain_torch: bool = False) -> Path:
    """Write a distribution that passes its own tests.

    Parameters
    ----------
    folder : Path
        Where to; the last part of the path is the distribution's name.
    plain_torch : bool
        With a model that is a `torch.nn.Module` alone. By default it is a model of transformers.

    Returns
    -------
    Path
        The folder, absolute.

    Raises
    ------
    NewDistributionError
        If the name cannot be that of a new distribution and package, or something is there already. Nothing is
        written then.
    """
    folder = folder.absolute()
    names = _names(folder.name)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NewDistributionError(f"{folder} exists already: choose a new folder, or an empty one")

    kind = "torch" if plain_torch else "transformers"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as parent:
        new = Path(parent, "new")
        for source in (TEMPLATE / "common", TEMPLATE / kind):
            for file in sorted(source.rglob("*")):
                if file.is_file() and "__pycache__" not in file.parts:
                    target = new / _replaced(file.relative_to(source).as_posix(), names)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(_content(file, names))
        _pin(new / names["my_zoo"] / "checkpoints")
        new.rename(folder)  # an empty folder gives way
    return folder


def _names(name: str) -> dict[str, str]:
    """Return what stands for each of the template's names."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise NewDistributionError(
            f"{name!r} cannot be a distribution's name here: expected small letters, digits and single hyphens, "
            "such as my-zoo"
        )
    module = name.replace("-", "_")
    if keyword.iskeyword(module) or module in sys.stdlib_module_names or find_spec(module) is not None:
        raise NewDistributionError(f"the package {module} exists already in Python or in this environment")
    return {"my_zoo": module, "my-zoo": name, "MyZoo": "".join(part.capitalize() for part in name.split("-"))}


def _content(file: Path, names: dict[str, str]) -> bytes:
    if file.suffix == ".safetensors":
        return file.read_bytes()
    return _replaced(file.read_text("utf-8"), names).encode()


def _replaced(text: str, names: dict[str, str]) -> str:
    return re.sub("|".join(names), lambda found: names[found[0]], text)


def _pin(checkpoints: Path) -> None:
    """Put the hashes of the files, which hold the new names, into the catalogue."""
    catalogue = checkpoints / "catalogue.json"
    records = json.loads(catalogue.read_text("utf-8"))
    for record in records:
        record["files"] = {name: sha256(checkpoints / record["name"] / name) for name in record["files"]}
    catalogue.write_text(json.dumps(records, indent=2) + "\n", "utf-8")
