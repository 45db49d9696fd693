"""Plugins that misbehave, hang or call the registry from threads: errors name them, and other plugins work."""

import json

import pytest

GOOD = "plugin = Plugin(name='good', models=(entry('good-model'),), register=nothing)"
NASTY = """
import threading, types
class Fails:
    def fail(self, *_, **__): raise RuntimeError("no")
    __repr__ = __str__ = __eq__ = __hash__ = __deepcopy__ = __reduce_ex__ = __format__ = __len__ = __bool__ = fail
class Text(str):
    def fail(self, *_, **__): raise RuntimeError("no")
    __repr__ = __str__ = __eq__ = __format__ = __deepcopy__ = __reduce_ex__ = split = replace = __add__ = fail
    __hash__ = str.__hash__
class Endless(dict):
    def items(self):
        while True:
            yield "model_type", "bert"
    def __iter__(self): return iter(["model_type"])
class Stops(dict):
    def items(self): raise SystemExit(3)
"""

# What a plugin's entry holds, and what is said of it; None where the model is listed all the same.
ENTRIES = {
    "lock": ("config={'model_type': 'bert', 'x': threading.Lock()}", "ModelEntry.config['x'] is <unlocked"),
    "fails": ("config={'model_type': 'bert', 'x': Fails()}", "a Fails that cannot be shown"),
    "key": ("config={'model_type': 'bert', 1.5: 1}", "has the key 1.5, no text or whole number"),
    "deep": (
        "config={'model_type': 'bert', 'x': [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}",
        "nested deeper than 16",
    ),
    "endless": ("config=Endless(model_type='bert')", "more than 10,000 values"),
    "stops": ("config=Stops(model_type='bert')", "called sys.exit(3)"),
    "metric": ("metrics={'accuracy': Fails()}", "expected numbers by name"),
    "files": ("files={1: 2}", "expected hashes by names of files"),
    "repo": ("repo_id=3", "ModelEntry.repo_id is 3, not a str"),
    "revision": ("revision=Fails()", "a Fails that cannot be shown, not a str"),
    "summary": ("summary=Fails()", "a Fails that cannot be shown, not a str"),
    "proxy": ("config=types.MappingProxyType({'model_type': 'bert'})", None),
    "text": ("summary=Text('A model'), task=Text('text-classification')", None),
}


@pytest.fixture(scope="module")
def report(shared_zoo):
    shared_zoo.add("good", GOOD)
    for name, (fields, _) in ENTRIES.items():
        made = f"plugin = Plugin(name={name!r}, models=(entry({name!r}, {fields}),), register=nothing)"
        shared_zoo.add(name, f"{NASTY}\n{made}")
    return shared_zoo.evaluate("""
        report = registry.load_plugins()
        infos = [registry.model_info(name) for name in registry.list_models(task="text-classification")]
        from registry.description import as_json, table_of_models
        table_of_models(infos)
        result = {
            "models": {info.name: json.dumps(as_json(info)) for info in infos},
            "failed": {plugin.name: str(plugin) for plugin in report.failed},
        }
    """)


@pytest.mark.parametrize("name", ENTRIES)
def test_what_misbehaves_is_plain_or_reported(report, name):
    message = ENTRIES[name][1]
    if message is None:
        assert json.loads(report["models"][name])["config"] == {"model_type": "bert"}
    else:
        assert name not in report["models"]
        assert message in report["failed"][name]


def test_others_are_listed(report):
    assert "good-model" in report["models"]
    assert report["failed"].keys() == {name for name, (_, message) in ENTRIES.items() if message}


HANGS = {
    "sleeps": "import time\ntime.sleep(600)",
    "loops": "count = 0\nwhile True: count += 1",
    "waits": (
        "import registry, threading\nthread = threading.Thread(target=registry.list_models, daemon=True)\n"
        "thread.start()\nthread.join()"
    ),
}


@pytest.mark.parametrize("where", ["main thread", "another thread"])
def test_a_plugin_that_hangs_is_told_by_name(zoo, monkeypatch, where):
    monkeypatch.setenv("REGISTRY_PLUGIN_SECONDS", "0.5")
    zoo.add("good", GOOD)
    for name, code in HANGS.items():
        # Code that waits in C is broken off in the main thread alone.
        if where == "main thread" or name != "sleeps":
            zoo.add(name, f"{code}\nplugin = Plugin(name={name!r}, register=nothing)")
    call = (
        "found.append([registry.list_models(), {p.name: p.reason for p in registry.load_plugins().failed}])"
    )
    started = f"thread = threading.Thread(target=lambda: {call})\nthread.start()\nthread.join()"
    result = zoo.evaluate(
        f"import threading\nfound = []\n{call if where == 'main thread' else started}\nresult = found[0]"
    )

    models, failed = result
    assert models == ["good-model"]
    if where == "main thread":
        assert (
            "'sleeps' of distribution sleeps 1.0 has not been imported after 0.5 seconds" in failed["sleeps"]
        )
        assert "'waits'" in failed["waits"]
    assert "'loops' of distribution loops 1.0 has not been imported after 0.5 seconds" in failed["loops"]


def test_a_thread_that_asks_while_its_plugin_registers_does_not_deadlock(zoo, monkeypatch):
    monkeypatch.setenv("REGISTRY_PLUGIN_SECONDS", "0.2")
    zoo.add(
        "waits",
        """
        import threading
        said = []
        def ask():
            import registry
            said.append(len(registry.list_models()))
            said.extend(plugin.reason for plugin in registry.load_plugins().failed)
        def register():
            thread = threading.Thread(target=ask)
            thread.start()
            thread.join()
        plugin = Plugin(name="waits", models=(entry("waits"),), register=register)
        """,
    )
    result = zoo.evaluate("registry.load_plugins()\nimport waits\nresult = waits.said")

    assert result[0] == 1
    assert "registering plugin 'waits' of distribution waits 1.0 has not ended" in result[1]


def test_the_limit_is_a_number(zoo, monkeypatch):
    monkeypatch.setenv("REGISTRY_PLUGIN_SECONDS", "soon")
    result = zoo.evaluate("""
        try:
            result = registry.list_models()
        except registry.PluginError as error:
            result = str(error)
    """)
    assert result == "REGISTRY_PLUGIN_SECONDS must be a number of seconds, 0 for no limit, got 'soon'"


def test_an_alarm_of_the_host_still_rings(zoo):
    zoo.add("good", GOOD)
    result = zoo.evaluate("""
        import signal, time
        rung = []
        signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
        signal.setitimer(signal.ITIMER_REAL, 1)
        registry.list_models()
        time.sleep(1.2)
        result = rung
    """)
    assert result == [1]


def test_a_name_with_a_slash_that_a_plugin_has_is_not_looked_up_on_the_hub(zoo, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    zoo.add("slash", "plugin = Plugin(name='slash', models=(entry('own/model'),), register=nothing)")
    result = zoo.evaluate("""
        from registry.resolving import folder_of
        result = []
        for call in (registry.pull, registry.checkpoint_path, folder_of):
            try:
                call("own/model")
            except Exception as error:
                result.append(str(error))
    """)
    assert result == ["the weights of 'own/model' are neither shipped with slash nor on the Hub"] * 3
