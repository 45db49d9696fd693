"""The tests that transformers runs on its own models, downloaded from the package index.

They are in transformers' source distribution, but not in its wheel. `pip` downloads the source distribution of the
installed version, from the index that it is configured for, and checks it against the index's SHA-256.
"""

import importlib.util
import os
import subprocess
import sys
import tarfile
from pathlib import Path, PurePosixPath

import pytest
import transformers
from filled_once import filled_once
from huggingface_hub import cached_assets_path

PACKAGE = "transformers_tests"
_SECONDS = 300

# What the tests import from folders that the source distribution lacks.
_STUBS = {
    "exporters/test_export.py": "class ExportTesterMixin:\n    pass\n",
    "generation/test_utils.py": "class GenerationTesterMixin:\n    pass\n",
    "utils/test_configuration_utils.py": """\
config_common_kwargs = {
    "return_dict": False,
    "output_hidden_states": True,
    "dtype": "float16",
    "chunk_size_feed_forward": 5,
    "architectures": ["Model"],
    "id2label": {0: "label"},
    "label2id": {"label": 0},
    "problem_type": "regression",
    "is_encoder_decoder": False,
}
""",
}


class UnavailableError(Exception):
    """The tests cannot be had here."""


def download(folder: Path) -> Path:
    """Return the source distribution of the installed transformers, downloaded to `folder`."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
    ]
    command += ["--no-deps", "--no-binary", "transformers", "--dest", str(folder)]
    if importlib.util.find_spec("setuptools") is not None:
        # pip reads the name and version off what it downloads, for which it would fetch setuptools again.
        command.append("--no-build-isolation")
    try:
        done = subprocess.run(
            [*command, f"transformers=={transformers.__version__}"],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"pip took more than {_SECONDS} s") from None
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["pip said nothing"]
        raise UnavailableError(next((line for line in lines if line.startswith("ERROR:")), lines[-1]))
    return next(folder.glob("transformers-*.tar.gz"))


def unpack(archive: Path, package: Path) -> None:
    """Write the modules of the archive's folder `tests`, and the stubs, as a package."""
    package.mkdir()
    (package / "__init__.py").touch()
    with tarfile.open(archive) as tar:
        for member in tar:
            path = PurePosixPath(member.name)
            # Regular files one folder deep, written under their last name: nothing can land elsewhere.
            if member.isfile() and path.match("*/tests/*.py") and len(path.parts) == 3:
                data = tar.extractfile(member)
                assert data is not None
                (package / path.name).write_bytes(data.read())
    for name, code in _STUBS.items():
        stub = package / name
        stub.parent.mkdir()
        (stub.parent / "__init__.py").touch()
        stub.write_text(code, encoding="utf-8")


def fetch(cache: Path) -> Path:
    """Return the folder of `cache` that holds the package, filled by the first process that needs it."""

    def fill(new: Path) -> None:
        new.mkdir()
        unpack(download(new.parent), new / PACKAGE)

    return filled_once(cache / transformers.__version__, fill)


def require_transformers_tests(cache: Path | None = None) -> None:
    """Make `transformers_tests` importable, or skip the calling module; in CI that is a failure."""
    try:
        folder = str(fetch(cache or cached_assets_path("chainhead", namespace="transformers-tests")))
        if folder not in sys.path:
            sys.path.append(folder)
        importlib.import_module(f"{PACKAGE}.test_modeling_common")
        importlib.import_module(f"{PACKAGE}.test_configuration_common")
    except (UnavailableError, OSError, ImportError) as error:
        reason = f"transformers' own tests of version {transformers.__version__} are not to be had: {error}"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason, allow_module_level=True)
