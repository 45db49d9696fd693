"""Links between files of the repository, as they read there, and as they lead from page to page of the site."""

import os
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
_FENCED = re.compile(r"^(```.*?^```$)", flags=re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<=\]\()([^)\s]+)(?=\))")


def linked_files(addresses: Mapping[str, str]) -> list[str]:
    """Return the files of the repository that pages link to and that are no pages yet; links from them included.

    Parameters
    ----------
    addresses : mapping of str
        By path in the repository, the page's address in the site.
    """
    found: dict[str, None] = {}
    todo = [source for source in addresses if source.endswith(".md")]
    while todo:
        source = todo.pop()
        for link in _links((ROOT / source).read_text(encoding="utf-8")):
            target = _target(source, link)
            if target not in addresses and target not in found and (ROOT / target).is_file():
                found[target] = None
                if target.endswith(".md"):
                    todo.append(target)
    return sorted(found)


def relinked(markdown: str, source: str, address: str, addresses: Mapping[str, str]) -> str:
    """Return a page whose links to files of the repository are links to their pages.

    Parameters
    ----------
    markdown : str
        The page, as it stands in the repository.
    source, address : str
        Its path in the repository, and its address in the site.
    addresses : mapping of str
        By path in the repository, the page's address in the site. Other links stay, for mkdocs to check.
    """

    def lead(match: re.Match[str]) -> str:
        link = match.group(0)
        path, hash_sign, anchor = link.partition("#")
        target = _target(source, link)
        if "://" in link or not path or target not in addresses:
            return link
        page = os.path.relpath(addresses[target], PurePosixPath(address).parent)
        return page + hash_sign + anchor

    parts = _FENCED.split(markdown)
    return "".join(part if part.startswith("```") else _LINK.sub(lead, part) for part in parts)


def _links(markdown: str) -> list[str]:
    return [link for link in _LINK.findall(_FENCED.sub("", markdown)) if "://" not in link]


def _target(source: str, link: str) -> str:
    """Return the path in the repository of what a link leads to."""
    path = link.partition("#")[0]
    return os.path.normpath(PurePosixPath(source).parent / path)
