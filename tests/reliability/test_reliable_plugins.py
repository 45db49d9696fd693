"""Promise 1: the zoo's host survives every failure of an installed plugin. See also tests/registry/.

The plugins are wheels, which pip installs into a virtual environment that also contains the tests' packages.
"""

import hashlib
import json
import os
import subprocess
import sys
import venv
import zipfile
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENTRY = """
from registry import ModelEntry, Plugin

def entry(name):
    return ModelEntry(
        name=name, task="text-classification", auto_class="AutoModel", summary="A model", data="none",
        license="Apache-2.0", metrics={}, parameters=1, config={"model_type": "bert"},
    )
"""
WELL = 'plugin = Plugin(name="{0}", models=(entry("{0}-model"),), register=lambda: None)'
CLAIM = """
def register():
    from transformers import AutoConfig, PreTrainedConfig

    class Impostor(PreTrainedConfig):
        model_type = "chainhead"

    AutoConfig.register("chainhead", Impostor)

plugin = Plugin(name="claims-model-type", register=register)
"""
# The seven kinds: the code of a plugin, and what the report says of it.
KINDS = {
    "fails-to-import": ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
    "raises-registering": (
        "def register(): raise RuntimeError('no disk')\nplugin = Plugin(name='raises-registering', register=register)",
        "RuntimeError: no disk",
    ),
    "has-bad-attribute": ("", "AttributeError: module 'has_bad_attribute' has no attribute 'plugin'"),
    "exits": ("import sys\nsys.exit(3)", "called sys.exit(3)"),
    "imports-itself": (
        "import imports_itself\nimports_itself.plugin.name",
        "AttributeError: partially initialized module 'imports_itself'",
    ),
    "claims-model": (
        'plugin = Plugin(name="claims-model", models=(entry("a-good-model"),), register=lambda: None)',
        "the model name 'a-good-model' is taken by plugin 'a-good' of distribution a-good 1.0",
    ),
    "claims-model-type": (CLAIM, "takes the model type 'chainhead' from "),
}
PRINTS = "print('noise at import')\n" + WELL.format("prints").replace(
    "None", "print('noise at registration')"
)
EVERYTHING = """
import json, registry, warnings
warnings.simplefilter("ignore")
report = registry.load_plugins()
import transformers
config = transformers.AutoConfig.for_model("chainhead", m=3)
print(json.dumps({
    "loaded": {plugin.distribution: plugin.version for plugin in report.loaded},
    "failed": {plugin.distribution: plugin.reason for plugin in report.failed},
    "models": registry.list_models(),
    "chainhead": type(transformers.AutoModel.from_config(config)).__name__,
}))
"""


def make_wheel(folder, name, code, version="1.0", files=None):
    """Write a wheel of one module, or of other `files`, with an entry point in the zoo."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    files = {
        **(files or {f"{module}.py": ENTRY + code}),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[registry.plugins]\n{name} = {module}:plugin\n",
    }
    record = [
        f"{file},sha256={urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()},{len(text)}"
        for file, text in files.items()
    ]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""])
    wheel = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
    return wheel


class Environment:
    """A virtual environment that also sees what the tests run with."""

    def __init__(self, folder):
        venv.create(folder, symlinks=os.name != "nt")
        self.python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        [self.site] = folder.glob("Lib/site-packages" if os.name == "nt" else "lib/*/site-packages")
        # The project itself may be installed editable: by a finder, which only runs where its .pth does.
        paths = [str(ROOT), *(path for path in sys.path if path.endswith("site-packages"))]
        (self.site / "tests.pth").write_text("\n".join(paths) + "\n")

    def install(self, *wheels, target=None):
        pip = [
            sys.executable,
            "-m",
            "pip",
            "--python",
            self.python,
            "install",
            "--quiet",
            "--no-deps",
            "--no-index",
        ]
        where = [] if target is None else ["--target", target]
        done = subprocess.run([*pip, *where, *wheels], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def run(self, code=EVERYTHING, path=()):
        done = subprocess.run(
            [self.python, "-c", code],
            capture_output=True,
            text=True,
            cwd=self.site.parent,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), "HF_HUB_OFFLINE": "1"},
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)  # and nothing but it


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    return tmp_path_factory.mktemp("wheels")


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    pytest.importorskip("pip")
    return Environment(tmp_path_factory.mktemp("environment"))


@pytest.fixture(scope="module")
def report(environment, wheels):
    codes = {name: code for name, (code, _) in KINDS.items()} | {"prints": PRINTS}
    codes |= {name: WELL.format(name) for name in ("a-good", "z-good")}
    environment.install(*(make_wheel(wheels, name, code) for name, code in codes.items()))
    return environment.run()


@pytest.mark.parametrize("name", KINDS)
def test_a_bad_plugin_is_reported_with_its_distribution(report, name):
    assert KINDS[name][1] in report["failed"][name]


def test_everything_else_works(report):
    assert report["failed"].keys() == KINDS.keys()
    # What prints works too, and the host's own output stays clean: `run` reads all of it.
    assert report["loaded"].keys() == {"a-good", "z-good", "prints", "chainhead-plugin"}
    assert {"a-good-model", "z-good-model", "prints-model", "chainhead-japanese-vowels"} <= {
        *report["models"]
    }
    assert report["chainhead"] == "ChainHeadModel"


WHICH = """
import json, registry, warnings
warnings.simplefilter("ignore")
from registry.plugins.catalogue import installed_catalogue
catalogue = installed_catalogue()
sources = [plugin.source for plugin in catalogue.plugins.values()]
print(json.dumps({
    "found": [[source.version, __import__("twofold").PLACE] for source in sources if source.name == "twofold"],
    "failed": {plugin.distribution: plugin.reason for plugin in catalogue.failed},
}))
"""


def test_of_two_versions_on_the_path_the_first_counts(environment, wheels, tmp_path):
    for version in ("1.0", "2.0"):
        code = WELL.format("twofold") + f"\nPLACE = {version!r}"
        environment.install(make_wheel(tmp_path, "twofold", code, version), target=tmp_path / version)
    one, two = tmp_path / "1.0", tmp_path / "2.0"
    assert environment.run(WHICH, path=(one, two))["found"] == [["1.0", "1.0"]]
    assert environment.run(WHICH, path=(two, one))["found"] == [["2.0", "2.0"]]


def test_of_an_editable_and_a_wheel_install_the_later_counts(environment, wheels, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "twofold.py").write_text(ENTRY + WELL.format("twofold") + "\nPLACE = 'editable'")
    # What a build backend makes for `pip install --editable`.
    editable = make_wheel(tmp_path, "twofold", "", "3.0", files={"_editable_twofold.pth": f"{source}\n"})
    (tmp_path / "other").mkdir()
    wheel = make_wheel(tmp_path / "other", "twofold", WELL.format("twofold") + "\nPLACE = 'wheel'", "4.0")
    environment.install(editable)
    assert environment.run(WHICH)["found"] == [["3.0", "editable"]]
    environment.install(wheel)
    assert environment.run(WHICH)["found"] == [["4.0", "wheel"]]
    environment.install("--force-reinstall", editable)
    assert environment.run(WHICH)["found"] == [["3.0", "editable"]]


def test_a_zipped_plugin_works(environment, tmp_path):
    wheel = make_wheel(tmp_path, "twofold", WELL.format("twofold") + "\nPLACE = 'zip'", "5.0")
    assert environment.run(WHICH, path=(wheel,))["found"] == [["5.0", "zip"]]


def test_this_plugin_zipped_is_reported_as_what_it_is(environment, tmp_path):
    archive = tmp_path / "chainhead.zip"
    info = "chainhead_plugin-9.9.dist-info"
    with zipfile.ZipFile(archive, "w") as zipped:
        for package in ("chainhead_plugin", "registry"):
            for file in (ROOT / package).rglob("*.py"):
                zipped.write(file, file.relative_to(ROOT))
        zipped.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: chainhead-plugin\nVersion: 9.9\n")
        zipped.writestr(
            f"{info}/entry_points.txt", "[registry.plugins]\nchainhead = chainhead_plugin.plugin:plugin\n"
        )
    report = environment.run(WHICH, path=(archive,))
    assert "chainhead-plugin is imported from an archive" in report["failed"]["chainhead-plugin"]
