"""A package's modules become files of a single folder, in which transformers finds every import."""

import importlib
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from transformers.dynamic_module_utils import get_relative_import_files

import chainhead_plugin
import registry
from registry.hub.flat_code import flat_code, flat_name

# The modules of a package (`__init__.py` is in every folder), the module to carry, and the files that come of it.
PACKAGES = {
    "flat": (
        {
            "model.py": b'"""A model."""\nfrom .config import Config\nfrom .saving import (\n    save,  # whole\n)\n',
            "config.py": b"class Config: ...\n",
            "saving.py": b"def save():\n    from .config import Config\n    return Config\n",
            "unused.py": b"import registry\n",
        },
        "pkg.model",
        {
            "model.py": b'"""A model."""\nfrom .config import Config\nfrom .saving import (\n    save,  # whole\n)\n',
            "config.py": b"class Config: ...\n",
            "saving.py": b"def save():\n    from .config import Config\n    return Config\n",
        },
    ),
    "rooms": (
        {
            "saving.py": b"from .chain.kernels.scan import scan\n",
            "models/model.py": (
                b"from ..chain.mix import mix as m\nfrom ..saving import save\nfrom .pooling import pool\n"
            ),
            "models/pooling.py": b"from ..chain.mix import *\n",
            "chain/mix.py": b"from .kernels.scan import scan\n",
            "chain/kernels/scan.py": b"from ...chain.path import path\nfrom ..path import path\n",
            "chain/path.py": b"import math\n",
        },
        "pkg.models.model",
        {
            "saving.py": b"from .chain_kernels_scan import scan\n",
            "models_model.py": (
                b"from .chain_mix import mix as m\nfrom .saving import save\nfrom .models_pooling import pool\n"
            ),
            "models_pooling.py": b"from .chain_mix import *\n",
            "chain_mix.py": b"from .chain_kernels_scan import scan\n",
            "chain_kernels_scan.py": b"from .chain_path import path\nfrom .chain_path import path\n",
            "chain_path.py": b"import math\n",
        },
    ),
    "everywhere": (
        {
            "a/b.py": (
                b"from typing import TYPE_CHECKING\n"
                b"if TYPE_CHECKING:\n    from ..c.d import D\n"
                b"try:\n    from ..c.d import (  # ..c.d\n        D,\n        E,\n    )\n"
                b"except ImportError:\n    D = None\n"
                b"class A:\n\tdef f(self):\n\t\tfrom ..c.d import D; from_ = D  # from ..c.d import D\n\t\treturn D\n"
                b"async def g():\n    from  ..e  import x, \\\n        y\n"
            ),
            "c/d.py": b"from ..a.b import A\n",  # a circle
            "e.py": b"",
        },
        "pkg.a.b",
        {
            "a_b.py": (
                b"from typing import TYPE_CHECKING\n"
                b"if TYPE_CHECKING:\n    from .c_d import D\n"
                b"try:\n    from .c_d import (  # ..c.d\n        D,\n        E,\n    )\n"
                b"except ImportError:\n    D = None\n"
                b"class A:\n\tdef f(self):\n\t\tfrom .c_d import D; from_ = D  # from ..c.d import D\n\t\treturn D\n"
                b"async def g():\n    from  .e  import x, \\\n        y\n"
            ),
            "c_d.py": b"from .a_b import A\n",
            "e.py": b"",
        },
    ),
    "text": (
        {
            "a/b.py": (
                '"""Ünï:\n\n>>> from ..c.d import x\n\nThe line from ..c.d import x is text; the next is a module\'s:\n'
                'from .c_d import x\n"""\n\n\ndef ä(*, ψ="κ"): from_ = "from ..c.d import x"; return from_\n\f\n'
                "from ..c.d import κ, ß; λ = κ  # Aᵀ\n"
            ).encode(),
            "c/d.py": "κ = ß = x = 'ᵀ'\n".encode(),
        },
        "pkg.a.b",
        {
            "a_b.py": (
                '"""Ünï:\n\n>>> from ..c.d import x\n\nThe line from ..c.d import x is text; the next is a module\'s:\n'
                'from .c_d import x\n"""\n\n\ndef ä(*, ψ="κ"): from_ = "from ..c.d import x"; return from_\n\f\n'
                "from .c_d import κ, ß; λ = κ  # Aᵀ\n"
            ).encode(),
            "c_d.py": "κ = ß = x = 'ᵀ'\n".encode(),
        },
    ),
    "line ends": (
        {
            "a/b.py": b"# \xc3\xbc\r\nfrom ..c.d import (\r\n    x,\r\n)\r\n\r\nif x:\r\n    from ..c.d import y",
            "c/d.py": b"x = 1\r\ny = 2\r\n\n \t\n",
        },
        "pkg.a.b",
        {
            "a_b.py": b"# \xc3\xbc\r\nfrom .c_d import (\r\n    x,\r\n)\r\n\r\nif x:\r\n    from .c_d import y",
            "c_d.py": b"x = 1\r\ny = 2\r\n\n \t\n",
        },
    ),
}

# The content of `pkg/room/model.py` beside `pkg/room/mix.py`, the line that is refused, and why.
REFUSED = {
    "package itself": (
        b"\nfrom . import mix\n",
        2,
        "imports mix from the package .: .* 'from .module import name'",
    ),
    "package above": (b"from .. import root\n", 1, "imports root from .*'from ..module import name'"),
    "room": (
        b"x = 1\ndef f():\n    from ..room import mix, x\n",
        3,
        "imports mix, x from the package ..room: .*",
    ),
    "sub-room": (b"from .inner import y\n", 1, "imports y from .*'from .inner.module import name'"),
    "own package": (b"import math, pkg\n", 1, "imports pkg, which is not carried"),
    "own module": (b"import pkg.room.mix as m\n", 1, "imports pkg.room.mix, which is not carried"),
    "from own module": (
        b"def f():\n  from pkg.room.mix import x\n",
        2,
        "imports pkg.room.mix, which is not carried",
    ),
    "host": (b"if 0:\n    import registry\n", 2, "imports registry, which is not carried"),
    "from host": (
        b"try:\n    from registry import push\nexcept ImportError: ...\n",
        2,
        "imports registry, which",
    ),
    "outside": (
        b"from ...other.module import x\n",
        1,
        "imports from ...other.module, which is outside the package",
    ),
    "missing": (
        b"\n\nfrom ..room.gone import x\n",
        3,
        r"imports from ..room.gone, but there is no \S*gone\.py",
    ),
    "missing room": (
        b"from ..gone.mix import x\n",
        1,
        r"imports from ..gone.mix, but there is no \S*mix\.py",
    ),
    "after another statement": (
        b"x = 1; from .mix import y\n",
        1,
        "is an import that transformers misses: write 'from",
    ),
    "after a colon": (b"if 1: from .mix import x\n", 1, "is an import that transformers misses"),
    "spaced out": (b"from . mix import x\n", 1, "is an import that transformers misses"),
    "continued": (b"from \\\n .mix import x\n", 1, "is an import that transformers misses"),
    "text": (b'"""\n\nfrom ..room.mix import x\n"""\n', 3, "is text that transformers takes for an import"),
}


def write(root, files):
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
        for folder in (root / name).relative_to(root.parent).parents:
            (root.parent / folder / "__init__.py").touch()
    (root.parent / "__init__.py").unlink()


def carried_by_transformers(folder, flat, module):
    """The files that transformers fetches for a module, if they are all there."""
    folder.mkdir()
    for name, content in flat.items():
        (folder / name).write_bytes(content)
    file = folder / f"{module}.py"
    return {file.name, *(Path(found).name for found in get_relative_import_files(file))}


@pytest.mark.parametrize(("files", "module", "expected"), PACKAGES.values(), ids=PACKAGES)
def test_a_package_becomes_one_folder(files, module, expected, tmp_path):
    write(tmp_path / "pkg", files)
    flat = flat_code([module], {"pkg": tmp_path / "pkg"})
    assert flat == expected
    assert carried_by_transformers(tmp_path / "flat", flat, flat_name(module, "pkg")) == expected.keys()


@pytest.mark.parametrize(("content", "line", "reason"), REFUSED.values(), ids=REFUSED)
def test_an_import_that_cannot_travel_is_refused(content, line, reason, tmp_path):
    files = {"room/model.py": content, "room/mix.py": b"", "room/inner/module.py": b"", "root.py": b""}
    write(tmp_path / "pkg", files)
    with pytest.raises(registry.PushError, match=rf"room/model\.py cannot be carried: line {line} {reason}"):
        flat_code(["pkg.room.model"], {"pkg": tmp_path / "pkg"})


def test_an_import_deep_down_is_refused(tmp_path):
    write(
        tmp_path / "pkg",
        {"a/b.py": b"from ..c import x\n", "c.py": b"def f():\n    import registry.pushing\n"},
    )
    with pytest.raises(
        registry.PushError, match=r"pkg/c\.py cannot be carried: line 2 imports registry\.pushing"
    ):
        flat_code(["pkg.a.b"], {"pkg": tmp_path / "pkg"})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"def f(:\n", "not Python in UTF-8: .*line 1"),
        (b"x = '\xfc'\n", "not Python in UTF-8: 'utf-8' codec"),
        (b"\xef\xbb\xbffrom .c import x\n", "not Python in UTF-8: .*U\\+FEFF"),
    ],
)
def test_a_module_that_transformers_cannot_read_is_refused(content, reason, tmp_path):
    write(tmp_path / "pkg", {"a.py": content, "c.py": b""})
    with pytest.raises(registry.PushError, match=rf"a\.py cannot be carried: it is {reason}"):
        flat_code(["pkg.a"], {"pkg": tmp_path / "pkg"})


def test_modules_of_one_flat_name_are_refused(tmp_path):
    write(
        tmp_path / "pkg",
        {"m.py": b"from .a.b_c import x\nfrom .a_b.c import x\n", "a/b_c.py": b"", "a_b/c.py": b""},
    )
    with pytest.raises(
        registry.PushError, match=r"both would be a_b_c\.py, so rename one of them"
    ) as refused:
        flat_code(["pkg.m"], {"pkg": tmp_path / "pkg"})
    assert {str(tmp_path / "pkg/a/b_c.py"), str(tmp_path / "pkg/a_b/c.py")} < {*str(refused.value).split()}


def test_two_plugins_travel_together(tmp_path):
    write(tmp_path / "pkg", {"room/model.py": b"from ..config import C\n", "config.py": b""})
    (tmp_path / "single.py").write_bytes(b"import math\n")
    roots = {"pkg": tmp_path / "pkg", "single": tmp_path}
    flat = flat_code(["pkg.room.model", "single"], roots)
    assert flat.keys() == {"room_model.py", "config.py", "single.py"}
    assert (flat_name("single", "single"), flat_name("pkg.room.model", "pkg")) == ("single", "room_model")

    with pytest.raises(registry.PushError, match=r"there is no \S*gone\.py"):
        flat_code(["pkg.gone"], roots)
    (tmp_path / "single.py").write_bytes(b"from pkg.config import C\n")
    with pytest.raises(registry.PushError, match=r"single\.py cannot be carried: line 1 imports pkg\.config"):
        flat_code(["single"], roots)
    (tmp_path / "config.py").touch()
    with pytest.raises(registry.PushError, match=r"both would be config\.py"):
        flat_code(["pkg.config", "config"], roots | {"config": tmp_path})


IMPORT = """
import importlib, json, sys
sys.path.insert(0, FOLDER)
names = {}
for module in MODULES:
    found = vars(importlib.import_module(f"flat_form.{module}")).values()
    names[module] = sorted(x.__name__ for x in found if isinstance(x, type) and x.__module__ == f"flat_form.{module}")
assert not {"chainhead_plugin", "registry"} & sys.modules.keys()
print(json.dumps(names))
"""


@pytest.mark.slow
def test_the_flat_form_of_this_package_has_its_classes(tmp_path):
    offered = (getattr(chainhead_plugin, name) for name in chainhead_plugin.__all__)
    starts = {cls.__module__ for cls in offered if isinstance(cls, type) and is_loaded_by_transformers(cls)}
    assert len(starts) >= 7
    root = Path(chainhead_plugin.__file__).parent
    flat = flat_code(starts, {"chainhead_plugin": root})
    folder = tmp_path / "flat_form"
    found = set()
    for number, start in enumerate(sorted(starts)):
        module = flat_name(start, "chainhead_plugin")
        found |= carried_by_transformers(tmp_path / str(number), flat, module)
    assert found == flat.keys()

    write(folder, flat)
    expected = {}
    for file in sorted(root.rglob("*.py")):
        module = ".".join(["chainhead_plugin", *file.relative_to(root).with_suffix("").parts])
        name = flat_name(module, "chainhead_plugin")
        if f"{name}.py" in flat:
            classes = inspect.getmembers(importlib.import_module(module), inspect.isclass)
            expected[name] = sorted(cls.__name__ for _, cls in classes if cls.__module__ == module)
    code = f"FOLDER, MODULES = {str(tmp_path)!r}, {sorted(expected)!r}\n{IMPORT}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == expected
    assert expected.keys() == {re.sub(r"\.py$", "", name) for name in flat}


def is_loaded_by_transformers(cls):
    return hasattr(cls, "from_pretrained") or cls.__name__.endswith("Pipeline")
