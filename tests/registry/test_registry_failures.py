"""Every way in which a plugin can fail, with all failing plugins installed in one host."""

import pytest

MODEL = "plugin = Plugin(name={0!r}, models=(entry({1!r}),), register=nothing)"

AT_IMPORT = {
    "imports-missing": ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
    "has-syntax-error": ("def (", "SyntaxError: "),
    "raises": ("raise RuntimeError('over\\nhere')", "RuntimeError: over here"),
    "raises-base": ("class Boom(BaseException): pass\nraise Boom", "Boom"),
    "raises-unreadable": (
        "class Boom(Exception):\n    def __str__(self): return 1 / 0\nraise Boom",
        "Boom: its message cannot be read",
    ),
    "exits": ("import sys\nsys.exit(3)", "called sys.exit(3)"),
    "has-no-plugin": ("", "AttributeError: module 'has_no_plugin' has no attribute 'plugin'"),
    "is-no-plugin": ("plugin = 3", "is_no_plugin:plugin is a int, not a registry.Plugin"),
    "names-itself": (MODEL.format("other", "m"), "names itself 'other', its entry point 'names-itself'"),
    "recurses": (
        "import registry\nregistry.list_models()",
        "a plugin must not use the registry while it is being imported",
    ),
    "has-bad-model": (
        "entry('m', parameters='many')",
        "TypeError: ModelEntry.parameters is 'many', not a int",
    ),
    "repeats-itself": (
        "Plugin(name='x', models=(entry('m'), entry('m')), register=nothing)",
        "ValueError: plugin 'x' has two models named 'm'",
    ),
    "takes-model": (
        MODEL.format("takes-model", "good-model"),
        "the model name 'good-model' is taken by plugin 'good' of distribution good 1.0",
    ),
}
AT_REGISTRATION = {
    "register-raises": ("def register(): raise OSError('disk')", "OSError: disk"),
    "register-exits": ("def register(): raise SystemExit", "called sys.exit(None)"),
    "register-recurses": (
        "import registry\ndef register(): registry.create_model('register-recurses')",
        "asks for itself while it registers its classes",
    ),
}


@pytest.fixture(scope="module")
def report(shared_zoo):
    zoo = shared_zoo
    zoo.add("good", "print('noise on stdout')\n" + MODEL.format("good", "good-model"))
    zoo.add("also-good", MODEL.format("also-good", "also-good-model"))
    for name, (code, _) in AT_IMPORT.items():
        zoo.add(name, code)
    for name, (code, _) in AT_REGISTRATION.items():
        zoo.add(name, f"{code}\nplugin = Plugin(name={name!r}, models=(entry({name!r}),), register=register)")
    zoo.add("takes-name", MODEL.format("good", "m"), name="good")
    zoo.add("malformed", "", spec="malformed plugin")
    zoo.add_entry_points("twice", "[registry.plugins]\na = x:y\na = x:z\n")
    zoo.add_entry_points("unrelated", "[console_scripts]\na = x:y\na = x:z\n")
    return zoo.evaluate("""
        report = registry.load_plugins()
        result = {
            "models": registry.list_models(),
            "loaded": [[plugin.name, plugin.distribution, plugin.version] for plugin in report.loaded],
            "failed": {plugin.distribution: [plugin.name, plugin.version, plugin.reason,
                       type(plugin.error).__name__] for plugin in report.failed},
        }
    """)


def test_others_work(report):
    assert report["models"] == ["also-good-model", "good-model", *sorted(AT_REGISTRATION)]
    assert report["loaded"] == [["also-good", "also-good", "1.0"], ["good", "good", "1.0"]]


@pytest.mark.parametrize("name", [*AT_IMPORT, *AT_REGISTRATION])
def test_reported(report, name):
    reported, version, reason, _ = report["failed"][name]
    assert (reported, version) == (name, "1.0")
    assert {**AT_IMPORT, **AT_REGISTRATION}[name][1] in reason


def test_taken_plugin_name(report):
    name, _, reason, error = report["failed"]["takes-name"]
    assert name == "good"
    assert reason == "its name is taken by plugin 'good' of distribution good 1.0"
    assert error == "PluginError"


def test_malformed_spec(report):
    assert report["failed"]["malformed"][3] == "BadEntryPoint"


def test_unreadable_entry_points(report):
    name, version, reason, _ = report["failed"]["twice"]
    assert (name, version) == ("entry_points.txt", "1.0")
    assert "DuplicateOptionError" in reason


def test_nothing_else_is_reported(report):
    others = {"takes-name", "malformed", "twice"}
    assert report["failed"].keys() == AT_IMPORT.keys() | AT_REGISTRATION.keys() | others


def test_warns_once(zoo):
    zoo.add("broken", "import no_such_module")
    program = """
import registry
registry.list_models()
registry.list_models()
registry.load_plugins()
"""
    process = zoo.run("-W", "always", "-c", program)
    assert process.returncode == 0
    assert process.stderr.count("RegistryWarning") == 1
    assert "<string>:3: RegistryWarning" in process.stderr
    assert "plugin 'broken' of distribution broken 1.0: ModuleNotFoundError" in process.stderr


def test_warning_as_error_fails_one_call(zoo):
    zoo.add("broken", "import no_such_module")
    zoo.add("good", MODEL.format("good", "good-model"))
    result = zoo.evaluate("""
        import warnings
        warnings.simplefilter("error")
        try:
            registry.list_models()
        except registry.RegistryWarning:
            result = registry.list_models()
    """)
    assert result == ["good-model"]


def test_keyboard_interrupt_passes(zoo):
    zoo.add("slow", "import builtins\nif not hasattr(builtins, 'again'): raise KeyboardInterrupt\nplugin = 1")
    zoo.add("good", MODEL.format("good", "good-model"))
    result = zoo.evaluate("""
        import builtins
        try:
            registry.list_models()
        except KeyboardInterrupt:
            builtins.again = True
            result = registry.list_models()
    """)
    assert result == ["good-model"]


def test_keyboard_interrupt_passes_through_register(zoo):
    zoo.add(
        "slow",
        "def register(): raise KeyboardInterrupt\nplugin = Plugin(name='slow', register=register)",
    )
    result = zoo.evaluate("""
        try:
            registry.load_plugins()
        except KeyboardInterrupt:
            result = "interrupted"
    """)
    assert result == "interrupted"
