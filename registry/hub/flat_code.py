"""The modules of a package, made flat: the form in which code travels with a checkpoint.

transformers loads code from one folder: there it follows lines of the form ``from .module import name``. So the
package's module ``chain/mix.py`` travels as ``chain_mix.py``, and a line that imports it, such as
``from ..chain.mix import mix``, travels as ``from .chain_mix import mix``. Every other byte stays as it is.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Mapping
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from ..errors import PushError

_HOST = __name__.partition(".")[0]
# transformers reads the text of a module, not its syntax: it misses other forms of the same statement, and takes a
# line in a docstring for an import.
_FOLLOWED = re.compile(rb"^\s*(from)\s+(\.\S+)\s+import", re.MULTILINE)


class _Module(NamedTuple):
    root: Path
    name: str  # within the package, such as "chain.mix"

    @property
    def file(self) -> Path:
        return self.root / f"{self.name.replace('.', '/')}.py"

    @property
    def flat_name(self) -> str:
        return self.name.replace(".", "_")


def flat_name(module: str, package: str) -> str:
    """Return the name of a module in the flat form of its package.

    Parameters
    ----------
    module : str
        Its full name, such as ``"plugin.chain.mix"``.
    package : str
        The first part of it, ``"plugin"``. A plugin that is a single module keeps its name.

    Returns
    -------
    str
        Such as ``"chain_mix"``.
    """
    return module.removeprefix(f"{package}.").replace(".", "_")


def flat_code(modules: Iterable[str], roots: Mapping[str, Path]) -> dict[str, bytes]:
    """Return modules, and all modules that they import relatively, as files of one folder.

    Imports count wherever they stand: in functions and under ``TYPE_CHECKING`` too.

    Parameters
    ----------
    modules : iterable of str
        Full names of modules; nothing is imported.
    roots : mapping of Path
        The folder of every package that is to be carried, by the package's name; of a plugin that is a single
        module, the folder that the module is in.

    Returns
    -------
    dict of bytes
        The files' contents, by name.

    Raises
    ------
    PushError
        If a module cannot be made flat: it does not exist, or imports a module that does not exist, leaves the package,
        or is the package itself, a folder of it, or the host; or if two modules would be the same file. The message
        names file and line.
    """
    absent = {*roots, _HOST}
    waiting = []
    for full_name in modules:
        package = full_name.partition(".")[0]
        waiting.append(_Module(roots[package], full_name.removeprefix(f"{package}.")))
    origins: dict[str, Path] = {}
    files: dict[str, bytes] = {}
    while waiting:
        module = waiting.pop()
        name = f"{module.flat_name}.py"
        if origins.setdefault(name, module.file) != module.file:
            both = f"{origins[name]} and {module.file}"
            raise PushError(f"{both} cannot be carried: both would be {name}, so rename one of them")
        if name not in files:
            files[name], imported = _flattened(module, absent)
            waiting += imported

    for name, content in files.items():
        for match in _FOLLOWED.finditer(content):
            if f"{match[2][1:].decode()}.py" not in files:
                raise _text_refusal(origins[name], content, match.start(1))
    return files


def _flattened(module: _Module, absent: Collection[str]) -> tuple[bytes, list[_Module]]:
    """Return a module's flat content, and the modules that it imports."""
    if not module.file.is_file():
        raise PushError(f"{module.name} cannot be carried: there is no {module.file}")
    content = module.file.read_bytes()
    try:
        tree = ast.parse(content.decode())
    except (SyntaxError, ValueError) as error:
        raise PushError(f"{module.file} cannot be carried: it is not Python in UTF-8: {error}") from error

    line_starts = [0, *accumulate(map(len, content.splitlines(keepends=True)))]
    followed = {match.start(1): match for match in _FOLLOWED.finditer(content)}
    imported = []
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            target = _target(node, module)
            match = followed.get(line_starts[node.lineno - 1] + node.col_offset)
            if match is None:
                reason = "is an import that transformers misses: write 'from .module import name' on a line of its own"
                raise _refusal(module.file, node.lineno, reason)
            imported.append(target)
            names[match.span(2)] = f".{target.flat_name}".encode()
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            _require_elsewhere(node, module.file, absent)

    parts = []
    end = 0
    for (start, stop), name in sorted(names.items()):
        parts += [content[end:start], name]
        end = stop
    return b"".join([*parts, content[end:]]), imported


def _target(node: ast.ImportFrom, module: _Module) -> _Module:
    """Return the module that a relative import is from."""
    source = "." * node.level + (node.module or "")
    folders = module.name.split(".")
    if node.level > len(folders):
        raise _refusal(module.file, node.lineno, f"imports from {source}, which is outside the package")
    target = _Module(module.root, ".".join([*folders[: -node.level], node.module or ""]))
    if not node.module or (target.file.with_suffix("") / "__init__.py").is_file():
        names = ", ".join(alias.name for alias in node.names)
        example = f"from {source}{'.' if node.module else ''}module import name"
        reason = (
            f"imports {names} from the package {source}: import from the module itself, as in '{example}'"
        )
        raise _refusal(module.file, node.lineno, reason)
    if not target.file.is_file():
        raise _refusal(module.file, node.lineno, f"imports from {source}, but there is no {target.file}")
    return target


def _require_elsewhere(node: ast.Import | ast.ImportFrom, file: Path, absent: Collection[str]) -> None:
    """Refuse an absolute import of packages that are not there where the code goes."""
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    for name in names:
        if name.partition(".")[0] in absent:
            reason = (
                f"imports {name}, which is not carried: only 'from .module import name' brings a module along"
            )
            raise _refusal(file, node.lineno, reason)


def _text_refusal(file: Path, content: bytes, start: int) -> PushError:
    line = content.count(b"\n", 0, start) + 1
    return _refusal(file, line, "is text that transformers takes for an import: begin the line with '>>> '")


def _refusal(file: Path, line: int, reason: str) -> PushError:
    return PushError(f"{file} cannot be carried: line {line} {reason}")
