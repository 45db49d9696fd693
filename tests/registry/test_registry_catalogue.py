"""Finding and describing models: which distributions count, how fast, and from several threads."""

import json
import shutil

import pytest

DIGITS = """
plugin = Plugin(
    name="vision",
    models=tuple(entry(name, task="image-classification") for name in ("digits-small", "digits-large")),
    register=nothing,
)
"""
VOWELS = "plugin = Plugin(name='sound', models=(entry('vowels', license='MIT'),), register=nothing)"


@pytest.fixture
def filled_zoo(zoo):
    zoo.add("vision", DIGITS)
    zoo.add("sound", VOWELS)
    return zoo


def test_list_and_info(filled_zoo):
    result = filled_zoo.evaluate("""
        try:
            registry.model_info("digit-small")
        except registry.UnknownModelError as error:
            message = str(error)
            lookup = isinstance(error, LookupError)
        result = {
            "all": registry.list_models(),
            "pattern": registry.list_models("digits-*"),
            "patterns": registry.list_models(["*large", "v?wels"]),
            "task": registry.list_models(task="image-classification"),
            "both": registry.list_models("v*", task="image-classification"),
            "license": registry.model_info("vowels").license,
            "message": message,
            "lookup": lookup,
        }
    """)
    assert result["all"] == ["digits-large", "digits-small", "vowels"]
    assert result["pattern"] == result["task"] == ["digits-large", "digits-small"]
    assert result["patterns"] == ["digits-large", "vowels"]
    assert result["both"] == []
    assert result["license"] == "MIT"
    assert result["message"].startswith("no model is named 'digit-small'; did you mean 'digits-small'")
    assert "registry.list_models()" in result["message"]
    assert result["lookup"]


def test_unknown_model_names_failed_plugins(zoo):
    zoo.add("broken", "import no_such_module")
    message = zoo.evaluate("""
        try:
            registry.model_info("x")
        except registry.UnknownModelError as error:
            result = str(error)
    """)
    assert "plugin 'broken' of distribution broken 1.0" in message


def test_first_distribution_on_the_path_counts(make_zoo):
    first, second = make_zoo("first"), make_zoo("second")
    for zoo, model in ((first, "new-model"), (second, "old-model")):
        zoo.add(
            "my-plugin",
            f"plugin = Plugin(name='my-plugin', models=(entry({model!r}),), register=nothing)",
        )
    result = make_zoo("third").evaluate(
        """
        report = registry.load_plugins()
        result = [registry.list_models(), len(report.loaded), len(report.failed)]
        """,
        path=(first.folder, second.folder),
    )
    assert result == [["new-model"], 1, 0]


def test_zipped_distribution(zoo, make_zoo, tmp_path):
    packed = make_zoo("packed")
    packed.add("sound", VOWELS)
    archive = shutil.make_archive(str(tmp_path / "plugins"), "zip", packed.folder)
    assert zoo.evaluate("result = registry.list_models()", path=(archive,)) == ["vowels"]


def test_odd_items_on_the_path(filled_zoo, tmp_path):
    (tmp_path / "broken.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    result = filled_zoo.evaluate(
        """
        import pathlib
        sys.path[:0] = [pathlib.Path("/"), "/no/such/folder", ""]
        result = registry.list_models("vowels")
        """,
        path=(tmp_path / "broken.zip",),
    )
    assert result == ["vowels"]


def test_listing_is_fast_and_light(filled_zoo):
    program = """
import sys, time
start = time.perf_counter()
import registry
registry.list_models()
elapsed = time.perf_counter() - start
import json
print(json.dumps([elapsed, sorted({"torch", "transformers", "timm", "rich", "numpy"} & sys.modules.keys())]))
"""
    runs = [json.loads(filled_zoo.run("-c", program).stdout) for _ in range(5)]
    assert all(imported == [] for _, imported in runs)
    assert min(elapsed for elapsed, _ in runs) < 0.45  # 0.05 s on an idle machine


def test_threads_register_once(zoo):
    zoo.add(
        "counting",
        """
        import builtins, time
        builtins.imports = getattr(builtins, "imports", 0) + 1
        builtins.registrations = 0
        time.sleep(0.05)


        def register():
            time.sleep(0.05)
            builtins.registrations += 1


        plugin = Plugin(name="counting", models=(entry("m"),), register=register)
        """,
    )
    result = zoo.evaluate("""
        import builtins
        from concurrent.futures import ThreadPoolExecutor
        from threading import Barrier

        barrier = Barrier(16)

        def work(index):
            barrier.wait()
            return registry.list_models() if index % 2 else [p.name for p in registry.load_plugins().loaded]

        with ThreadPoolExecutor(16) as pool:
            results = list(pool.map(work, range(16)))
        result = [results, builtins.imports, builtins.registrations, sys.stdout is sys.__stdout__]
    """)
    assert result == [[["counting"], ["m"]] * 8, 1, 1, True]
