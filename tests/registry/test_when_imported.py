"""Calls that follow imports, whatever finds, loads, repeats or breaks the modules."""

import importlib
import importlib.util
import itertools
import subprocess
import sys
import threading
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader

import pytest

from registry.hooks import when_imported as hook
from registry.hooks.when_imported import when_imported

NUMBERS = itertools.count()


@pytest.fixture
def make(tmp_path, monkeypatch):
    """A function that writes a module, imported by nobody yet, and returns its name; `path` names a file in it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "meta_path", sys.meta_path.copy())
    names = []

    def write(content="value = 1", path="{}.py"):
        names.append(f"awaited_{next(NUMBERS)}")
        file = tmp_path / path.format(names[-1])
        file.parent.mkdir(exist_ok=True)
        file.write_text(content)
        importlib.invalidate_caches()
        return names[-1]

    yield write
    for name in [*sys.modules]:
        if name.partition(".")[0] in names:
            del sys.modules[name]
    assert not [name for name in hook._running if name in names]


class Calls(list):
    """What the calls got: the module's attribute, or the module if it has none."""

    def __call__(self, module):
        self.append(getattr(module, "value", module))


@pytest.fixture
def calls():
    return Calls()


def test_once_at_the_end_of_the_import_and_at_once_from_then_on(make, calls):
    name = make("value = 1\nvalue = 2")
    when_imported(name, calls)
    when_imported(name, calls)
    assert calls == []
    module = importlib.import_module(name)
    assert calls == [2, 2]
    importlib.import_module(name)
    importlib.reload(module)
    assert calls == [2, 2]
    when_imported(name, calls)
    assert calls == [2, 2, 2]
    assert name not in hook._awaited


def test_a_reload_awaited_by_nobody_is_as_ever(make, calls):
    name = make("try: value += 1\nexcept NameError: value = 1")
    when_imported(name, calls)
    module = importlib.import_module(name)
    assert importlib.reload(module) is module
    assert (module.value, calls) == (2, [1])


@pytest.mark.parametrize(
    "content",
    ["1 / 0", "import no_such_module_anywhere", "value ="],
    ids=["error", "missing import", "no Python"],
)
def test_calls_wait_while_the_import_fails(make, calls, tmp_path, content):
    name = make(content)
    when_imported(name, calls)
    for _ in range(2):
        with pytest.raises((ZeroDivisionError, ModuleNotFoundError, SyntaxError)):
            importlib.import_module(name)
    assert (calls, name in sys.modules) == ([], False)
    (tmp_path / f"{name}.py").write_text("value = 'mended at last'")
    importlib.invalidate_caches()
    importlib.import_module(name)
    assert calls == ["mended at last"]


def test_an_error_of_a_call_is_the_error_of_the_import_until_it_passes(make, calls):
    name, broken = make(), [True]

    def fail(module):
        if broken:
            raise RuntimeError("not yet")

    for call in (calls, fail, calls):
        when_imported(name, call)
    for attempt in range(2):
        with pytest.raises(RuntimeError, match="not yet"):
            importlib.import_module(name)
        assert (len(calls), name in sys.modules) == (attempt + 1, False)
    broken.clear()
    importlib.import_module(name)
    assert calls == [1, 1, 1, 1]


def test_the_error_of_a_call_that_need_not_wait_reaches_who_asks(make):
    name = make()
    importlib.import_module(name)
    with pytest.raises(ZeroDivisionError):
        when_imported(name, lambda module: 1 / 0)
    assert name in sys.modules


def test_a_module_that_does_not_exist(calls):
    when_imported("awaited_in_vain", calls)
    for _ in range(2):
        assert importlib.util.find_spec("awaited_in_vain") is None
        with pytest.raises(ModuleNotFoundError, match=r"^No module named 'awaited_in_vain'$"):
            importlib.import_module("awaited_in_vain")
    assert calls == []
    hook._awaited.pop("awaited_in_vain")


def test_a_blocked_module_is_not_imported(make, calls, monkeypatch):
    name = make()
    monkeypatch.setitem(sys.modules, name, None)
    when_imported(name, calls)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(name)
    assert calls == []
    monkeypatch.delitem(sys.modules, name)
    importlib.import_module(name)
    assert calls == [1]


def test_a_module_that_somebody_made_by_hand(calls, monkeypatch):
    class Stub:
        value = "a stub"

    monkeypatch.setitem(sys.modules, "awaited_stub", Stub)
    when_imported("awaited_stub", calls)
    assert calls == ["a stub"]


def test_the_module_has_its_own_loader_again(make, calls):
    name = make(
        "import sys\nvalue = type(__loader__), type(__spec__.loader), type(sys.modules[__name__].__loader__)"
    )
    when_imported(name, calls)
    module = importlib.import_module(name)
    assert calls == [(SourceFileLoader, SourceFileLoader, SourceFileLoader)]
    assert module.__spec__.loader is module.__loader__
    assert module.__file__ == module.__spec__.origin == module.__loader__.path


def test_looking_for_a_module_makes_no_call(make, calls):
    name = make()
    when_imported(name, calls)
    spec = importlib.util.find_spec(name)
    assert (spec.name, spec.origin == spec.loader.path, calls) == (name, True, [])
    assert spec.loader.get_source(name) == "value = 1"  # as `runpy` and `inspect` ask
    assert not hasattr(spec.loader, "no_such_attribute")
    # A copy on the side is not the module that others import.
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    assert (calls, name in sys.modules) == ([], False)
    importlib.import_module(name)
    assert calls == [1]


def test_packages_and_their_modules(make, calls, tmp_path):
    name = make("from .inner import value", "{}/__init__.py")
    (tmp_path / name / "inner.py").write_text("value = 'inner'")
    inner = Calls()
    when_imported(f"{name}.inner", inner)
    when_imported(name, calls)
    module = importlib.import_module(name)
    assert (calls, inner) == (["inner"], ["inner"])
    assert module.__path__ == [str(tmp_path / name)]


def test_namespace_packages(make, calls, tmp_path):
    plain, awaited = (make("value = 1", "{}/inner.py") for _ in range(2))
    when_imported(awaited, calls)
    when_imported(f"{awaited}.inner", calls)
    assert importlib.util.find_spec(awaited).submodule_search_locations
    expected, module = importlib.import_module(plain), importlib.import_module(awaited)
    assert calls == [module]
    assert type(module.__loader__) is type(expected.__loader__)
    assert module.__spec__.loader is module.__loader__
    assert vars(module).keys() == vars(expected).keys()
    assert [*module.__path__] == [str(tmp_path / awaited)]
    importlib.import_module(f"{awaited}.inner")
    assert calls == [module, 1]


@pytest.mark.parametrize("name", ["_symtable", "zipimport", "_zoneinfo", "colorsys"])
def test_modules_of_python_itself(name):
    """Whose loaders are single objects for all modules, or classes."""
    code = f"""
import sys
sys.modules.pop({name!r}, None)
from registry.hooks.when_imported import when_imported
names = []
when_imported({name!r}, lambda module: names.append(module.__name__))
import {name}, importlib.machinery, xml
print(names, importlib.machinery.BuiltinImporter.exec_module.__qualname__, file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == f"['{name}'] BuiltinImporter.exec_module\n"


def test_a_module_that_puts_another_into_its_place(make, calls):
    name = make("import sys, types\nsys.modules[__name__] = types.SimpleNamespace(value='replaced')")
    when_imported(name, calls)
    importlib.import_module(name)
    assert calls == ["replaced"]


def test_calls_that_await_in_their_turn(make, calls):
    first, second = make(), make("value = 2")

    def more(module):
        when_imported(first, calls)
        when_imported(second, calls)
        importlib.import_module(second)

    when_imported(first, more)
    importlib.import_module(first)
    assert calls == [2, 1]


def test_modules_that_await_themselves(make, calls):
    """Their calls follow the end of an import that is awaited; in any other, the module is taken as it is."""
    content = "import builtins\nvalue = 'half'\nbuiltins.await_now(__name__)\nvalue = 'whole'"
    awaited, unawaited = make(content), make(content)
    when_imported(awaited, calls)
    try:
        importlib.import_module("builtins").await_now = lambda name: when_imported(name, calls)
        importlib.import_module(awaited)
        importlib.import_module(unawaited)
    finally:
        del importlib.import_module("builtins").await_now
    assert calls == ["whole", "whole", "half"]


def test_importing_threads_get_the_module_after_its_calls(make, calls):
    name, seen = make("import time\ntime.sleep(0.1)\nvalue = 1"), []

    def change(module):
        threading.Event().wait(0.1)
        module.value = "changed"
        calls.append("made")

    when_imported(name, change)
    threads = [
        threading.Thread(target=lambda: seen.append(importlib.import_module(name).value)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (seen, calls) == (["changed"] * 8, ["made"])


@pytest.mark.parametrize("is_awaited", [False, True])
def test_a_module_that_another_thread_is_importing(make, calls, is_awaited):
    name = make("import builtins\nbuiltins.half_way()\nvalue = 'whole'")
    begun, go_on = threading.Event(), threading.Event()
    importlib.import_module("builtins").half_way = lambda: (begun.set(), go_on.wait(10))
    if is_awaited:
        when_imported(name, lambda module: None)
    importing = threading.Thread(target=importlib.import_module, args=[name])
    awaiting = threading.Thread(target=when_imported, args=[name, calls])
    try:
        importing.start()
        assert begun.wait(10)
        awaiting.start()
        awaiting.join(0.05)
        assert calls == []
        go_on.set()
        importing.join()
        awaiting.join()
    finally:
        del importlib.import_module("builtins").half_way
    assert calls == ["whole"]


def test_many_threads_await_while_many_import(make, calls):
    names = [make() for _ in range(20)]
    start = threading.Barrier(8)

    def run(index):
        start.wait()
        for name in names if index % 2 else names[::-1]:
            when_imported(name, calls)
            importlib.import_module(name)

    threads = [threading.Thread(target=run, args=[index]) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [1] * (8 * len(names))


class Virtual:
    """A finder of modules without files, as editable installations have; also their loader."""

    def __init__(self, name, ask_again=False):
        self.name, self.ask_again, self.asked = name, ask_again, 0

    def find_spec(self, name, path=None, target=None):
        if name != self.name:
            return None
        self.asked += 1
        if self.ask_again:  # all finders, itself left out, as hooks of other libraries do
            self.name = None
            try:
                return importlib.util.find_spec(name)
            finally:
                self.name = name
        return ModuleSpec(name, self)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.value = "virtual"


@pytest.mark.parametrize("place", ["before", "behind", "later"])
@pytest.mark.parametrize("ask_again", [False, True], ids=["finds", "asks all"])
def test_other_finders(make, calls, place, ask_again):
    name = make("value = 'virtual'")
    finder = Virtual(name, ask_again)
    if place == "later":
        when_imported(name, Calls())
    sys.meta_path.insert(sys.meta_path.index(PathFinder) if place == "behind" else 0, finder)
    when_imported(name, calls)  # is the first to look again
    assert sys.meta_path[0] is hook._finder
    module = importlib.import_module(name)
    assert calls == ["virtual"]
    assert finder.asked == 1
    assert (module.__loader__ is finder) is not ask_again


def test_a_list_of_finders_that_somebody_put_in_its_place(make, calls, monkeypatch):
    monkeypatch.setattr(sys, "meta_path", [finder for finder in sys.meta_path if finder is not hook._finder])
    name = make()
    when_imported(name, calls)
    importlib.import_module(name)
    assert calls == [1]


def test_hooks_of_another_library(make, calls):
    wrapt = pytest.importorskip("wrapt")
    first, second = make(), make()
    for name, ours_first in ((first, True), (second, False)):
        ways = [
            lambda name=name: when_imported(name, calls),
            lambda name=name: wrapt.when_imported(name)(calls),
        ]
        for way in ways if ours_first else ways[::-1]:
            way()
        module = importlib.import_module(name)
        assert type(module.__loader__) is type(module.__spec__.loader) is SourceFileLoader
    assert calls == [1] * 4


def test_two_copies_of_the_hook(make, calls):
    """An environment that registers by itself has run the file before the package is imported."""
    other = {"__name__": "another"}
    with open(hook.__file__, encoding="utf-8") as file:
        exec(compile(file.read(), hook.__file__, "exec"), other)
    name = make()
    when_imported(name, calls)
    other["when_imported"](name, calls)
    when_imported(name, calls)
    module = importlib.import_module(name)
    assert calls == [1] * 3
    assert type(module.__loader__) is SourceFileLoader
