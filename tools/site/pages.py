"""Pages of the site that are made of files outside `docs/`: cards of models, a gallery, notebooks, code, the API."""

import json
import re
from pathlib import Path
from typing import NamedTuple, TypeAlias

import yaml
from repository import ROOT

Address: TypeAlias = str
_CARDS = ROOT / "model_cards"
# The first of these pictures that a model has stands for it in the gallery.
_SHOWN = ("forecast", "segments", "stream", "confusion", "comparison")
_UNSEARCHED = "---\nsearch: {exclude: true}\n---\n\n"
_LANGUAGES = {".py": "python", ".yaml": "yaml", ".json": "json"}


class Picture(NamedTuple):
    """A picture of a card: its path in the repository, and its address in the site."""

    source: str
    address: Address


def cards() -> dict[str, Address]:
    """Return the address of every model's card, by its path in the repository."""
    return {f"model_cards/{file.name}": f"models/{file.name}" for file in sorted(_CARDS.glob("*.md"))}


def pictures() -> list[Picture]:
    """Return the pictures of all cards."""
    return [
        Picture(f"model_cards/images/{file.name}", f"models/images/{file.name}")
        for file in sorted((_CARDS / "images").iterdir())
    ]


def card_page(card: str) -> str:
    """Return a card without the metadata that the Hub reads."""
    return re.sub(r"\A---\n.*?^---\n\s*", "", card, flags=re.MULTILINE | re.DOTALL)


def gallery() -> str:
    """Return a list of all models, each with its task, a picture and a sentence, as Material shows grids of cards."""
    entries = "\n".join(_gallery_entry(ROOT / source, address) for source, address in cards().items())
    return f'<div class="grid cards" markdown>\n\n{entries}\n</div>'


def _gallery_entry(card: Path, address: Address) -> str:
    text = card.read_text(encoding="utf-8")
    (facts,) = yaml.safe_load(text.split("---\n")[1])["model-index"]
    task = facts["results"][0]["task"]["type"]
    sentence = re.search(r"^# .*\n\n(.+?\.)(?=\s)", text, flags=re.MULTILINE)
    if sentence is None:
        raise ValueError(f"{card} does not begin with a sentence")

    prefix = card.stem.removeprefix("chainhead-")
    kind = next(kind for kind in _SHOWN if (_CARDS / "images" / f"{prefix}-{kind}.png").exists())
    return (
        f"-   [![{card.stem}: {kind}](models/images/{prefix}-{kind}.png)]({address})\n\n"
        f"    **[{card.stem}]({address})** · {task}\n\n"
        f"    {sentence.group(1)}\n"
    )


def notebook_page(notebook: Path) -> str:
    """Return a notebook's cells as a page, with a link to the notebook itself."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    parts = [_cell(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    parts.insert(1, f"[Download this notebook]({notebook.name}){{ .md-button download }}")
    return "\n\n".join(parts) + "\n"


def _cell(kind: str, source: str) -> str:
    return source if kind == "markdown" else f"```python\n{source}\n```"


def source_page(source: str) -> str:
    """Return a page for a file of the repository, which no search finds: Markdown as it is, anything else as code."""
    text = (ROOT / source).read_text(encoding="utf-8")
    if source.endswith(".md"):
        return _UNSEARCHED + text
    language = _LANGUAGES.get(Path(source).suffix, "text")
    return f"{_UNSEARCHED}# {Path(source).name}\n\n`{source}`\n\n````{language}\n{text}````\n"


def api_page(markdown: str) -> str:
    """Return a list of public names with the documentation of each in place of its line in the list."""
    module = re.search(r"\A# `([\w.]+)`$", markdown, flags=re.MULTILINE)
    if module is None:
        raise ValueError("a page of the API begins with '# `MODULE`'")
    return re.sub(r"^- \[`(\w+)`\]\(.*\n?", rf"::: {module.group(1)}.\1\n\n", markdown, flags=re.MULTILINE)
