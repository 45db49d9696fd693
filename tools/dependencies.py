"""What this project depends on, in the environment that runs this: pinned for CI, or with licences.

Usage: python tools/dependencies.py constraints > .ci/constraints.txt
       python tools/dependencies.py licences
"""

import re
import sys
from collections.abc import Iterator
from importlib import metadata

from packaging.requirements import Requirement


def canonical(name: str) -> str:
    """Return a distribution's name as package indexes spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def dependencies(root: str = "chainhead-plugin", extras: tuple[str, ...] = ("dev", "train")) -> Iterator[str]:
    """Yield the names of everything that a distribution needs, directly or not, sorted; without itself.

    What a requirement's markers exclude on this machine is left out.
    """
    seen: set[tuple[str, tuple[str, ...]]] = set()
    todo = [(root, extras)]
    while todo:
        name, wanted = todo.pop()
        try:
            lines = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            raise SystemExit(f"{name} is not installed: pip install '.[dev]' first") from None
        for line in lines:
            requirement = Requirement(line)
            marker = requirement.marker
            if marker is not None and not any(marker.evaluate({"extra": extra}) for extra in ("", *wanted)):
                continue
            needed = canonical(requirement.name), tuple(sorted(requirement.extras))
            if needed not in seen:  # the same may be needed with other extras too
                seen.add(needed)
                todo.append(needed)
    yield from sorted({name for name, _ in seen} - {root})


def licence(name: str) -> str:
    """Return what a distribution's metadata says of its licence, in one line."""
    fields = metadata.metadata(name)
    classifiers = [
        classifier.rpartition(" :: ")[2]
        for classifier in fields.get_all("Classifier") or []
        if classifier.startswith("License :: ") and not classifier.endswith("OSI Approved")
    ]
    text = fields.get("License-Expression") or ", ".join(classifiers) or fields.get("License") or "unknown"
    return text.strip().splitlines()[0][:80]


def main() -> None:
    """Write the list that the command line asks for."""
    if sys.argv[1:] not in (["constraints"], ["licences"]):
        raise SystemExit(__doc__)
    if sys.argv[1] == "constraints":
        sys.stdout.write(f"# Python {sys.version_info.major}.{sys.version_info.minor}, {sys.platform}\n")
    for name in dependencies():
        if sys.argv[1] == "constraints":
            version = metadata.version(name).partition("+")[0]
            sys.stdout.write(f"{name}=={version}\n")
        else:
            sys.stdout.write(f"{name} {metadata.version(name)}: {licence(name)}\n")


if __name__ == "__main__":
    main()
