"""Run the tests with the oldest and with the newest versions that pyproject.toml allows.

Usage: python tools/compatibility.py lowest|newest [--python PYTHON] [--folder FOLDER] [-- pytest arguments]

Makes a virtual environment with uv (`pip install uv`), from the package index alone, and runs pytest in it:

- lowest: Python 3.10, and for every dependency the first release of the version that its `>=` names, without the extra
  `quantisation`, which wants a newer torch than the rest does: the tests of it are skipped there
- newest: the newest Python found, and the newest release of everything

Deprecation warnings are no errors with the lowest versions: old packages call what newer ones deprecate. Nor do lint
and type checks run there, which depend on the tools' own versions and on the stubs of that time. What torch says of
the speed of Python 3.13.0, with that as the newest, is no error either.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from packaging.requirements import Requirement

try:
    import tomllib
except ModuleNotFoundError:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
NEWEST = ("python3.14", "python3.13", "python3.12", "python3.11")


def floors() -> list[str]:
    """Return a constraint to the first release series for every dependency with a lower bound."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    lines = [
        *project["dependencies"],
        *(line for extra in extras.keys() - {"quantisation"} for line in sorted(extras[extra])),
    ]
    constraints = []
    for requirement in map(Requirement, lines):
        bounds = [bound.version for bound in requirement.specifier if bound.operator == ">="]
        constraints += [f"{requirement.name}=={version}.*" for version in bounds]
        if requirement.name == "torch":
            # No dependency of this project, but of timm: torchvision 0.(N + 15) is made for torch 2.N.
            constraints += [f"torchvision==0.{int(version.split('.')[1]) + 15}.*" for version in bounds]
    return constraints


def find_python(wanted: str | None, names: tuple[str, ...]) -> str:
    """Return the interpreter to use.

    Raises
    ------
    SystemExit
        If there is none.
    """
    for name in (wanted,) if wanted else names:
        if found := shutil.which(name):
            return found
    raise SystemExit(f"none of {', '.join(names)} is on the PATH: install one, or pass --python")


def run(*command: str | Path) -> None:
    """Run a command, and stop if it fails."""
    sys.stderr.write(f"+ {' '.join(map(str, command))}\n")
    if status := subprocess.run(command, cwd=ROOT, check=False).returncode:  # noqa: S603 (its own commands)
        raise SystemExit(status)


def main() -> None:
    """Make the environment, write what is in it, and run the tests."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("versions", choices=["lowest", "newest"])
    parser.add_argument("--python", help="the interpreter, by default python3.10 or the newest one found")
    parser.add_argument(
        "--folder", type=Path, help="where to make the environment, by default a temporary folder"
    )
    # argparse gives what follows `--` to no positional argument once options have stood between.
    own = sys.argv[1:]
    arguments = ["-m", "not slow and not timing"]
    if "--" in own:
        place = own.index("--")
        own, arguments = own[:place], own[place + 1 :]
    options = parser.parse_args(own)
    uv = shutil.which("uv")
    if uv is None:
        raise SystemExit("uv is not on the PATH: pip install uv")
    is_lowest = options.versions == "lowest"
    python = find_python(options.python, ("python3.10",) if is_lowest else NEWEST)
    folder = options.folder or Path(tempfile.mkdtemp(prefix=f"chainhead-{options.versions}-"))
    run(uv, "venv", "--clear", "--seed", "--python", python, folder)
    interpreter = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(floors() if is_lowest else []) + "\n")
    resolution = "lowest-direct" if is_lowest else "highest"
    # As pip does: what is compiled at the first import warns of its syntax, and warnings are errors in the tests.
    install = (uv, "pip", "install", "--compile-bytecode", "--python", interpreter)
    run(
        *install,
        "--resolution",
        resolution,
        "--constraints",
        constraints,
        f"{ROOT}[{'test' if is_lowest else 'dev'}]",
    )
    # The tests run against the installed wheel, and what follows them in the checkout.
    run(uv, "pip", "freeze", "--python", interpreter)
    ignored = (
        ("-W", "ignore::DeprecationWarning", "--deselect", "tests/house/test_quality.py::test_code")
        if is_lowest
        else ("-W", "ignore:Guards may run slower on Python 3.13.0:RuntimeWarning")
    )
    run(interpreter.with_name("pytest"), "-p", "no:cacheprovider", *ignored, *arguments)


if __name__ == "__main__":
    main()
