"""Writes a folder that is a Space on the Hub: the page, with the models that it offers and the code that it needs."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import registry
from registry.hub.publication import files_to_share

from ..tables.errors import closest

_DISTRIBUTION = "chainhead-plugin"
_EXTRA = re.compile(r"""extra\s*==\s*["'](?:app|tables)["']""")
_APP = '''"""The page of this Space."""

from chainhead_plugin.app import serve

serve({models!r}, host="0.0.0.0", only_offered=True)
'''
_README = """---
title: {title}
emoji: 🔗
colorFrom: blue
colorTo: gray
sdk: gradio
{version}app_file: app.py
license: apache-2.0
---

Try {names} in the browser: draw or upload an input, and see the answer, what each node added, and how it changes while
a series arrives. `chainhead app --space` wrote this folder.
"""


def write_space(folder: Path, models: Sequence[str] = (), title: str = "chainhead") -> list[str]:
    """Write what a Space needs into a new folder; nothing is uploaded.

    Parameters
    ----------
    folder : Path
        Must not exist, or be empty.
    models : sequence of str
        Models of the zoo, folders of checkpoints, whose files are copied as they would be pushed, or repositories on
        the Hub. Empty offers the zoo.
    title : str
        The Space's title.

    Returns
    -------
    list of str
        The names of what was written.

    Raises
    ------
    ValueError
        If the folder holds something, or a model is unknown.
    registry.RegistryError
        If a model's folder holds what `registry.push` would refuse, such as pickles or links to files elsewhere.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} is there already, and not an empty folder: choose another")
    names = list(models) or registry.list_models("chainhead-*")
    copied = {
        name: Path(name) for name in names if name not in registry.list_models() and Path(name).is_dir()
    }
    for name in names:
        if (
            name not in copied
            and name not in registry.list_models()
            and not re.fullmatch(r"[\w.-]+/[\w.-]+", name)
        ):
            raise ValueError(
                f"there is no model {name}{closest(name, registry.list_models())}: give models of the zoo, folders, "
                "or repositories on the Hub as owner/name"
            )
    offered = [f"models/{copied[name].resolve().name}" if name in copied else name for name in names]
    if len(set(offered)) < len(offered):
        raise ValueError("two of the folders have the same name: rename one")

    # Before anything is written: a Space is for others, so that what may not be pushed may not be in it either.
    files = {source.resolve().name: files_to_share(source) for source in copied.values()}

    folder.mkdir(parents=True, exist_ok=True)
    for model, shared in files.items():
        for path, file in shared.items():
            target = folder / "models" / model / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file if isinstance(file, bytes) else file.read_bytes())
    _copy_code(folder)
    (folder / "app.py").write_text(_APP.format(models=offered), "utf-8")
    (folder / "requirements.txt").write_text("".join(f"{line}\n" for line in requirements()), "utf-8")
    told = Path(offered[0]).name if len(offered) == 1 else f"{len(offered)} models"
    readme = _README.format(
        title=json.dumps(title, ensure_ascii=False), version=_gradio_version(), names=told
    )
    (folder / "README.md").write_text(readme, "utf-8")
    return sorted(path.name for path in folder.iterdir())


def requirements() -> list[str]:
    """Return the packages that the page needs, gradio excepted, which a Space brings itself."""
    found = set()
    for line in metadata.requires(_DISTRIBUTION) or []:
        requirement, _, marker = (part.strip() for part in line.partition(";"))
        is_own = requirement.startswith((_DISTRIBUTION, "gradio"))
        if not is_own and ("extra" not in marker or _EXTRA.search(marker)):
            found.add(requirement)
    return sorted(found)


def _copy_code(folder: Path) -> None:
    """Copy both packages and the metadata that names the plugin, as no index has them."""
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    for package in (Path(__file__).parents[1], Path(registry.__file__).parent):
        shutil.copytree(package, folder / package.name, ignore=ignored)
    installed = metadata.distribution(_DISTRIBUTION)
    about = folder / f"{_DISTRIBUTION.replace('-', '_')}-{installed.version}.dist-info"
    about.mkdir()
    for name in ("METADATA", "entry_points.txt"):
        (about / name).write_text(installed.read_text(name) or "", "utf-8")


def _gradio_version() -> str:
    try:
        return f"sdk_version: {metadata.version('gradio')}\n"
    except metadata.PackageNotFoundError:
        return ""
