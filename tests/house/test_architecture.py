"""The imports between rooms are those that docs/architecture.md lists, no more and no fewer."""

import ast
import re
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
PACKAGES = ["chainhead_plugin", "registry"]
MOST_MODULES = 15
# The front door, whose names of the root stay importable, and the helper that faces are made with.
ROOT_MODULES = {
    "chainhead_plugin": {"__init__", "faces", "plugin", "registration"},
    "registry": {
        "__init__",
        "__main__",
        "building",
        "creation",
        "description",
        "errors",
        "pulling",
        "pushing",
        "resolving",
        "screen",
        "trust",
    },
}
TEMPLATE = ROOT / "registry" / "new" / "template"
# A room's face is not a part of its logic.
FACES_HELPER = "faces"
every_package = pytest.mark.parametrize("package", PACKAGES)


@cache
def import_statements(file):
    """Return a module's imports wherever they stand, and those that run when it is imported."""
    module = ast.parse(file.read_text("utf-8"))
    kinds = (ast.Import, ast.ImportFrom)
    return [node for node in ast.walk(module) if isinstance(node, kinds)], [
        node for node in module.body if isinstance(node, kinds)
    ]


def is_of_template(file):
    """Whether it belongs to the distribution that `python -m registry new` writes."""
    return TEMPLATE in file.parents


def folders(package):
    root = ROOT / package
    faces = [file for file in sorted(root.rglob("__init__.py")) if not is_of_template(file)]
    return [root, *(face.parent for face in faces if face.parent != root)]


def imports(package):
    """Yield (importing module's parts, imported dotted name, line), wherever the import stands."""
    root = ROOT / package
    for file in sorted(root.rglob("*.py")):
        if is_of_template(file):
            continue
        parts = file.relative_to(root).with_suffix("").parts
        for node in import_statements(file)[0]:
            if not isinstance(node, ast.ImportFrom):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                yield from ((parts, name, node.lineno) for name in names)
            elif not node.level:
                yield parts, node.module, node.lineno
            else:
                folder = [package, *parts[:-1]]
                folder = folder[: len(folder) - node.level + 1]
                yield parts, ".".join([*folder, *filter(None, [node.module])]), node.lineno


def room_of(package, parts):
    """The room that a module is in; of the host's few modules at the root each is a room of its own."""
    if len(parts) > 1 or (ROOT / package / parts[0]).is_dir():
        return parts[0]
    return parts[0] if package == "registry" and parts[0] != "__init__" else "front door"


def arrows(package):
    """By room, the rooms and the other package that its modules import."""
    root = ROOT / package
    found = {
        room_of(package, file.relative_to(root).with_suffix("").parts): set() for file in root.rglob("*.py")
    }
    for parts, name, _ in imports(package):
        top, *rest = name.split(".")
        if top not in PACKAGES or (top == package and rest == [FACES_HELPER]):
            continue
        room = room_of(package, parts)
        target = room_of(package, rest or ["__init__"]) if top == package else top
        if target != room:
            found[room].add(target)
    return found


def table(package):
    """By room, what its row says that it may import."""
    section = re.search(rf"^## `{package}/`\n(.*?)(?=^## |\Z)", PAGE, flags=re.M | re.S)[1]
    rows = re.findall(r"^\| (`[\w/]+`|front door) \|.*\|(.*)\|$", section, flags=re.M)
    return {
        room.strip("`/"): {name.strip("`") for name in re.findall(r"`\w+`|front door", may)}
        for room, may in rows
    }


@every_package
def test_the_table_is_what_the_imports_are(package):
    assert {room: sorted(may) for room, may in table(package).items()} == {
        room: sorted(targets) for room, targets in arrows(package).items()
    }


@every_package
def test_every_folder_is_a_room(package):
    rooms = {path.relative_to(ROOT / package).parts[0] for path in folders(package)[1:]}
    assert rooms <= table(package).keys()


@every_package
def test_no_room_needs_itself(package):
    # The front door imports by name, when a name is asked for: nothing that it builds imports it.
    order = TopologicalSorter(arrows(package)).static_order()
    assert set(order) >= table(package).keys()


@every_package
def test_no_module_needs_itself(package):
    """Among the imports that run when a module is imported."""
    root = ROOT / package
    graph = {}
    for file in root.rglob("*.py"):
        parts = file.relative_to(root).with_suffix("").parts
        targets = graph.setdefault(".".join(parts), set())
        for node in import_statements(file)[1]:
            if isinstance(node, ast.ImportFrom) and node.level and node.module:
                folder = parts[: len(parts) - node.level]
                targets.add(".".join([*folder, node.module]))
    list(TopologicalSorter(graph).static_order())


@every_package
def test_rooms_can_be_overlooked(package):
    for folder in folders(package):
        modules = {file.stem for file in folder.glob("*.py")}
        if folder == ROOT / package:
            assert modules == ROOT_MODULES[package]
        else:
            assert len(modules) <= MOST_MODULES, folder


@every_package
def test_faces_are_one_screen(package):
    for folder in folders(package)[1:]:
        face = (folder / "__init__.py").read_text("utf-8")
        assert ast.get_docstring(ast.parse(face)), folder
        assert face.count("\n") <= 50, folder


@every_package
def test_modules_import_modules(package):
    """Not faces, which would import their rooms in circles and cannot be carried to the Hub; nor private names."""
    for parts, name, line in imports(package):
        top, *rest = name.split(".")
        if top != package or parts in {("__init__",), ("__main__",)}:
            continue
        path = ROOT / package / Path(*rest)
        assert path.with_suffix(".py").is_file(), f"{'/'.join(parts)}.py, line {line}: {name} is no module"


@every_package
def test_no_private_name_leaves_its_module(package):
    for file in (ROOT / package).rglob("*.py"):
        for node in import_statements(file)[0]:
            if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith(package)):
                private = [alias.name for alias in node.names if re.match(r"_[^_]", alias.name)]
                assert not private, f"{file}: {private}"


@every_package
def test_private_names_in_texts_are_of_their_module(package):
    """A docstring or a comment that names `_other` leads to nowhere once that is renamed or has moved."""
    for file in (ROOT / package).rglob("*.py"):
        text = file.read_text("utf-8")
        named = set(re.findall(r"(?<!`)`(_[a-z]\w*)(?:\(\))?`(?!`)", text))
        for name in named - {"_attn_implementation"}:  # of transformers
            assert re.search(rf"(?<![`\w]){name}\b", text), f"{file}: there is no {name}"


def test_users_import_from_faces():
    """Docs, cards and the README name no module inside a room."""
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "model_cards").glob("*.md")]
    templates = (ROOT / "chainhead_plugin" / "hub").glob("*.py")
    rooms = {path.relative_to(ROOT).as_posix().replace("/", ".") for path in folders("chainhead_plugin")}
    for page in [*pages, *templates]:
        for name in re.findall(
            r"^\s*(?:>>> )?from (chainhead_plugin[\w.]*) import", page.read_text("utf-8"), flags=re.M
        ):
            assert name in rooms | {"chainhead_plugin.plugin"}, f"{page.name}: {name}"
